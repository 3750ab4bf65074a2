package main

import (
	"context"
	"errors"
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
credentials, 1 when it answers and tollgate cannot do its work with it: a replica,
a user who may not write, memory that is full or may be evicted, and the like.
tollgate doctor looks at more.`,
		Example: "  tollgate validate --online\n  tollgate validate -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, table, _, err := readAll(nil)
			switch {
			case err != nil:
				err = &exitError{exitUsage, err}
			case online:
				err = probeOnline(cmd.Context(), config, table)
			}
			return errors.Join(err, c.printValidity(config, err))
		},
	}
	cmd.Flags().BoolVar(&online, "online", false, "also ask Redis and the upstreams")
	return cmd
}

// validity is what validate has found.
type validity struct {
	Valid    bool     `json:"valid"`
	Warnings []string `json:"warnings"`
	Fault    string   `json:"fault,omitempty"`
}

// printValidity shows what was found; a fault is told as every other error too.
func (c *cli) printValidity(config *Config, fault error) error {
	if c.output == "json" {
		v := validity{Valid: fault == nil, Warnings: append([]string{}, config.Warnings...)}
		if fault != nil {
			v.Fault = fault.Error()
		}
		return c.print(v, nil, nil)
	}
	if codeOf(fault) != exitUsage {
		for _, warning := range config.Warnings {
			fmt.Fprintln(c.err, "warning:", warning)
		}
	}
	if fault != nil {
		return nil
	}
	_, err := fmt.Fprintln(c.out, "the configuration is valid")
	return err
}

func probeOnline(ctx context.Context, config *Config, table *gateway.Table) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)}) // its dials are told of as a whole
	d := &doctor{config: config, now: time.Now}
	err := d.behindRedis(ctx)
	if d.clients != nil {
		defer func() { _ = d.clients.Close() }()
		err = d.serves(ctx)
	}
	if err != nil {
		return err
	}
	if table == nil {
		return nil
	}
	for _, u := range unreachable(ctx, table) {
		return exitWith(exitUnreachable, "upstream %s (%s) cannot be reached: %w", u.name, u.url, u.err)
	}
	return nil
}
