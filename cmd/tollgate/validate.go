package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"tollgate/gateway"
)

func (c *cli) validateCommand() *cobra.Command {
	var online bool
	cmd := &cobra.Command{
		Use: "validate", Short: "Check the configuration and the routes with the code that starts the server",
		Long: `Check the configuration and the routes with the code that starts the server.
Exit 0: nothing wrong. 2: faults, all listed. With --online Redis and the upstreams
are asked too; exit 3 when one cannot be reached, 2 when Redis refuses the
credentials. tollgate doctor looks at more.`,
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
	redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)}) // its dials are told of as a whole
	clients, err := openRedis(&config.Redis, nil)
	if err != nil {
		return err
	}
	defer func() { _ = clients.Close() }()
	err = clients.Slow.Ping(ctx).Err()
	switch {
	case err == nil, redis.HasErrorPrefix(err, "NOPERM"): // it answers
	case refusesCredentials(err):
		return badCredentials(config)
	default:
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
