package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/issuer/users"
)

const demoUser = "demo"

func (c *cli) devCommand() *cobra.Command {
	var script bool
	cmd := &cobra.Command{
		Use: "dev", Short: "Try it: everything in one process, nothing to install, nothing kept",
		Long: `Run issuer, gateway, admin API, a Redis in memory and a small sample back end in one
process on loopback, with a demo user, and print four lines to paste: log in, call,
revoke, call again. Nothing is kept, and it is not for production.

TOLLGATE_LISTEN, TOLLGATE_ADMIN_LISTEN and TOLLGATE_OPS_LISTEN may move the listeners
on loopback; the lives of tokens and the like can be set as for "tollgate serve".

With --script free ports are taken, the four steps are run at once, their transcript
is printed, and the exit code is 0 only when each answer was the expected one.`,
		Example: "  tollgate dev\n  tollgate dev --script", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.dev(cmd.Context(), script) },
	}
	cmd.Flags().BoolVar(&script, "script", false, "run the four steps, print the transcript, exit")
	return cmd
}

// demo is a running dev system with what is needed to use it.
type demo struct {
	app      *app
	public   string
	control  string
	ops      string
	upstream string
	password string
	admin    string
}

func (c *cli) dev(ctx context.Context, script bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, err := c.openDemo(ctx, script)
	if err != nil {
		return err
	}
	running := make(chan error, 1)
	go func() { running <- d.app.run(ctx) }()
	if !script {
		d.banner(c.out)
		return <-running
	}
	err = d.script(ctx, c.out)
	cancel()
	return errors.Join(err, <-running)
}

func (c *cli) openDemo(ctx context.Context, script bool) (_ *demo, err error) {
	d := &demo{password: rand.Text()[:12], admin: rand.Text()}
	sample, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, exitWith(exitRefused, "start the sample back end: %w", err)
	}
	server := &http.Server{Handler: sampleUpstream(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(sample) }() // ends with Close
	d.upstream = "http://" + sample.Addr().String()
	stop := func() { _ = server.Close() }
	defer func() {
		if err != nil {
			stop()
		}
	}()
	config, err := devConfig(d, script)
	if err != nil {
		return nil, err
	}
	log, err := newLog(c.err, config)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if d.app, err = openApp(ctx, config, log); err != nil {
		return nil, err
	}
	d.app.closeOthers = append(d.app.closeOthers, stop)
	d.public, d.control, d.ops = d.app.url(publicListener), d.app.url(adminListener), d.app.url(opsListener)
	_, err = d.app.users.Add(ctx, users.New{Username: demoUser, Password: d.password, Email: "demo@example.com", IsActive: true})
	if err != nil {
		d.app.close()
		return nil, exitWith(exitRefused, "add the demo user: %w", err)
	}
	return d, nil
}

// devConfig reads the settings with those of dev in their place. What would reach
// outside of this process is never taken from the environment: a dev run must not
// write into the Redis that a shell happens to be set up for.
func devConfig(d *demo, script bool) (*Config, error) {
	own := map[string]string{
		"TOLLGATE_REDIS_URL": "embedded:", "TOLLGATE_KEY_STORE": "redis", "TOLLGATE_UPSTREAM": d.upstream, "TOLLGATE_ADMIN_TOKEN": d.admin,
		"TOLLGATE_ENABLE_GATEWAY": "true", "TOLLGATE_ENABLE_ISSUER": "true", "TOLLGATE_ENABLE_ADMIN": "true",
	}
	for _, unset := range []string{"TOLLGATE_ROUTES_FILE", "TOLLGATE_REDIS_USERNAME", "TOLLGATE_REDIS_PASSWORD", "TOLLGATE_REDIS_CA_FILE", "TOLLGATE_KEY_ENCRYPTION_KEY", "TOLLGATE_ISSUER_HOSTS", "TOLLGATE_TRUSTED_ISSUERS_FILE", "TOLLGATE_API_PREFIX", "TOLLGATE_AUTH_HEADER_TYPES", "TOLLGATE_USER_ID_CLAIM", "TOLLGATE_USER_ID_FIELD",
		"TOLLGATE_USERS", "TOLLGATE_USERS_SECRET", "TOLLGATE_USERS_CA_FILE", "TOLLGATE_USERS_CERT_FILE", "TOLLGATE_USERS_KEY_FILE", "TOLLGATE_LOGIN_FIELD",
		"TOLLGATE_TLS_CERT_FILE", "TOLLGATE_TLS_KEY_FILE", "TOLLGATE_HSTS"} {
		own[unset] = ""
	}
	defaults := map[string]string{"TOLLGATE_ISSUER": "http://127.0.0.1:8080", "TOLLGATE_LISTEN": "127.0.0.1:8080"}
	if script {
		for _, name := range []string{"TOLLGATE_LISTEN", "TOLLGATE_ADMIN_LISTEN", "TOLLGATE_OPS_LISTEN"} {
			own[name] = "127.0.0.1:0"
		}
		own["TOLLGATE_LOG_LEVEL"] = "error"
		own["TOLLGATE_ACCESS_LOG"] = "false"
	}
	for name, value := range own {
		if err := errors.Join(os.Setenv(name, value), os.Unsetenv(name+"_FILE")); err != nil {
			return nil, exitWith(exitUsage, "%w", err)
		}
	}
	config, err := loadConfig(defaults)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	for name, a := range map[string]*Address{
		"TOLLGATE_LISTEN": &config.Listeners.Listen, "TOLLGATE_ADMIN_LISTEN": &config.Listeners.AdminListen, "TOLLGATE_OPS_LISTEN": &config.Listeners.OpsListen,
	} {
		if a.Value == "" || !a.loopback() {
			return nil, exitWith(exitUsage, "%s: dev listens on loopback only (127.0.0.1:PORT)", name)
		}
	}
	return config, nil
}

func (d *demo) banner(w io.Writer) {
	devWarning(w)
	fmt.Fprintf(w, `  gateway and issuer  %s
  admin API           %s   (token %s)
  console             %s   (log in with that token)
  health and metrics  %s
  sample back end     %s

  user %s, password %s

Paste these, one after the other:

%s
`, d.public, d.control, d.admin, d.control, d.ops, d.upstream, demoUser, d.password, strings.Join(d.lines(), "\n\n"))
}

// lines are the four steps for a shell, with the values of this run.
func (d *demo) lines() []string {
	call := fmt.Sprintf(`curl -i %s/hello -H "Authorization: Bearer $TOKEN" -H "X-User-Id: forged"`, d.public)
	return []string{
		fmt.Sprintf(`TOKEN=$(curl -s %s/api/token/ -d username=%s -d password=%s | sed 's/.*"access":"\([^"]*\)".*/\1/'); echo "$TOKEN"`, d.public, demoUser, d.password),
		call,
		fmt.Sprintf(`curl -i %s/admin/v1/revocations -H "Authorization: Bearer %s" -d "{\"kind\":\"token\",\"value\":\"$TOKEN\",\"reason\":\"trying it out\"}"`, d.control, d.admin),
		call,
	}
}
