package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) unrevokeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "unrevoke ID", Short: "Undo a revocation, by the id that it was given",
		Long: `Undo a revocation, by the id that it was given: what it refused is let through
again. At a terminal it shows the revocation and asks first, but for --yes. A script
is not asked and needs no --yes: what was undone can be revoked anew.`,
		Example: "  tollgate revocations list\n  tollgate unrevoke 5f3c…-1795…", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			admin, err := c.admin()
			if err != nil {
				return err
			}
			path := "/admin/v1/revocations/" + url.PathEscape(args[0])
			if !yes && c.asks() {
				plan, err := undoing(cmd.Context(), admin, path)
				if err != nil {
					return err
				}
				if err := c.confirm(false, plan); err != nil {
					return err
				}
			}
			var item revocationItem
			if err := admin.call(cmd.Context(), http.MethodDelete, path, nil, &item); err != nil {
				return err
			}
			return c.printRevocations(item, []revocationItem{item})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

// undoing says what the end of a revocation means.
func undoing(ctx context.Context, admin *adminClient, path string) (string, error) {
	var r revocationItem
	if err := admin.call(ctx, http.MethodGet, path, nil, &r); err != nil {
		return "", err
	}
	if r.UndoneAt != nil {
		return "It was undone on " + when(r.UndoneAt) + " already: nothing will change.", nil
	}
	lines := []string{"What this revocation refuses will be let through again:"}
	for _, line := range [][2]string{{"kind", r.Kind}, {"value", r.Value}, {"issuer", r.Issuer}, {"revoked", when(r.RevokedAt)}, {"reason", r.Reason}, {"by", r.Actor}} {
		if line[1] != "" {
			lines = append(lines, fmt.Sprintf("  %-8s %s", line[0], shownInTerminal(line[1])))
		}
	}
	switch r.Kind {
	case "session":
		lines = append(lines, "A session of ours stays ended: it is for access tokens that have not expired.")
	case "subject", "all":
		n, err := otherCutOffs(ctx, admin, r)
		if err != nil {
			return "", err
		}
		lines = append(lines, are(n, "other cut-off")+" in force for the same.")
	}
	return strings.Join(lines, "\n"), nil
}

// otherCutOffs counts the statements that go on refusing what r refuses, at least up to
// their own time.
func otherCutOffs(ctx context.Context, admin *adminClient, r revocationItem) (int, error) {
	query := url.Values{"kind": {r.Kind}, "issuer": {r.Issuer}}
	if r.Subject != "" {
		query.Set("subject", r.Subject)
	}
	all, err := list[revocationItem](ctx, admin, "/admin/v1/revocations", query)
	n := 0
	for _, o := range all {
		if o.ID != r.ID && o.Value == r.Value && o.UndoneAt == nil {
			n++
		}
	}
	return n, err
}
