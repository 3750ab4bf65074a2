package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tollgate/gateway"
)

func (c *cli) validateCommand() *cobra.Command {
	var online bool
	cmd := &cobra.Command{
		Use: "validate", Short: "Check the configuration and the routes with the code that starts the server",
		Long: `Check the configuration and the routes with the code that starts the server.
Exit 0: nothing wrong. 2: faults, all listed. With --online Redis and the upstreams
are asked too; exit 3 when one cannot be reached.`,
		Example: "  tollgate validate --online", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, table, _, err := readAll(nil)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			for _, warning := range config.Warnings {
				fmt.Fprintln(c.err, "warning:", warning)
			}
			if online {
				if err := probeOnline(cmd.Context(), config, table); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintln(c.out, "the configuration is valid")
			return err
		},
	}
	cmd.Flags().BoolVar(&online, "online", false, "also ask Redis and the upstreams")
	return cmd
}

func probeOnline(ctx context.Context, config *Config, table *gateway.Table) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	clients, err := openRedis(&config.Redis, nil)
	if err != nil {
		return err
	}
	defer func() { _ = clients.Close() }()
	if err := clients.Slow.Ping(ctx).Err(); err != nil {
		return exitWith(exitUnreachable, "Redis (%s) does not answer: %w", config.Redis.name(), err)
	}
	if table == nil {
		return nil
	}
	for _, u := range unreachable(ctx, table) {
		return exitWith(exitUnreachable, "upstream %s (%s) cannot be reached: %w", u.name, u.url, u.err)
	}
	return nil
}
