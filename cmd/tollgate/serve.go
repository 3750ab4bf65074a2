package main

import (
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"tollgate/internal/telemetry"
)

func (c *cli) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the gateway, the issuer and the admin API, as configured",
		Long: `Run what TOLLGATE_ENABLE_GATEWAY, TOLLGATE_ENABLE_ISSUER and TOLLGATE_ENABLE_ADMIN
name (all by default), configured by TOLLGATE_* variables; "tollgate config env"
lists them. SIGTERM and SIGINT drain: readiness fails, the listeners close, requests
in flight finish within TOLLGATE_SHUTDOWN_TIMEOUT.`,
		Example: `  TOLLGATE_ISSUER=https://auth.example.com TOLLGATE_ADMIN_TOKEN_FILE=/run/secrets/admin \
  TOLLGATE_KEY_STORE=file:/var/lib/tollgate/keys TOLLGATE_UPSTREAM=http://127.0.0.1:8000 tollgate serve`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, _, err := readAll(nil)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			log, err := newLog(c.err, config)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			memory := tuneRuntime(log)
			a, err := openApp(cmd.Context(), config, log)
			if err != nil {
				return err
			}
			a.server.Support("memory limit", memory.Run)
			return a.run(cmd.Context())
		},
	}
}

func newLog(w io.Writer, c *Config) (*slog.Logger, error) {
	log, err := telemetry.NewLogger(w, telemetry.LogOptions{Level: c.Observe.LogLevel.Value, Format: c.Observe.LogFormat.Value})
	if err != nil {
		return nil, err
	}
	for _, warning := range c.Warnings {
		log.Warn("configuration", "warning", warning)
	}
	return log, nil
}
