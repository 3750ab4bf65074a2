package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
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
	seen := map[string]bool{}
	for _, r := range table.Routes() {
		for _, raw := range r.Upstream.URLs() {
			if seen[raw] {
				continue
			}
			seen[raw] = true
			if err := dial(ctx, raw); err != nil {
				return exitWith(exitUnreachable, "upstream %s (%s) cannot be reached: %w", r.Upstream.Name(), raw, err)
			}
		}
	}
	return nil
}

func dial(ctx context.Context, raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}
