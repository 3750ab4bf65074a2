package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

func (c *cli) keysCommand() *cobra.Command {
	return group("keys", "Look at and turn the key ring", c.keysList(), c.keysRotate(), c.keysRetire(), c.keysRevoke(),
		c.keysImport(), c.keysExport(), c.keysReseal(), c.keysJWKS())
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
			if !yes || now {
				plan, err := c.rotationPlan(cmd, now)
				if err != nil {
					return err
				}
				if yes {
					fmt.Fprintln(c.err, plan)
				}
				if err := c.confirm(yes, plan); err != nil {
					return err
				}
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

func (c *cli) keysJWKS() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "jwks", Short: "Print the published key set", Example: "  tollgate keys jwks --url http://127.0.0.1:8080", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public := &adminClient{base: from, public: true, http: &http.Client{Timeout: 10 * time.Second}}
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
