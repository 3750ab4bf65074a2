package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"tollgate/internal/testkit"
)

func TestParseRedisURL(t *testing.T) {
	tests := []struct {
		in   string
		want redisTarget
	}{
		{"redis://127.0.0.1:6379/0", redisTarget{addrs: []string{"127.0.0.1:6379"}}},
		{"redis://cache", redisTarget{addrs: []string{"cache:6379"}}},
		{"redis://cache/", redisTarget{addrs: []string{"cache:6379"}}},
		{"redis://:p%40ss@cache:1/7", redisTarget{addrs: []string{"cache:1"}, password: "p@ss", db: 7}},
		{"redis://user:pa@ss@cache", redisTarget{addrs: []string{"cache:6379"}, user: "user", password: "pa@ss"}},
		{"redis://user@cache", redisTarget{addrs: []string{"cache:6379"}, user: "user"}},
		{"redis://[2001:db8::1]", redisTarget{addrs: []string{"[2001:db8::1]:6379"}}},
		{"redis://[2001:db8::1]:1", redisTarget{addrs: []string{"[2001:db8::1]:1"}}},
		{"rediss://cache:6380/1", redisTarget{addrs: []string{"cache:6380"}, db: 1, tls: true}},
		{"unix:///run/redis.sock", redisTarget{addrs: []string{"/run/redis.sock"}}},
		{"unix://u:p@/run/redis.sock?db=3", redisTarget{addrs: []string{"/run/redis.sock"}, user: "u", password: "p", db: 3}},
		{"redis+sentinel://h1:26379,h2/mymaster/2", redisTarget{mode: redisSentinel, addrs: []string{"h1:26379", "h2:26379"}, master: "mymaster", db: 2}},
		{
			"rediss+sentinel://u:p@h1/my%20master?sentinel_username=su&sentinel_password=s%26p",
			redisTarget{mode: redisSentinel, addrs: []string{"h1:26379"}, master: "my master", user: "u", password: "p", sentinelUser: "su", sentinel: "s&p", tls: true},
		},
		{"redis+cluster://h1:1,h2:2,h3", redisTarget{mode: redisCluster, addrs: []string{"h1:1", "h2:2", "h3:6379"}}},
		{"rediss+cluster://u:p@h1/0", redisTarget{mode: redisCluster, addrs: []string{"h1:6379"}, user: "u", password: "p", tls: true}},
		{"embedded:", redisTarget{mode: redisEmbedded}},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := parseRedisURL(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got, cmp.AllowUnexported(redisTarget{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseRedisURLRefuses: each error says what is wrong, and nothing of the URL.
func TestParseRedisURLRefuses(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", "is not a URL"},
		{"hunter2", "is not a URL"},
		{"embedded://hunter2", "unknown scheme"},
		{"http://hunter2", "unknown scheme"},
		{"redis://:hunter2@", "has no host"},
		{"redis://:hunter2@h:x", "not host:port"},
		{"redis://:hunter2@h:0", "not host:port"},
		{"redis://:hunter2@h:70000", "not host:port"},
		{"redis://:hunter2/x@h:1", "not host:port"},
		{"redis://:hunter2%zz@h:1", "bad % escape"},
		{"redis://:hunter2@2001:db8::1", "not host:port"},
		{"redis://:hunter2@h/one", "not a number"},
		{"redis://:hunter2@h/0/1", "not a number"},
		{"redis://:hunter2@h/0?db=1", "query parameter"},
		{"redis://:hunter2@h?password=hunter2", "query parameter"},
		{"redis://:hunter2@h?%zz", "query that cannot be read"},
		{"redis://:hunter2@h1,h2", "several hosts"},
		{"unix://:hunter2@h/run/s", "absolute path"},
		{"unix://", "absolute path"},
		{"unix:///run/s?db=x", "not a number"},
		{"redis+sentinel://:hunter2@h1", "does not name the master"},
		{"redis+sentinel://:hunter2@h1,/m", "has no host"},
		{"redis+sentinel://:hunter2@h1/m%zz", "bad % escape"},
		{"redis+sentinel://:hunter2@h1/m?sentinel_password=a&sentinel_password=hunter2", "twice"},
		{"redis+cluster://:hunter2@h1/1", "a Cluster has only 0"},
		{"redis+cluster://", "has no host"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := parseRedisURL(tt.in)
			if err == nil {
				t.Fatalf("accepted as %+v", got)
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("err %q, want %q", err, tt.want)
			}
		})
	}
}

// FuzzParseRedisURLKeepsPasswords: no error ever shows a password.
func FuzzParseRedisURLKeepsPasswords(f *testing.F) {
	f.Add("redis://", "@h:x")
	f.Add("redis+sentinel://u:", "@h1,h2/m?x=%")
	f.Fuzz(func(t *testing.T, before, after string) {
		if _, err := parseRedisURL(before + "hunter2" + after); err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	})
}

func redisSettings(t *testing.T, env map[string]string) *RedisSettings {
	t.Helper()
	return &mustLoad(t, with(env)).Redis
}

func TestRedisOptions(t *testing.T) {
	s := redisSettings(t, map[string]string{
		"TOLLGATE_REDIS_URL": "redis+sentinel://u:p@h1,h2/m/3?sentinel_username=su&sentinel_password=sp",
	})
	base, err := s.options()
	if err != nil {
		t.Fatal(err)
	}
	off := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	want := redis.UniversalOptions{
		Addrs: []string{"h1:26379", "h2:26379"}, MasterName: "m", DB: 3, Username: "u", Password: "p",
		SentinelUsername: "su", SentinelPassword: "sp",
		ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		MaintNotificationsConfig: off,
	}
	hot, slow := want, want
	hot.ReadTimeout, hot.WriteTimeout, hot.PoolTimeout = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	hot.DialTimeout = 100 * time.Millisecond
	slow.ReadTimeout, slow.WriteTimeout, slow.PoolTimeout, slow.DialTimeout = 2*time.Second, 2*time.Second, 2*time.Second, 2*time.Second
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".StreamingCredentialsProvider" }, cmp.Ignore())
	if diff := cmp.Diff(&hot, hotOptions(base, 100*time.Millisecond), ignore); diff != "" {
		t.Errorf("hot (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&slow, slowOptions(base), ignore); diff != "" {
		t.Errorf("slow (-want +got):\n%s", diff)
	}
	for op, dial := range map[time.Duration]time.Duration{
		time.Millisecond: 50 * time.Millisecond, 150 * time.Millisecond: 150 * time.Millisecond, time.Second: 200 * time.Millisecond,
	} {
		if got := hotOptions(base, op).DialTimeout; got != dial {
			t.Errorf("op %v: dial %v, want %v", op, got, dial)
		}
	}
}

func TestRedisOverrides(t *testing.T) {
	s := redisSettings(t, map[string]string{
		"TOLLGATE_REDIS_URL": "rediss://u:p@h", "TOLLGATE_REDIS_USERNAME": "other", "TOLLGATE_REDIS_PASSWORD": "secret",
	})
	o, err := s.options()
	if err != nil {
		t.Fatal(err)
	}
	if o.Username != "other" || o.Password != "secret" {
		t.Errorf("%q %q", o.Username, o.Password)
	}
	if o.TLSConfig == nil || o.TLSConfig.MinVersion < 0x0303 || o.TLSConfig.InsecureSkipVerify || o.TLSConfig.RootCAs != nil {
		t.Errorf("TLS: %+v", o.TLSConfig)
	}
}

func TestRedisClientKinds(t *testing.T) {
	for url, isRight := range map[string]func(redis.UniversalClient) bool{
		"redis://127.0.0.1:1":              func(c redis.UniversalClient) bool { _, ok := c.(*redis.Client); return ok },
		"unix:///nowhere.sock":             func(c redis.UniversalClient) bool { return c.(*redis.Client).Options().Network == "unix" },
		"redis+cluster://127.0.0.1:1":      func(c redis.UniversalClient) bool { _, ok := c.(*redis.ClusterClient); return ok },
		"redis+sentinel://127.0.0.1:1/m/0": func(c redis.UniversalClient) bool { return c.(*redis.Client).Options().Addr == "FailoverClient" },
	} {
		t.Run(url, func(t *testing.T) {
			c, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": url}), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if !isRight(c.Hot) || !isRight(c.Slow) || c.Embedded {
				t.Errorf("hot %T, slow %T", c.Hot, c.Slow)
			}
		})
	}
}

// counts collects what the hook counts.
type counts struct {
	mu  sync.Mutex
	ops []string
}

func (c *counts) failed(op string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops = append(c.ops, op)
}

func (c *counts) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.ops
	c.ops = nil
	return out
}

func TestEmbeddedRedis(t *testing.T) {
	var n counts
	c, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": "embedded:", "TOLLGATE_REDIS_OP_TIMEOUT": "5s"}), n.failed)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if !c.Embedded {
		t.Error("not embedded")
	}
	if err := c.Hot.Set(ctx, "short", "x", 1500*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Slow.Get(ctx, "short").Result(); got != "x" || err != nil {
		t.Errorf("the clients do not see the same Redis: %q %v", got, err)
	}
	if err := c.Slow.Get(ctx, "none").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("none: %v", err)
	}
	if err := redis.NewScript("return 1").Run(ctx, c.Hot, nil).Err(); err != nil { // NOSCRIPT first
		t.Errorf("script: %v", err)
	}
	if got := n.take(); len(got) > 0 {
		t.Errorf("counted as failures: %q", got)
	}
	host, _, _ := net.SplitHostPort(c.embedded.addr)
	if host != "127.0.0.1" {
		t.Errorf("listens on %s", host)
	}
	stranger := redis.NewClient(&redis.Options{Addr: c.embedded.addr})
	defer stranger.Close()
	if err := stranger.Get(ctx, "short").Err(); err == nil || errors.Is(err, redis.Nil) {
		t.Errorf("a stranger without password got %v", err)
	}
	testkit.MustAwait(t, "a key that expires", func() bool { return errors.Is(c.Hot.Get(ctx, "short").Err(), redis.Nil) })
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", c.embedded.addr); err == nil {
		t.Error("still listening after Close")
	}
}

// TestHotClientIsBounded: a Redis that is gone, or that does not answer, costs a
// request no more than the settings say.
func TestHotClientIsBounded(t *testing.T) {
	server := testkit.MustStartRedis(t)
	var n counts
	c, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": server.URL}), n.failed)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	testkit.MustAwait(t, "a connection", func() bool { return c.Hot.Ping(ctx).Err() == nil })
	patient, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": server.URL, "TOLLGATE_REDIS_OP_TIMEOUT": "10s"}), n.failed)
	if err != nil {
		t.Fatal(err)
	}
	defer patient.Close()
	if err := patient.Hot.Ping(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	// The client's own patience would be 3 s and more.
	bounded := func(name string, do func() error) {
		t.Helper()
		start := time.Now()
		if err := do(); err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(start))
		}
	}

	server.MustPause()
	bounded("paused", func() error { return c.Hot.Ping(ctx).Err() })
	bounded("paused, new connection", func() error { return c.Hot.Ping(ctx).Err() })
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	bounded("paused, a context of 20 ms", func() error { return patient.Hot.Ping(short).Err() })
	server.MustContinue()

	n.take()
	server.MustKill()
	bounded("killed", func() error { return c.Hot.Ping(ctx).Err() })
	if _, err := c.Hot.Pipelined(ctx, func(p redis.Pipeliner) error { return p.Ping(ctx).Err() }); err == nil {
		t.Error("a pipeline went through")
	}
	got := n.take()
	for _, op := range []string{"dial", "ping", "pipeline"} {
		if !slices.Contains(got, op) {
			t.Errorf("%s is not counted: %q", op, got)
		}
	}

	server.MustRestart()
	testkit.MustAwait(t, "an answer after the restart", func() bool { return c.Hot.Ping(ctx).Err() == nil })
}

func TestRedisLog(t *testing.T) {
	var b bytes.Buffer
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		b.Reset()
		l := redisLog{slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level}))}
		l.Printf(t.Context(), "dial %s failed\n", "redis://u:hunter2@h")
		if strings.Contains(b.String(), "hunter2") || (level == slog.LevelDebug) != strings.Contains(b.String(), "dial redis://***@h failed") {
			t.Errorf("%v: %q", level, b.String())
		}
	}
}
