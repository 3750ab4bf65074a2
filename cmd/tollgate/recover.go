package main

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) recoverCommand() *cobra.Command {
	var acceptLoss, endAll, yes bool
	var issuers []string
	var reason string
	cmd := &cobra.Command{
		Use: "recover --accept-loss | --end-all", Short: "Let old tokens in again after the revocation store has lost what it held",
		Long: `After a loss, tokens from before it answer 503 until a process that knew all
revocations has put them back. When no such process is left, a person decides:

  --accept-loss  what was lost counts as never revoked
  --end-all      every session ends first: clients get 401 and log in again`,
		Example: "  tollgate doctor\n  tollgate recover --end-all --reason 'Redis lost its disk' --yes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if acceptLoss == endAll {
				return exitWith(exitUsage, "say either --accept-loss or --end-all")
			}
			if acceptLoss && len(issuers) > 0 {
				return exitWith(exitUsage, "--issuer goes with --end-all")
			}
			admin, err := c.admin()
			if err != nil {
				return err
			}
			plan := "Tokens that were revoked before the loss, and are not known any more, will be accepted again."
			if endAll {
				plan = "Every session that began before now will end: everybody logs in again."
			}
			if err := c.confirm(yes, plan); err != nil {
				return err
			}
			var out struct {
				Mode    string   `json:"mode"`
				Issuers []string `json:"issuers,omitempty"`
			}
			body := map[string]any{"accept_loss": acceptLoss, "end_all": endAll, "issuers": issuers, "reason": reason}
			if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/recover", body, &out); err != nil {
				return err
			}
			return c.print(out, []string{"MODE", "SESSIONS ENDED OF"}, [][]string{{out.Mode, strings.Join(out.Issuers, ", ")}})
		},
	}
	cmd.Flags().BoolVar(&acceptLoss, "accept-loss", false, "take what was lost for never revoked")
	cmd.Flags().BoolVar(&endAll, "end-all", false, "end every session first")
	cmd.Flags().StringSliceVar(&issuers, "issuer", nil, "whose sessions end (default: of every trusted issuer)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the list")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}
