package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

type keyItem struct {
	ID             string     `json:"kid"`
	Algorithm      string     `json:"algorithm"`
	State          string     `json:"state"`
	CreatedAt      *time.Time `json:"created_at"`
	SignsFrom      *time.Time `json:"signs_from,omitempty"`
	SignsUntil     *time.Time `json:"signs_until,omitempty"`
	RevokedAt      *time.Time `json:"revoked_at,omitempty"`
	PublishedUntil *time.Time `json:"published_until,omitempty"`
}

type keyRing struct {
	Version uint64    `json:"version"`
	Items   []keyItem `json:"items"`
	Changes []struct {
		ID    string `json:"kid"`
		State string `json:"state"`
	} `json:"changes,omitempty"`
}

func (c *cli) keysCommand() *cobra.Command {
	return group("keys", "Look at and turn the key ring", c.keysList(), c.keysRotate(), c.keysRetire(), c.keysRevoke(), c.keysJWKS())
}

func (c *cli) keysList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys with their states", Example: "  tollgate keys list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.ring(cmd, http.MethodGet, "/admin/v1/keys", nil) },
	}
}

func (c *cli) keysRotate() *cobra.Command {
	var now, yes bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Let the pending key sign; the active one is published until its last token has expired",
		Example: "  tollgate keys rotate --yes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan := "The pending key will sign from now on. Tokens of the present one stay valid until they expire."
			if now {
				plan += "\n--now: verifiers that cached the key set before the pending key was published refuse its tokens until they fetch it again."
			}
			if err := c.confirm(yes, plan); err != nil {
				return err
			}
			return c.ring(cmd, http.MethodPost, "/admin/v1/keys/rotate", map[string]bool{"now": now})
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "even if verifiers may not have the pending key yet")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) keysRetire() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "retire KID", Short: "Stop signing with a key; its tokens stay valid until they expire",
		Example: "  tollgate keys retire 1aX… --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.confirm(yes, "The key will sign no more. Its tokens stay valid until they expire."); err != nil {
				return err
			}
			return c.ring(cmd, http.MethodPost, "/admin/v1/keys/"+url.PathEscape(args[0])+"/retire", nil)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) keysRevoke() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke KID", Short: "Kill a key: every token that it signed is refused at once",
		Example: "  tollgate keys revoke 1aX… --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan := "Every token signed by this key is refused at once and for good; whoever holds one must log in again."
			if err := c.confirm(yes, plan); err != nil {
				return err
			}
			return c.ring(cmd, http.MethodPost, "/admin/v1/keys/"+url.PathEscape(args[0])+"/revoke", nil)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

// ring calls a row that answers with the ring and shows it.
func (c *cli) ring(cmd *cobra.Command, method, path string, body any) error {
	admin, err := c.admin()
	if err != nil {
		return err
	}
	var r keyRing
	if err := admin.call(cmd.Context(), method, path, body, &r); err != nil {
		return err
	}
	var rows [][]string
	for _, k := range r.Items {
		until := when(k.PublishedUntil)
		if k.State == "revoked" {
			until = "withdrawn"
		}
		rows = append(rows, []string{k.State, k.Algorithm, k.ID, when(k.CreatedAt), when(k.SignsFrom), when(k.SignsUntil), until})
	}
	if err := c.print(r, []string{"STATE", "ALGORITHM", "KID", "CREATED", "SIGNS FROM", "SIGNS UNTIL", "PUBLISHED UNTIL"}, rows); err != nil {
		return err
	}
	for _, change := range r.Changes {
		fmt.Fprintf(c.err, "%s is now %s\n", change.ID, change.State)
	}
	return nil
}

func (c *cli) keysJWKS() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "jwks", Short: "Print the published key set", Example: "  tollgate keys jwks --url http://127.0.0.1:8080", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public := &adminClient{base: from, http: &http.Client{Timeout: 10 * time.Second}}
			var set json.RawMessage
			if err := public.call(cmd.Context(), http.MethodGet, "/.well-known/jwks.json", nil, &set); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.out, string(set))
			return err
		},
	}
	cmd.Flags().StringVar(&from, "url", "http://127.0.0.1:8080", "base URL of the public listener")
	return cmd
}
