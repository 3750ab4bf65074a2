package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// adminTokenItem is an admin token of the admin API.
type adminTokenItem struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	State     string     `json:"state"`
	CreatedAt *time.Time `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt *time.Time `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	RevokedBy string     `json:"revoked_by,omitempty"`
	Token     string     `json:"token,omitempty"`
}

const adminTokensPath = "/admin/v1/admin-tokens" //nolint:gosec // a path, not a secret

func (c *cli) adminTokensCommand() *cobra.Command {
	return group("admin-tokens", "Keep the tokens of the admin API, each with a role", c.adminTokensCreate(), c.adminTokensList(), c.adminTokensRevoke())
}

func (c *cli) adminTokensCreate() *cobra.Command {
	var role string
	var life time.Duration
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make an admin token; it is shown this once",
		Long: `Makes an admin token. The roles: viewer looks; operator also revokes, ends
sessions, edits ordinary users and explains tokens; admin may do everything.`,
		Example: "  tollgate admin-tokens create on-call --role operator --expires 720h\n  tollgate admin-tokens create dashboard --role viewer -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"name": args[0], "role": role}
			switch {
			case life < 0:
				return exitWith(exitUsage, "--expires is a duration such as 720h")
			case life > 0:
				body["expires_at"] = time.Now().Add(life).UTC().Truncate(time.Second)
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			var item adminTokenItem
			if err := admin.call(cmd.Context(), http.MethodPost, adminTokensPath, body, &item); err != nil {
				return err
			}
			return c.printAdminTokens(item, []adminTokenItem{item})
		},
	}
	cmd.Flags().StringVar(&role, "role", "viewer", "viewer, operator or admin")
	cmd.Flags().DurationVar(&life, "expires", 0, "how long it is good; 0: until it is revoked")
	return cmd
}

func (c *cli) adminTokensList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the admin tokens, but for that of the configuration", Example: "  tollgate admin-tokens list -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			all, err := list[adminTokenItem](cmd.Context(), admin, adminTokensPath, nil)
			if err != nil {
				return err
			}
			if all == nil {
				all = []adminTokenItem{}
			}
			return c.printAdminTokens(all, all)
		},
	}
}

func (c *cli) adminTokensRevoke() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "Revoke an admin token, at once", Example: "  tollgate admin-tokens revoke 0123456789abcdef --yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			if err := c.confirm(yes, "This admin token will be refused at once, and its log-ins to the console end. What it has done stays."); err != nil {
				return err
			}
			var item adminTokenItem
			if err := admin.call(cmd.Context(), http.MethodDelete, adminTokensPath+"/"+url.PathEscape(args[0]), nil, &item); err != nil {
				return err
			}
			return c.printAdminTokens(item, []adminTokenItem{item})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) printAdminTokens(asJSON any, all []adminTokenItem) error {
	head := []string{"ID", "NAME", "ROLE", "STATE", "CREATED", "BY", "EXPIRES", "LAST USED"}
	var rows [][]string
	for _, i := range all {
		expires := when(i.ExpiresAt)
		if i.ExpiresAt == nil {
			expires = "never"
		}
		row := []string{i.ID, i.Name, i.Role, i.State, when(i.CreatedAt), i.CreatedBy, expires, when(i.LastUsed)}
		if i.Token != "" {
			head, row = append(head, "TOKEN"), append(row, i.Token)
		}
		rows = append(rows, row)
	}
	return c.print(asJSON, head, rows)
}
