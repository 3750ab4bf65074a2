package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// clientItem is an OAuth client of the admin API.
type clientItem struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Grants         []string        `json:"grants"`
	Scopes         []string        `json:"scopes"`
	Audiences      []string        `json:"audiences"`
	AccessTTL      string          `json:"access_ttl"`
	Algorithm      string          `json:"access_token_signing_alg,omitempty"`
	Disabled       bool            `json:"disabled"`
	NoIntro        bool            `json:"no_introspection,omitempty"`
	AuthMethod     string          `json:"auth_method"`
	JWKS           json.RawMessage `json:"jwks,omitempty"`
	CreatedAt      *time.Time      `json:"created_at"`
	RotatedAt      *time.Time      `json:"rotated_at"`
	OldSecretUntil *time.Time      `json:"old_secret_expires_at,omitempty"`
	Secret         string          `json:"secret,omitempty"`
}

func (c *cli) clientsCommand() *cobra.Command {
	return group("clients", "Keep the programs that get tokens of their own (OAuth)", c.clientsAdd(), c.clientsList(), c.clientsRotate(), c.clientsRevoke())
}

func (c *cli) clientsAdd() *cobra.Command {
	var name, jwks, alg string
	var grants, scopes, audiences []string
	var ttl time.Duration
	var noIntrospection bool
	cmd := &cobra.Command{
		Use:   "add [ID]",
		Short: "Add a client; its secret is shown this once",
		Example: `  tollgate clients add reports --scope shop:read --audience shop-api
  tollgate clients add gateway --grant token-exchange --jwks-file keys.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"name": name, "grants": grants, "scopes": scopes, "audiences": audiences, "access_ttl": ttl.String()}
			if alg != "" {
				body["access_token_signing_alg"] = alg
			}
			if noIntrospection {
				body["no_introspection"] = true
			}
			if len(args) == 1 {
				body["id"] = args[0]
			}
			if jwks != "" {
				text, err := os.ReadFile(jwks)
				if err != nil {
					return exitWith(exitUsage, "--jwks-file: %w", err)
				}
				if !json.Valid(text) {
					return exitWith(exitUsage, "--jwks-file %s is not JSON", jwks)
				}
				body["jwks"] = json.RawMessage(text)
			}
			return c.oneClient(cmd, http.MethodPost, "/admin/v1/clients", body)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what it is, for people")
	f.StringArrayVar(&grants, "grant", []string{"client_credentials"}, "client_credentials, refresh_token or token-exchange; may be repeated")
	f.StringArrayVar(&scopes, "scope", []string{}, "a scope that its tokens may have; may be repeated")
	f.StringArrayVar(&audiences, "audience", []string{}, "an audience that its tokens may have (default: TOLLGATE_AUDIENCE); may be repeated")
	f.DurationVar(&ttl, "access-ttl", 0, "life of its tokens (default and most: TOLLGATE_ACCESS_TTL)")
	f.StringVar(&alg, "signing-alg", "", "signs its tokens, one of TOLLGATE_SIGNING_ALG (default: the first of them)")
	f.BoolVar(&noIntrospection, "no-introspection", false, "it may not ask about tokens (/oauth/introspect)")
	f.StringVar(&jwks, "jwks-file", "", "its public keys (JWK Set), for private_key_jwt instead of a secret")
	return cmd
}

func (c *cli) clientsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the clients", Example: "  tollgate clients list -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			all, err := list[clientItem](cmd.Context(), admin, "/admin/v1/clients", url.Values{})
			if err != nil {
				return err
			}
			return c.printClients(all, all)
		},
	}
}

func (c *cli) clientsRotate() *cobra.Command {
	var overlap time.Duration
	var yes bool
	cmd := &cobra.Command{
		Use: "rotate-secret ID", Short: "Give a client a new secret, which is shown this once",
		Example: "  tollgate clients rotate-secret reports --overlap 1h --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.confirm(yes, "The present secret will be refused after "+overlap.String()+", one that was rotated before at once."); err != nil {
				return err
			}
			return c.oneClient(cmd, http.MethodPatch, "/admin/v1/clients/"+url.PathEscape(args[0]), map[string]any{"rotate_secret": true, "overlap": overlap.String()})
		},
	}
	cmd.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the present secret is taken beside the new one; 0s: not at all")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) clientsRevoke() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "Remove a client and end its tokens", Example: "  tollgate clients revoke reports --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			if err := c.confirm(yes, "This client will be removed, and every token that speaks for it refused everywhere."); err != nil {
				return err
			}
			return admin.call(cmd.Context(), http.MethodDelete, "/admin/v1/clients/"+url.PathEscape(args[0]), nil, nil)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) oneClient(cmd *cobra.Command, method, path string, body any) error {
	admin, err := c.admin()
	if err != nil {
		return err
	}
	var item clientItem
	if err := admin.call(cmd.Context(), method, path, body, &item); err != nil {
		return err
	}
	return c.printClients(item, []clientItem{item})
}

func (c *cli) printClients(asJSON any, all []clientItem) error {
	head := []string{"ID", "NAME", "STATE", "BY", "GRANTS", "SCOPES", "AUDIENCES", "ACCESS TTL", "CREATED", "OLD SECRET UNTIL"}
	var rows [][]string
	for _, i := range all {
		state := "enabled"
		if i.Disabled {
			state = "disabled"
		}
		if i.NoIntro {
			state += ", no introspection"
		}
		row := []string{
			i.ID, i.Name, state, i.AuthMethod, strings.Join(i.Grants, " "), strings.Join(i.Scopes, " "), strings.Join(i.Audiences, " "),
			i.AccessTTL, when(i.CreatedAt), when(i.OldSecretUntil),
		}
		if i.Secret != "" {
			head, row = append(head, "SECRET"), append(row, i.Secret)
		}
		rows = append(rows, row)
	}
	return c.print(asJSON, head, rows)
}
