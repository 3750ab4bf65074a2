package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

type revocationItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Value     string     `json:"value"`
	Issuer    string     `json:"issuer"`
	Subject   string     `json:"subject,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Actor     string     `json:"actor,omitempty"`
	RevokedAt *time.Time `json:"revoked_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	UndoneAt  *time.Time `json:"undone_at,omitempty"`
	Edges     *edgeCount `json:"edges,omitempty"`
	Warning   string     `json:"warning,omitempty"`
}

// revocable is what a revocation can be about, with what it will cost.
type revocable struct{ kind, use, short, plan string }

func revocables() []revocable {
	return []revocable{
		{"jti", "jti JTI", "One token, by its jti", "This token will be refused everywhere."},
		{"session", "session SID", "One log-in: its refresh token and every access token", "This session will end: refresh stops, its access tokens are refused everywhere."},
		{"subject", "subject SUB", "Every session of a user up to now", "Every session of this user that began before now will end. A log-in after that is not affected."},
		{"key", "key KID", "Every token that a key has signed", "Every token signed by this key will be refused for good; if it is the active key the pending one signs from now on."},
		{"all", "all", "Every token of an issuer up to now", "Every session of the issuer that began before now will end: everybody logs in again."},
		{"token", "token -", "A whole token, from standard input", "The token (or, for a refresh token, its session) will be refused everywhere."},
	}
}

func (c *cli) revokeCommand() *cobra.Command {
	var children []*cobra.Command
	for _, r := range revocables() {
		children = append(children, c.revokeKind(r))
	}
	return group("revoke", "Revoke a token, a session, a user's sessions, a key, or everything", children...)
}

func (c *cli) revokeKind(r revocable) *cobra.Command {
	var reason, issuer string
	var wait time.Duration
	var yes bool
	args := cobra.ExactArgs(1)
	if r.kind == "all" {
		args = cobra.NoArgs
	}
	cmd := &cobra.Command{
		Use: r.use, Short: r.short, Args: args,
		Example: "  tollgate revoke " + r.use + " --reason 'laptop stolen' --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"kind": r.kind, "reason": reason}
			if len(args) == 1 {
				body["value"] = args[0]
			}
			if issuer != "" {
				body["issuer"] = issuer
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			if wait != 0 {
				body["wait"] = wait.String()
				admin.http.Timeout += max(wait, 0)
			}
			if err := c.confirm(yes, r.plan); err != nil {
				return err
			}
			if r.kind == "token" {
				if args[0] != "-" {
					return exitWith(exitUsage, "give the token on standard input and '-' as argument: arguments can be read by every process of the machine")
				}
				if body["value"], err = c.secretFromStdin("token"); err != nil {
					return err
				}
			}
			var item revocationItem
			if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/revocations", body, &item); err != nil {
				return err
			}
			if err := c.printRevocations(item, []revocationItem{item}); err != nil {
				return err
			}
			if item.Warning != "" {
				fmt.Fprintln(c.err, "warning: "+shownInTerminal(item.Warning))
			}
			if wait > 0 {
				c.tellEdges(item.Edges)
			}
			if r.kind == "subject" && issuer == "" {
				c.tellNamesake(cmd.Context(), admin, args[0])
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the list")
	cmd.Flags().StringVar(&issuer, "issuer", "", "the issuer it concerns (default: ours)")
	cmd.Flags().DurationVar(&wait, "wait", 0, "answer when every edge has it, or after this long (such as 2s; at most 30s)")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (c *cli) revocationsCommand() *cobra.Command {
	var kind, subject, issuer string
	cmd := &cobra.Command{
		Use: "list", Short: "List what is revoked, newest first", Example: "  tollgate revocations list --kind session --subject 42", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			query := url.Values{}
			for name, value := range map[string]string{"kind": kind, "subject": subject, "issuer": issuer} {
				if value != "" {
					query.Set(name, value)
				}
			}
			all, err := list[revocationItem](cmd.Context(), admin, "/admin/v1/revocations", query)
			if err != nil {
				return err
			}
			return c.printRevocations(all, all)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "jti, session, subject, key, all or signed")
	cmd.Flags().StringVar(&subject, "subject", "", "a user's id")
	cmd.Flags().StringVar(&issuer, "issuer", "", "whose tokens (default: every issuer's)")
	completes(cmd, "kind", "jti", "session", "subject", "key", "all", "signed")
	return group("revocations", "Look at what is revoked", cmd)
}

func (c *cli) printRevocations(asJSON any, all []revocationItem) error {
	var rows [][]string
	for _, r := range all {
		expires := when(r.ExpiresAt)
		if r.ExpiresAt == nil {
			expires = "never"
		}
		state := "in force"
		if r.UndoneAt != nil {
			state = fmt.Sprintf("undone %s", when(r.UndoneAt))
		}
		rows = append(rows, []string{r.ID, r.Kind, r.Value, r.Subject, when(r.RevokedAt), expires, state, r.Reason, r.Actor})
	}
	return c.print(asJSON, []string{"ID", "KIND", "VALUE", "SUBJECT", "REVOKED", "EXPIRES", "STATE", "REASON", "BY"}, rows)
}
