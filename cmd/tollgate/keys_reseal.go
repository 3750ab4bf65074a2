package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tollgate/keys/ring"
)

func (c *cli) keysReseal() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "reseal", Short: "Seal the ring anew under the first of TOLLGATE_KEY_ENCRYPTION_KEY",
		Long: `Seal the ring anew, in the key store that TOLLGATE_* names, under the first key of
TOLLGATE_KEY_ENCRYPTION_KEY. To change that key without a pause:

  1. restart every instance with OLD,NEW   (each can open what the others will seal)
  2. restart every instance with NEW,OLD
  3. TOLLGATE_KEY_ENCRYPTION_KEY=NEW,OLD tollgate keys reseal --yes
  4. restart every instance with NEW

` + auditedHelp,
		Example: "  tollgate keys reseal --yes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.confirm(yes, "The key ring is written anew. An instance without the first sealing key cannot read it from then on."); err != nil {
				return err
			}
			k, err := openKeys()
			if err != nil {
				return err
			}
			defer k.close()
			var r ring.Ring
			err = k.audited(cmd.Context(), c.err, actionReseal, "ring", k.Issuer, func() error {
				r, err = ring.Reseal(cmd.Context(), k.Config)
				return ringStoreError(err)
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.out, "the ring of %s is sealed anew, as version %d\n", r.Issuer, r.Version)
			return err
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}
