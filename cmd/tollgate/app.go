package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/gateway"
	"tollgate/internal/problem"
	"tollgate/internal/server"
	"tollgate/internal/telemetry"
	"tollgate/issuer"
	"tollgate/issuer/session"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/ring"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// app is the whole program, wired. Opening, running and closing are separate, so
// that a test can start the real thing in its own process.
type app struct {
	config      *Config
	log         *slog.Logger
	metrics     *telemetry.Metrics
	redis       *redisClients
	hot, slow   *revocation.Redis // the same store by two clients
	revocations revocations
	ring        *ring.Manager   // nil without the issuer role
	users       *users.Redis    // nil unless they are kept in Redis
	directory   users.Directory // who may log in; nil without the issuer role
	usersLoop   func(context.Context) error
	sessions    *session.Store
	status      *statuslist.Lists // nil without status lists
	clients     *store.Clients
	verifier    *token.Verifier  // believes everybody who is trusted
	ownVerifier *token.Verifier  // believes our own issuer alone; nil without the issuer role
	inspector   *token.Verifier  // the same for tokens of any audience
	issuer      *issuer.Issuer   // nil without the issuer role
	gateway     *gateway.Gateway // nil without the gateway role
	reloader    *reloader
	server      *server.Server
	audit       *store.Audit
	events      *store.AuditQueue
	instance    string
	health      *health
	tracer      *telemetry.Tracer // nil: no spans are made
	closeOthers []func()
}

// startTimeout is how long a start waits for Redis before it gives up (exit 3).
const startTimeout = 15 * time.Second

// openApp wires the program and blocks until it could serve: the store answers,
// the keys are loaded, the listeners are open.
func openApp(ctx context.Context, c *Config, log *slog.Logger) (_ *app, err error) {
	v := versionOf()
	a := &app{config: c, log: log, metrics: telemetry.NewMetrics(telemetry.Build{Version: v.Version, Revision: v.Revision}), instance: instanceName()}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	files, err := readFiles(c)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	// Process-wide, and the only such setting there is: go-redis would print the
	// errors of its pools to stderr past the log.
	redis.SetLogger(redisLog{log})
	// net/http writes bytes that a back end sent unasked, which may be somebody's
	// answer, to the standard logger; what matters of it is logged by others.
	stdlog.SetOutput(io.Discard)
	if err := a.openTracer(ctx); err != nil {
		return nil, err
	}
	if a.redis, err = openRedis(&c.Redis, a.metrics.RedisError); err != nil {
		return nil, err
	}
	a.redis.timed(a.metrics.RedisTook)
	if err := a.openStores(ctx, files.table); err != nil {
		return nil, err
	}
	if err := a.openVerifier(); err != nil {
		return nil, err
	}
	if err := a.openServers(files.table); err != nil {
		return nil, err
	}
	if err := a.openReloader(ctx, files); err != nil {
		return nil, err
	}
	if err := a.startRevocations(ctx); err != nil {
		return nil, err
	}
	if err := a.metrics.Register(a.collectors()...); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if err := a.server.Listen(); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return a, nil
}

// routes reads the routing table; nil without the gateway role. The files that the
// routes file names are there beside an error, too.
func routes(c *Config) (table *gateway.Table, files []string, err error) {
	if !c.Roles.Gateway.Value {
		return nil, nil, nil
	}
	d := gateway.Defaults{
		UserIDClaim: c.Tokens.UserIDClaim.Value, OnUnavailable: c.Revocation.OnUnavailable.Value, MaxStale: c.Revocation.MaxStale.Value,
		Cookie: c.Cookies.Name.Value, ImpersonationCookie: c.Cookies.ImpersonationName.Value, RefreshCookie: c.Cookies.RefreshName.Value, CORSOrigins: c.Listeners.CORSOrigins.Value,
	}
	if u := c.Routes.Upstream.Value; u != nil {
		if table, err = gateway.SingleRoute(u.String(), d); err != nil {
			return nil, nil, fmt.Errorf("TOLLGATE_UPSTREAM: %w", err)
		}
		return table, nil, nil
	}
	data, err := os.ReadFile(c.Routes.RoutesFile.Value)
	if err != nil {
		return nil, nil, fmt.Errorf("TOLLGATE_ROUTES_FILE: %w", err)
	}
	if table, files, err = gateway.ReadRoutesFiles(data, d); err != nil {
		return nil, files, fmt.Errorf("TOLLGATE_ROUTES_FILE %s: %w", c.Routes.RoutesFile.Value, err)
	}
	return table, files, nil
}

func (a *app) openStores(ctx context.Context, table *gateway.Table) error {
	c := a.config
	settings := revocationSettings(c)
	var err error
	if a.hot, err = revocation.NewRedis(a.redis.Hot, c.Redis.Prefix.Value, settings); err != nil {
		return fmt.Errorf("revocations: %w", err)
	}
	if a.slow, err = revocation.NewRedis(a.redis.Slow, c.Redis.Prefix.Value, settings); err != nil {
		return fmt.Errorf("revocations: %w", err)
	}
	for _, store := range []*revocation.Redis{a.hot, a.slow} {
		store.Confirm(c.Redis.MinReplicas.Value, revocation.DefaultWithin)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := a.waitForRedis(ctx); err != nil {
		return err
	}
	a.warnAboutRedis(ctx)
	// The second store must not begin a first epoch once more: what the one before it
	// has seen may be lost by then.
	knows := func(ctx context.Context) error { _, err := a.hot.Now(ctx); return err }
	for _, open := range []func(context.Context) error{a.slow.Open, knows} {
		if err := a.whileAway(ctx, open); err != nil {
			return &exitError{exitUnreachable, fmt.Errorf("open the revocation store: %w", err)}
		}
	}
	if err := a.openRevocations(table); err != nil {
		return err
	}
	if !c.Roles.Issuer.Value {
		return nil
	}
	a.sessions = session.NewStore(a.redis.Slow, c.Redis.Prefix.Value, c.Tokens.Issuer.Value, session.Settings{
		AccessTTL: c.Tokens.AccessTTL.Value, RefreshTTL: c.Tokens.RefreshTTL.Value, MaxTTL: c.Tokens.SessionMaxTTL.Value,
		SlidingTTL: c.Tokens.SlidingTTL.Value, SlidingRefreshTTL: c.Tokens.SlidingRefresh.Value,
		Grace: c.Tokens.RefreshGrace.Value, Leeway: c.Tokens.Leeway.Value, Rotate: c.Tokens.RefreshRotate.Value, Log: a.log,
	}, a.recorder())
	a.clients = store.NewClients(a.redis.Slow, c.Redis.Prefix.Value)
	if err := a.openUsers(); err != nil {
		return err
	}
	return a.openRing(ctx)
}

// waitForRedis blocks until Redis answers: a gateway that is started beside its
// Redis must not fail because it was faster.
func (a *app) waitForRedis(ctx context.Context) error {
	c := a.config
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := a.redis.Slow.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		if refusesCredentials(err) {
			return badCredentials(c)
		}
		a.log.Warn("Redis does not answer yet", "redis", c.Redis.name(), "error", err)
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return exitWith(exitRefused, "stopped before Redis (%s) answered", c.Redis.name())
			}
			return exitWith(exitUnreachable, "Redis (%s) did not answer within %s: %w; check TOLLGATE_REDIS_URL and that the server runs", c.Redis.name(), startTimeout, err)
		case <-time.After(pause):
		}
	}
}

func (a *app) openVerifier() error {
	t := a.config.Tokens
	var err error
	a.verifier, err = token.New(token.Config{
		Leeway: t.Leeway.Value, MaxBytes: t.MaxTokenBytes.Value, MemoryBytes: int64(t.TokenMemory.Value), Issuers: a.ownIssuer(),
	})
	if err == nil && a.ring != nil {
		a.ownVerifier, err = token.New(token.Config{Leeway: t.Leeway.Value, MaxBytes: t.MaxTokenBytes.Value, Issuers: a.ownIssuer()})
	}
	if err == nil && a.ring != nil {
		own := a.ownIssuer()
		own[0].Audiences, own[0].RefuseAudience = nil, false
		a.inspector, err = token.New(token.Config{Leeway: t.Leeway.Value, MaxBytes: t.MaxTokenBytes.Value, Issuers: own})
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	return nil
}

// ownIssuer is this system as an issuer whose tokens are believed; none without
// the issuer role, where the file of trusted issuers has to name it.
func (a *app) ownIssuer() []token.Issuer {
	if a.ring == nil {
		return nil
	}
	t := a.config.Tokens
	return []token.Issuer{{
		Name: t.Issuer.Value, Keys: a.ring, Own: true, Audiences: t.Audience.Value, RefuseAudience: a.config.profile() == problem.DRF,
		Legacy:      token.Legacy{NoJTI: a.config.withoutJTI()},
		MaxLifetime: map[string]time.Duration{"": t.AccessTTL.Value, "refresh": t.SessionMaxTTL.Value, "sliding": t.SlidingTTL.Value},
	}}
}

// openReloader trusts the issuers for the first time; a fault then is one of the
// configuration.
func (a *app) openReloader(ctx context.Context, files *configured) error {
	a.reloader.gateway, a.reloader.inForce, a.reloader.tried = a.gateway, files.seen, files.seen
	a.reloader.before, a.reloader.after = a.widen, a.narrowed
	if err := a.reloader.trust(ctx, files.specs); err != nil { // its warnings stand among the configuration's
		return &exitError{exitUsage, err}
	}
	a.server.Worker("reload", a.reloader.Run)
	return nil
}

// run serves until ctx ends, then drains.
func (a *app) run(ctx context.Context) error {
	defer a.close()
	if err := a.server.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return &exitError{exitRefused, err}
	}
	return nil
}

func (a *app) close() {
	if a.reloader != nil {
		a.reloader.Close()
	}
	if a.gateway != nil {
		a.gateway.Close()
	}
	for _, f := range a.closeOthers {
		f()
	}
	if a.redis != nil {
		_ = a.redis.Close()
	}
}

func (a *app) url(listener string) string {
	addr := a.server.Addr(listener)
	if addr == nil {
		return ""
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func instanceName() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "tollgate"
}
