package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"tollgate/gateway"
	"tollgate/internal/telemetry"
	"tollgate/keys/remote"
)

// How long the doctor waits.
const (
	doctorRedisPing = 5 * time.Second  // for Redis's first answer
	doctorPatience  = 10 * time.Second // for everything that it asks Redis
)

func (c *cli) doctorCommand() *cobra.Command {
	var strict, online bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look at the configuration and everything that it names, and say what is wrong and what to do",
		Long: `Look at the configuration, as serve would read it from TOLLGATE_* variables, and at
everything that it names: files, listeners, Redis, the store of revocations, users,
the keys, trusted issuers and routes. For each finding it says what it is, what it
means and what to do. It changes nothing.

Exit 0: no finding of level error. 1: at least one (with --strict: a warning will
do). 2: faults of the configuration, all listed. 3: Redis cannot be reached; the
rest is looked at nevertheless.

With --online the key sets of trusted issuers are fetched, and connections to the
upstreams are opened.`,
		Example: "  tollgate doctor\n  tollgate doctor --online --strict -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, table, specs, err := readAll(nil)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			// Process-wide: go-redis would print the errors of its pools to stderr.
			redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)})
			d := &doctor{config: config, table: table, specs: specs, online: online, now: time.Now}
			verdict := d.examine(cmd.Context())
			if err := c.show(d.report()); err != nil {
				return err
			}
			return d.exit(verdict, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "exit 1 with warnings, too")
	cmd.Flags().BoolVar(&online, "online", false, "also fetch the keys of trusted issuers and connect to the upstreams")
	return cmd
}

// show prints a report in the format that was asked for.
func (c *cli) show(r *report) error {
	if c.output == "json" {
		return c.print(r, nil, nil)
	}
	return r.write(c.out)
}

// doctor looks at what a configuration names. It writes nothing, anywhere.
type doctor struct {
	config *Config
	table  *gateway.Table // nil without the gateway role
	specs  []remote.Spec
	online bool
	now    func() time.Time

	clients  *redisClients // nil unless Redis answers, while examine runs
	findings []finding
	looked   []string
}

func (d *doctor) add(all ...finding) { d.findings = append(d.findings, all...) }

// look notes that a group was looked at.
func (d *doctor) look(group string) { d.looked = append(d.looked, group) }

func (d *doctor) report() *report { return newReport(d.findings, d.looked) }

// examine looks at everything. Its error is Redis's, with the exit code.
func (d *doctor) examine(ctx context.Context) error {
	d.settings()
	d.files()
	d.certificates()
	d.listeners(ctx)
	err := d.behindRedis(ctx)
	if d.clients != nil {
		defer func() { _ = d.clients.Close() }()
		d.store(ctx)
	}
	d.ownKeys(ctx)
	d.issuers(ctx)
	d.upstreams(ctx)
	return err
}

// settings repeats the warnings of the configuration.
func (d *doctor) settings() {
	d.look("configuration")
	for _, w := range d.config.Warnings {
		d.add(finding{
			Level: levelWarning, Check: "configuration.warning", Found: w,
			Meaning: "it is no fault, but probably not what was meant",
			Do:      `compare it with "tollgate config print" and "tollgate config env"`,
		})
	}
}

// behindRedis looks at Redis. The clients are there afterwards when it answers.
func (d *doctor) behindRedis(ctx context.Context) error {
	d.look("redis")
	s := &d.config.Redis
	if s.URL.Embedded() {
		d.add(finding{
			Level: levelWarning, Check: "redis.embedded", Found: "TOLLGATE_REDIS_URL is embedded:",
			Meaning: "users, sessions, keys and revocations end with the process, and no other process can have them",
			Do:      "name a Redis, except for trying out",
		})
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	clients, err := openRedis(s, nil)
	if err != nil {
		return err
	}
	if err := d.reach(ctx, clients); err != nil {
		_ = clients.Close()
		return err
	}
	d.clients = clients
	d.add(newRedisDoctor(d.config, clients, d.now).examine(ctx)...)
	return nil
}

// reach asks Redis for its first answer.
func (d *doctor) reach(ctx context.Context, clients *redisClients) error {
	s := &d.config.Redis
	ctx, cancel := context.WithTimeout(ctx, doctorRedisPing)
	defer cancel()
	err := clients.Slow.Ping(ctx).Err()
	switch {
	case err == nil:
		return nil
	case refusesCredentials(err):
		d.add(finding{
			Level: levelError, Check: "redis.credentials", Where: s.name(), Found: "Redis refuses the user or the password",
			Meaning: "nothing works without Redis: the start is refused",
			Do:      "check TOLLGATE_REDIS_USERNAME and TOLLGATE_REDIS_PASSWORD, which come before those in TOLLGATE_REDIS_URL",
		})
		return badCredentials(d.config)
	case redis.HasErrorPrefix(err, "NOPERM"):
		return nil // it answers; what else this user may not do is seen by and by
	}
	d.add(finding{
		Level: levelError, Check: "redis.reach", Where: s.name(), Found: "it does not answer: " + telemetry.Scrub(err.Error()),
		Meaning: "serve waits 15s for it and then ends with exit code 3; while it runs, whatever needs Redis is 503. The store, the users and keys in Redis were not looked at",
		Do:      "check TOLLGATE_REDIS_URL, that the server runs, and that this machine may connect to it (TLS: rediss://)",
	})
	return exitWith(exitUnreachable, "Redis (%s) cannot be reached: %w", s.name(), err)
}

// exit turns what was found into the command's exit code; the report was shown.
func (d *doctor) exit(verdict error, strict bool) error {
	r := d.report()
	switch {
	case verdict != nil:
		return verdict
	case r.Errors > 0:
		return exitWith(exitRefused, "%s found", plural(r.Errors, "error"))
	case strict && r.Warnings > 0:
		return exitWith(exitRefused, "%s found (--strict)", plural(r.Warnings, "warning"))
	}
	return nil
}
