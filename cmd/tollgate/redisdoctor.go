package main

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisDoctor looks at the servers behind TOLLGATE_REDIS_URL: what they are set to
// and how they are. It is used by "tollgate doctor" and at the start of serve, so it
// asks little and reads only.
type redisDoctor struct {
	settings *RedisSettings
	leeway   time.Duration
	// records says that users, sessions and perhaps keys are kept there, too, which
	// nobody can put back.
	records bool
	journal bool // revocations are also on this process's disk
	clients *redisClients
	now     func() time.Time
}

func newRedisDoctor(c *Config, clients *redisClients, now func() time.Time) *redisDoctor {
	return &redisDoctor{
		settings: &c.Redis, leeway: c.Tokens.Leeway.Value, records: c.Roles.Issuer.Value,
		journal: c.Revocation.Journal.Value != "", clients: clients, now: now,
	}
}

// examine returns what there is to say. A server that does not answer within ctx is
// a finding.
func (d *redisDoctor) examine(ctx context.Context) []finding {
	out := d.transport()
	for _, s := range d.servers(ctx) {
		out = append(out, d.judge(s)...)
	}
	switch d.settings.URL.target.mode {
	case redisCluster:
		out = append(out, d.cluster(ctx)...)
	case redisSentinel:
		out = append(out, d.sentinels(ctx)...)
	case redisSingle, redisEmbedded:
	}
	return out
}

// servers asks every primary that keeps keys of ours.
func (d *redisDoctor) servers(ctx context.Context) []*redisServer {
	t := d.settings.URL.target
	cluster, ok := d.clients.Slow.(*redis.ClusterClient)
	if !ok {
		where := t.master
		if where == "" {
			where = strings.Join(t.addrs, ", ")
		}
		return []*redisServer{d.ask(ctx, where, d.clients.Slow)}
	}
	var mu sync.Mutex
	var all []*redisServer
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		s := d.ask(ctx, node.Options().Addr, node)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
		return nil
	})
	if err != nil {
		all = append(all, &redisServer{where: d.settings.name(), err: err})
	}
	slices.SortFunc(all, func(a, b *redisServer) int { return strings.Compare(a.where, b.where) })
	return all
}

// configParameters are those of CONFIG GET that INFO does not tell of.
func configParameters() []string {
	return []string{"save", "appendfsync", "min-replicas-to-write"}
}

// ask puts all questions to one server.
func (d *redisDoctor) ask(ctx context.Context, where string, client redis.Cmdable) *redisServer {
	s := &redisServer{where: where}
	sent := d.now()
	clock, err := client.Time(ctx).Result()
	answered := d.now()
	switch {
	case err == nil:
		s.ahead = apart(clock, sent, answered)
	case forbidden(err):
		s.forbidden = append(s.forbidden, "TIME")
	default:
		s.err = err
		return s
	}
	text, err := client.Info(ctx).Result()
	switch {
	case err == nil:
		s.info = parseInfo(text)
	case forbidden(err):
		s.forbidden = append(s.forbidden, "INFO")
	default:
		s.err = err
		return s
	}
	s.config = map[string]string{}
	for _, name := range configParameters() {
		values, err := client.ConfigGet(ctx, name).Result()
		switch {
		case err == nil:
			for k, v := range values {
				s.config[k] = v
			}
		case forbidden(err):
			s.config = nil
			s.forbidden = append(s.forbidden, "CONFIG GET")
			return s
		default:
			s.err = err
			return s
		}
	}
	return s
}

// apart is how far a clock is ahead of ours, beyond what the time of asking explains.
func apart(clock, sent, answered time.Time) time.Duration {
	switch {
	case clock.Before(sent):
		return clock.Sub(sent)
	case clock.After(answered):
		return clock.Sub(answered)
	}
	return 0
}

// forbidden reports whether a server refused a command for good: by its access list,
// or because its operator has renamed it or never offered it.
func forbidden(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || redis.HasErrorPrefix(err, "ERR unknown command")
}

// transport looks at the way to Redis.
func (d *redisDoctor) transport() []finding {
	t := d.settings.URL.target
	var far []string
	for _, addr := range t.addrs {
		if !nearby(addr) {
			far = append(far, addr)
		}
	}
	if len(far) == 0 {
		return nil
	}
	where := strings.Join(far, ", ")
	var out []finding
	if !t.tls {
		out = append(out, finding{
			Level: levelWarning, Check: "redis.tls", Where: where, Found: "Redis is reached without TLS, and not over loopback",
			Meaning: "whoever is on the network between reads the password and can change what is revoked",
			Do:      "use rediss:// (with TOLLGATE_REDIS_CA_FILE for an authority of your own), unless that network is encrypted itself",
		})
	}
	if t.password == "" && !d.settings.Password.Set() {
		out = append(out, finding{
			Level: levelWarning, Check: "redis.password", Where: where, Found: "Redis is used without a password, and not over loopback",
			Meaning: "whoever can connect to it can undo revocations and make users",
			Do:      "give it a user of its own (ACL SETUSER) and set TOLLGATE_REDIS_USERNAME and TOLLGATE_REDIS_PASSWORD",
		})
	}
	return out
}

// nearby reports whether an address is this machine's own: a socket, or loopback.
func nearby(addr string) bool {
	if strings.HasPrefix(addr, "/") {
		return true
	}
	host, _, _ := net.SplitHostPort(addr) // checked with the URL
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
