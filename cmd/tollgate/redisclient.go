package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
)

const (
	maxHotDial  = 200 * time.Millisecond
	minHotDial  = 50 * time.Millisecond
	slowTimeout = 2 * time.Second
)

// redisClients are the two clients of one Redis.
type redisClients struct {
	// Hot is for the path of a request: it fails within TOLLGATE_REDIS_OP_TIMEOUT.
	// Neither client sends again what may have been carried out; see retryHook for
	// what else they do during a failover.
	Hot redis.UniversalClient
	// Slow is for admin, feed and issuer. A blocking XREAD needs a context: go-redis
	// adds 10 s to its read timeout.
	Slow redis.UniversalClient
	// Embedded says that this Redis ends with the process.
	Embedded bool

	embedded *embeddedRedis // nil unless Embedded
}

// openRedis makes both clients, and starts the embedded Redis if that is asked
// for. It does not connect: whoever needs Redis says so by its first command.
// Failed commands are counted by failed, which may be nil.
func openRedis(s *RedisSettings, failed func(op string)) (*redisClients, error) {
	out := &redisClients{Embedded: s.URL.Embedded()}
	base, err := s.options()
	if err != nil {
		return nil, err
	}
	if out.Embedded {
		if out.embedded, err = startEmbedded(); err != nil {
			return nil, err
		}
		base.Addrs, base.Username, base.Password = []string{out.embedded.addr}, "", out.embedded.password
	}
	out.Hot = newRetrying(hotOptions(base, s.OpTimeout.Value), nil, failed, max(s.OpTimeout.Value, minHotDial), true)
	out.Slow = newRetrying(slowOptions(base), store.Hook{}, failed, slowPatience, false)
	return out, nil
}

// Close closes the clients, and ends the embedded Redis.
func (r *redisClients) Close() error {
	err := errors.Join(r.Hot.Close(), r.Slow.Close())
	if r.embedded != nil {
		r.embedded.Close()
	}
	return err
}

// options are what both clients have in common.
func (s *RedisSettings) options() (redis.UniversalOptions, error) {
	t := s.URL.target
	o := redis.UniversalOptions{
		Addrs: t.addrs, DB: t.db, MasterName: t.master, IsClusterMode: t.mode == redisCluster,
		Username: t.user, Password: t.password,
		SentinelUsername: t.sentinelUser, SentinelPassword: t.sentinel,
		// Without it a context does not bound a command: 50 ms become 5 s.
		ContextTimeoutEnabled: true,
		// A command that was cut off may have been carried out: whoever sent it
		// decides whether to send it again.
		MaxRetries: -1, DialerRetries: 1,
		DisableIdentity: true, // CLIENT SETINFO fails before Redis 7.2
	}
	if s.Username.Value != "" {
		o.Username = s.Username.Value
	}
	if s.Password.Set() {
		o.Password = s.Password.Reveal()
	}
	var err error
	o.TLSConfig, err = s.tlsConfig()
	return o, err
}

// tlsConfig is nil where the URL does not ask for TLS. The server's name is that
// of each address, so it is not set here.
func (s *RedisSettings) tlsConfig() (*tls.Config, error) {
	if !s.URL.target.tls {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile.Value == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.CAFile.Value)
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("has no certificate in PEM form in it")
	}
	return c, nil
}

// hotOptions bounds everything by the time that one command has.
func hotOptions(base redis.UniversalOptions, op time.Duration) *redis.UniversalOptions {
	base.ReadTimeout, base.WriteTimeout, base.PoolTimeout = op, op, op
	base.DialTimeout = min(max(op, minHotDial), maxHotDial)
	base.MaintNotificationsConfig = noMaintenance()
	return &base
}

func slowOptions(base redis.UniversalOptions) *redis.UniversalOptions {
	base.ReadTimeout, base.WriteTimeout = slowTimeout, slowTimeout
	base.DialTimeout, base.PoolTimeout = slowTimeout, slowTimeout
	base.MaintNotificationsConfig = noMaintenance()
	return &base
}

// noMaintenance saves a handshake that only Redis's own cloud answers.
func noMaintenance() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// refusesCredentials reports that Redis answers, and not to this user or password.
func refusesCredentials(err error) bool {
	return redis.HasErrorPrefix(err, "WRONGPASS") || redis.HasErrorPrefix(err, "NOAUTH")
}

func badCredentials(c *Config) error {
	return exitWith(exitUsage, "Redis (%s) refuses the credentials of TOLLGATE_REDIS_URL, TOLLGATE_REDIS_USERNAME and TOLLGATE_REDIS_PASSWORD", c.Redis.name())
}

// redisLog takes what go-redis itself has to say (redis.SetLogger). Failed
// commands are seen elsewhere, with what they were for.
type redisLog struct{ log *slog.Logger }

// Printf implements go-redis's logger.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.DebugContext(ctx, "redis client", "text", telemetry.Scrub(fmt.Sprintf(format, args...)))
	}
}
