package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"tollgate/gateway"
)

func (c *cli) routesCommand() *cobra.Command {
	return group("routes", "Look at the routes, and ask which takes a request", c.routesList(), c.routesCheck())
}

// table reads the routes of the configuration in the environment.
func (c *cli) table() (*gateway.Table, error) {
	config, err := loadConfig(nil)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	t, _, err := routes(config)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if t == nil {
		return nil, exitWith(exitUsage, "there are no routes without the gateway role (TOLLGATE_ENABLE_GATEWAY)")
	}
	return t, nil
}

func (c *cli) routesList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the routes: of the files, or with --server of the running system",
		Example: "  tollgate routes list\n  tollgate routes list --server http://127.0.0.1:8081", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := []gateway.Description{}
			if cmd.Flags().Changed("server") {
				admin, err := c.admin()
				if err != nil {
					return err
				}
				if all, err = list[gateway.Description](cmd.Context(), admin, "/admin/v1/routes", url.Values{}); err != nil {
					return err
				}
			} else {
				t, err := c.table()
				if err != nil {
					return err
				}
				for _, r := range t.Routes() {
					all = append(all, r.Describe())
				}
			}
			return c.printRoutes(all, all)
		},
	}
}

func (c *cli) routesCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check METHOD URL", Short: "Say which route takes a request, with which policy, and why",
		Long: `Say which route takes a request, with which policy, and why, and why those that
come nearest beside it do not, with the code that serves requests: of the files, or
with --server of the running system. Exit 0: a
route takes it. 1: it would be refused before its token is looked at.`,
		Example: "  tollgate routes check GET https://shop.example.com/api/orders", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var f gateway.Finding
			if cmd.Flags().Changed("server") {
				admin, err := c.admin()
				if err != nil {
					return err
				}
				if err := admin.call(cmd.Context(), http.MethodPost, "/admin/v1/routes/check", map[string]string{"method": args[0], "url": args[1]}, &f); err != nil {
					return err
				}
			} else {
				t, err := c.table()
				if err != nil {
					return err
				}
				if f, err = t.Check(args[0], args[1]); err != nil {
					return exitWith(exitUsage, "%w", err)
				}
			}
			return c.printFinding(f)
		},
	}
}
