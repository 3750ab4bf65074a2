package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tollgate/gateway"
	"tollgate/internal/ratelimit"
	"tollgate/internal/server"
	"tollgate/internal/telemetry"
	"tollgate/issuer"
	"tollgate/issuer/admin"
	"tollgate/issuer/store"
	"tollgate/keys"
	"tollgate/revocation"
)

// Listener names, as they stand in the log.
const (
	publicListener = "public"
	adminListener  = "admin"
	opsListener    = "ops"
)

func (a *app) openServers(table *gateway.Table) error {
	a.reloader = &reloader{config: a.config, verifier: a.verifier, own: a.ownIssuer(), log: a.log, metrics: a.metrics}
	l := a.config.Listeners
	a.server = server.New(server.Config{
		ReadHeaderTimeout: l.ReadHeaderTimeout.Value, IdleTimeout: l.IdleTimeout.Value, MaxHeaderBytes: l.MaxHeaderBytes.Value,
		ShutdownDelay: l.ShutdownDelay.Value, ShutdownTimeout: l.ShutdownTimeout.Value, Log: a.log,
	})
	a.openAudit()
	public, err := a.public(table)
	if err != nil {
		return err
	}
	certificate, err := a.certificate()
	if err != nil {
		return err
	}
	a.server.AddPublic(publicListener, l.Listen.Value, server.HSTS(a.observed(public), l.HSTS.Value), certificate)
	if a.config.adminOn() {
		control, err := a.admin()
		if err != nil {
			return err
		}
		a.server.Add(adminListener, l.AdminListen.Value, a.observed(control))
	}
	checks := a.checks()
	a.health = newHealth(checks, a.server.Draining, a.examineRedis())
	a.server.Support("health", a.health.Run)
	a.server.AddLast(opsListener, l.OpsListen.Value, telemetry.Ops(telemetry.OpsOptions{
		Checks: checks, Draining: a.server.Draining, Metrics: a.metrics, Profiling: a.config.Observe.Profiling.Value,
	}))
	if a.ring != nil {
		// The loop must outlive the servers: a request in flight still signs.
		a.server.Support("key ring", a.ring.Run)
		a.server.Support("revoked keys", a.watchDeadKeys)
		a.server.Worker("sessions", a.sessions.Run)
		if a.usersLoop != nil {
			a.server.Worker("users", a.usersLoop)
		}
	}
	return nil
}

// certificate is that of the public listener; nil without TLS.
func (a *app) certificate() (*server.Certificate, error) {
	l := a.config.Listeners
	if l.TLSCertFile.Value == "" {
		return nil, nil
	}
	c, err := server.LoadCertificate(l.TLSCertFile.Value, l.TLSKeyFile.Value, a.log)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("TOLLGATE_TLS_CERT_FILE and TOLLGATE_TLS_KEY_FILE: %w", err)}
	}
	return c, nil
}

func (a *app) observed(h http.Handler) http.Handler {
	return telemetry.Handler(h, telemetry.Options{
		Log: a.log, Access: a.config.Observe.AccessLog.Value, Sample: a.config.Observe.LogSample.Value, Metrics: a.metrics, Tracer: a.tracer,
		Remote: gateway.TrustedProxies(a.config.Listeners.TrustedProxies.Value).Client,
	})
}

// public builds the handler of the public listener.
func (a *app) public(table *gateway.Table) (http.Handler, error) {
	c := a.config
	rest := gateway.NotFound()
	if table != nil {
		var err error
		a.gateway, err = gateway.New(gateway.Config{
			Verifier: a.verifier, Revocations: a.checker(), Routes: table, Schemes: c.Tokens.AuthHeaderTypes.Value,
			Profile: c.profile(), TrustedProxies: c.Listeners.TrustedProxies.Value, Limiter: ratelimit.NewRedis(a.redis.Hot, c.Redis.Prefix.Value),
			Log: a.log, Metrics: a.metrics,
		})
		if err != nil {
			return nil, err
		}
		a.server.Worker("upstreams", a.gateway.Run)
		a.server.Support("open streams", a.gateway.RunStreams)
		rest = a.gateway
	}
	cors, err := gateway.NewCORS(c.Listeners.CORSOrigins.Value)
	if err != nil {
		return nil, err
	}
	public := gateway.NewPublic(rest, cors)
	if a.ring == nil {
		if c.Tokens.Issuer.Value != "" {
			public.MountKeys(keys.Handler(a.edgeKeys), c.Tokens.IssuerHosts.Value)
		}
		return public, nil
	}
	if err := a.openStatus(); err != nil {
		return nil, err
	}
	config := issuer.Config{
		Verifier: a.ownVerifier, Revocations: a.recorder(), Users: a.directory, LoginField: c.Login.Field.Value, Sessions: a.sessions, Sign: a.ring.Sign, SignWith: a.ring.SignWith, Keys: a.publishedKeys().Current,
		MaxStale: c.Revocation.MaxStale.Value, Claims: a.claims(), MaxTokenBytes: c.Tokens.MaxTokenBytes.Value, Rotate: c.Tokens.RefreshRotate.Value, Prefix: c.Shape.APIPrefix.Value, Hosts: c.Tokens.IssuerHosts.Value,
		Schemes: c.Tokens.AuthHeaderTypes.Value, Status: a.status, Inspector: a.inspector, Clients: a.clients,
		Limiter: ratelimit.NewRedis(a.redis.Slow, c.Redis.Prefix.Value), AccessTTL: c.Tokens.AccessTTL.Value, Leeway: c.Tokens.Leeway.Value,
		Compat: c.Shape.Compat.Value, DRF: c.drf(), ImpersonateClaim: c.Login.ImpersonateClaim.Value,
		PublicURL: c.publicURL(), RedisTime: store.BudgetFor(c.Redis.OpTimeout.Value), Log: a.log, Metrics: a.metrics,
	}
	a.account(&config)
	a.auditIssuer(&config)
	i, err := issuer.New(config)
	if err != nil {
		return nil, err
	}
	a.issuer = i
	i.Mount(public.Echo(), public.Rest())
	return public, nil
}

func (a *app) claims() issuer.ClaimSettings {
	t := a.config.Tokens
	s := issuer.ClaimSettings{
		Issuer: t.Issuer.Value, Audience: t.Audience.Value, Typ: t.TokenTyp.Value, UserIDClaim: t.UserIDClaim.Value,
		UserIDField: t.UserIDField.Value, UserIDNumber: t.UserIDType.Value == "number", Password: t.PasswordClaim.Value,
	}
	for _, c := range t.Claims.Value {
		s.Custom = append(s.Custom, issuer.CustomClaim{Claim: c.Name, Attribute: c.Attribute})
	}
	return s
}

func (a *app) admin() (http.Handler, error) {
	c := admin.Config{
		Token: a.config.Admin.Token.Reveal(), Issuer: a.config.Tokens.Issuer.Value, Revocations: a.recorder(), Verifier: a.verifier,
		Keys: a.ring, Users: a.users, Sessions: a.sessions, Clients: a.clients, Tokens: a.issuer, Log: a.log, Metrics: a.metrics,
		RedisTime: store.BudgetFor(a.config.Redis.OpTimeout.Value),
	}
	var err error
	if c.Edges, err = revocation.NewCensus(a.redis.Slow, a.config.Redis.Prefix.Value); err != nil {
		return nil, err
	}
	c.Answers = store.NewAnswers(a.redis.Slow, a.config.Redis.Prefix.Value, a.config.Admin.Token.Reveal())
	if a.gateway != nil {
		c.Routes = a.gateway.Table
	}
	c.Reload, c.Recover, c.Issuers, c.Capped = a.reloader.Reload, a.recorder().Recover, a.verifier.Names, a.reloader.isCapped
	history := telemetry.NewHistory(a.metrics)
	a.server.Worker("history", history.Run)
	c.Status, c.Settings = a.statusOf(history, time.Now()), a.settingsOf()
	a.auditAdmin(&c)
	control, err := admin.New(c)
	if err != nil {
		return nil, err
	}
	a.server.Worker("admin waits", control.RunWaits)
	return control, nil
}

// checks decide readiness.
func (a *app) checks() []telemetry.Check {
	checks := []telemetry.Check{
		{Name: "redis", Probe: func(ctx context.Context) error { return a.redis.Slow.Ping(ctx).Err() }},
		{Name: "revocations", Probe: func(ctx context.Context) error { _, err := a.slow.Epoch(ctx); return err }},
	}
	if m := a.revocations.mirror; m != nil {
		checks = append(checks, telemetry.Check{Name: "mirror", Probe: func(context.Context) error { return m.Ready() }})
	}
	if !a.redis.Embedded && !a.config.Redis.AllowEviction.Value {
		checks = append(checks, telemetry.Check{Name: "eviction", Probe: a.checkEviction})
	}
	if a.ring != nil || a.config.Roles.Gateway.Value {
		checks = append(checks, telemetry.Check{Name: "keys", Probe: a.checkKeys})
	}
	if a.ring != nil {
		checks = append(checks, telemetry.Check{Name: "signing", Probe: func(context.Context) error {
			if !a.ring.Confirmed() {
				return errors.New("the key ring was not confirmed against its store: nothing is signed")
			}
			return nil
		}})
	}
	if a.status != nil {
		checks = append(checks, telemetry.Check{Name: "status list", Probe: func(context.Context) error { return a.status.Ready() }})
	}
	if !a.redis.Embedded {
		checks = append(checks, telemetry.Check{Name: "primary", Probe: a.checkPrimary})
	}
	return checks
}

// checkPrimary fails on a replica: it takes no writes, so nothing could be revoked.
func (a *app) checkPrimary(ctx context.Context) error {
	text, err := a.redis.Slow.Info(ctx, "replication").Result()
	if err != nil {
		return err
	}
	if !strings.Contains(text, "role:master") {
		return errors.New("this Redis is a replica: nothing can be written")
	}
	return nil
}

// checkKeys fails while no token of anybody could be verified. One issuer of
// several that is away is seen in the metrics: it must not take the others down.
func (a *app) checkKeys(context.Context) error {
	if a.ring != nil && a.ring.Set().Len() > 0 {
		return nil
	}
	for _, s := range a.reloader.status() {
		if s.Keys > 0 {
			return nil
		}
	}
	return errors.New("no issuer's keys are loaded")
}

// checkEviction fails where Redis may drop revocations to make room: every
// policy but noeviction does, and says OK to the writes that it forgets.
func (a *app) checkEviction(ctx context.Context) error {
	text, err := a.redis.Slow.Info(ctx, "memory").Result()
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		policy, found := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		if found && policy != "noeviction" {
			return fmt.Errorf("maxmemory-policy is %s: Redis may evict revocations; set it to noeviction (or TOLLGATE_REDIS_ALLOW_EVICTION=true, knowing that)", policy)
		}
	}
	return nil
}

// bounded gives every question of the request path its deadline.
type bounded struct {
	store   *revocation.Redis
	timeout time.Duration
}

// Check implements token.Checker.
func (b bounded) Check(ctx context.Context, t *revocation.Token) revocation.Verdict {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.store.Check(ctx, t)
}
