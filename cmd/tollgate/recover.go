package main

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// recovery is what a recovery does or would do.
type recovery struct {
	Mode     string   `json:"mode"`
	Issuers  []string `json:"issuers,omitempty"`
	Accepted []string `json:"accepted,omitempty"`
}

// plan tells it to a person.
func (r recovery) plan() string {
	var lines []string
	if len(r.Issuers) > 0 {
		lines = append(lines, "Every session that began before now will end, and its user logs in again: "+shownInTerminal(strings.Join(r.Issuers, ", "))+".")
	}
	if len(r.Accepted) > 0 {
		lines = append(lines, "Tokens that were revoked before the loss, and are not known any more, will be accepted again: "+shownInTerminal(strings.Join(r.Accepted, ", "))+".")
	}
	return strings.Join(lines, "\n")
}

func (c *cli) recoverCommand() *cobra.Command {
	var acceptLoss, endAll, yes bool
	var issuers []string
	var reason string
	cmd := &cobra.Command{
		Use: "recover --accept-loss | --end-all", Short: "Let old tokens in again after the revocation store has lost what it held",
		Long: `After a loss, tokens from before it answer 503 until a process that knew all
revocations has put them back. When no such process is left, a person decides:

  --accept-loss  what was lost counts as never revoked
  --end-all      every session ends first: clients get 401 and log in again

The store vouches for all issuers or for none. With --end-all --issuer, where the
server trusts others too, say --accept-loss as well: it is for those not named.
Only the issuers that the server trusts are thought of; ask one that trusts all.`,
		Example: "  tollgate doctor\n  tollgate recover --end-all --reason 'Redis lost its disk' --yes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !endAll && len(issuers) > 0:
				return exitWith(exitUsage, "--issuer goes with --end-all")
			case acceptLoss == endAll && len(issuers) == 0:
				return exitWith(exitUsage, "say either --accept-loss or --end-all")
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			body := map[string]any{"accept_loss": acceptLoss, "end_all": endAll, "issuers": issuers, "reason": reason}
			var out recovery
			if !yes {
				if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/recover/check", body, &out); err != nil {
					return err
				}
			}
			if err := c.confirm(yes, out.plan()); err != nil {
				return err
			}
			out = recovery{}
			if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/recover", body, &out); err != nil {
				return err
			}
			return c.print(out, []string{"MODE", "SESSIONS ENDED OF", "LOSS ACCEPTED FOR"}, [][]string{{out.Mode, strings.Join(out.Issuers, ", "), strings.Join(out.Accepted, ", ")}})
		},
	}
	cmd.Flags().BoolVar(&acceptLoss, "accept-loss", false, "take what was lost for never revoked")
	cmd.Flags().BoolVar(&endAll, "end-all", false, "end every session first")
	cmd.Flags().StringSliceVar(&issuers, "issuer", nil, "whose sessions end (default: of every trusted issuer)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the list")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}
