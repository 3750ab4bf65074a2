package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
)

func (c *cli) healthcheckCommand() *cobra.Command {
	var live bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Ask the ops listener whether this instance is ready (for HEALTHCHECK and exec probes)",
		Long: `Ask the ops listener (TOLLGATE_OPS_LISTEN, default 127.0.0.1:9000) whether this
instance is ready. Exit 0: ready. 1: it says no. 3: it cannot be reached.`,
		Example: "  tollgate healthcheck\n  tollgate healthcheck --live -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listen, set := os.LookupEnv("TOLLGATE_OPS_LISTEN")
			if !set {
				listen = "127.0.0.1:9000"
			}
			if listen == "" {
				return exitWith(exitUsage, "TOLLGATE_OPS_LISTEN is empty: the ops listener is off, there is nobody to ask")
			}
			address, err := dialable(listen)
			if err != nil {
				return exitWith(exitUsage, "TOLLGATE_OPS_LISTEN is not host:port")
			}
			path := "/readyz"
			if live {
				path = "/livez"
			}
			where := "http://" + address + path
			err = c.probe(cmd.Context(), where, timeout)
			return errors.Join(err, c.printHealth(where, err))
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask whether the process lives instead of whether it is ready")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	return cmd
}

func (c *cli) probe(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return exitWith(exitUsage, "%w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return exitWith(exitUnreachable, "%s cannot be reached: is the server running?", url)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if res.StatusCode != http.StatusOK {
		return exitWith(exitRefused, "%s answered %s\n%s", url, res.Status, text)
	}
	return nil
}

// checkup is what an instance says of itself.
type checkup struct {
	OK    bool   `json:"ok"`
	Asked string `json:"asked"` // URL
	Fault string `json:"fault,omitempty"`
}

func (c *cli) printHealth(where string, fault error) error {
	switch {
	case c.output == "json" && fault != nil:
		return c.print(checkup{Asked: where, Fault: fault.Error()}, nil, nil)
	case c.output == "json":
		return c.print(checkup{OK: true, Asked: where}, nil, nil)
	case fault != nil:
		return nil
	}
	_, err := fmt.Fprintln(c.out, "ok")
	return err
}
