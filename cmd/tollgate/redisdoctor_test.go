package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// mustRedisDoctor returns a doctor for the Redis of a URL, with further settings.
func mustRedisDoctor(t *testing.T, url string, env map[string]string) *redisDoctor {
	t.Helper()
	settings := map[string]string{"TOLLGATE_REDIS_URL": url}
	for name, value := range env {
		settings[name] = value
	}
	c := mustLoad(t, with(settings))
	clients, err := openRedis(&c.Redis, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = clients.Close() })
	return newRedisDoctor(c, clients, time.Now)
}

// brief writes findings as "level check: found", one on each line.
func brief(all []finding) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s %s: %s\n", f.Level, f.Check, f.Found)
	}
	return b.String()
}

// wantFindings wants exactly these, each as the beginning of a line of brief.
func wantFindings(t *testing.T, got []finding, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(brief(got), "\n"), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d findings, want %d:\n%s", len(got), len(want), brief(got))
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("finding %d: %q, want %q", i, lines[i], w)
		}
	}
	for _, f := range got {
		if f.Meaning == "" || f.Level != levelInfo && f.Do == "" {
			t.Errorf("%s says neither what it means nor what to do: %+v", f.Check, f)
		}
	}
}

func mustConfigSet(t *testing.T, client redis.UniversalClient, pairs ...string) {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := client.ConfigSet(t.Context(), pairs[i], pairs[i+1]).Err(); err != nil {
			t.Fatalf("CONFIG SET %s: %v", pairs[i], err)
		}
	}
}

const everySecond = "info redis.fsync: the append-only file is synced once a second"

// TestRedisDoctorFindings: each finding on a redis-server that is set up so.
func TestRedisDoctorFindings(t *testing.T) {
	const standard = "maxmemory-policy noeviction maxmemory 0 appendonly yes appendfsync everysec min-replicas-to-write 0"
	server := testkit.MustStartRedis(t)
	control := testkit.MustClient(t, server.Addr)
	tests := []struct {
		name, set string
		env       map[string]string
		change    func(*redisDoctor)
		want      []string
	}{
		{name: "in order", set: "appendfsync always"},
		{name: "everysec", want: []string{everySecond}},
		{name: "everysec with a journal", change: func(d *redisDoctor) { d.journal = true }, want: []string{everySecond}},
		{name: "sync never", set: "appendfsync no", want: []string{"warning redis.fsync: the append-only file is synced when the system likes"}},
		{name: "eviction", set: "appendfsync always maxmemory-policy allkeys-lru", want: []string{"error redis.eviction: maxmemory-policy is allkeys-lru"}},
		{name: "only keys with a TTL", set: "appendfsync always maxmemory-policy volatile-ttl", want: []string{"error redis.eviction: maxmemory-policy is volatile-ttl"}},
		{
			name: "eviction allowed", set: "appendfsync always maxmemory-policy allkeys-lru", env: map[string]string{"TOLLGATE_REDIS_ALLOW_EVICTION": "true"},
			want: []string{"warning redis.eviction"},
		},
		{name: "nothing on disk", set: "appendonly no", want: []string{"error redis.persistence: nothing is kept on disk"}},
		{
			name: "nothing on disk, revocations alone", set: "appendonly no", change: func(d *redisDoctor) { d.records = false },
			want: []string{"warning redis.persistence: nothing is kept on disk"},
		},
		{name: "few replicas for writes", set: "appendfsync always min-replicas-to-write 1", want: []string{"error redis.replicas: min-replicas-to-write is 1, but no replica is in step"}},
		{
			name: "few replicas for acknowledgements", set: "appendfsync always", env: map[string]string{"TOLLGATE_REDIS_MIN_REPLICAS_ACK": "2"},
			want: []string{"error redis.replicas: TOLLGATE_REDIS_MIN_REPLICAS_ACK is 2, but no replica is in step"},
		},
		{
			name: "our clock is slow", set: "appendfsync always", change: func(d *redisDoctor) { d.now = func() time.Time { return time.Now().Add(-90 * time.Second) } },
			want: []string{"error redis.clock: Redis's clock is 1m"},
		},
		{
			name: "our clock is fast", set: "appendfsync always", change: func(d *redisDoctor) { d.now = func() time.Time { return time.Now().Add(19 * time.Second) } },
			want: []string{"error redis.clock: Redis's clock is 1"},
		},
		{
			name: "within the leeway", set: "appendfsync always", change: func(d *redisDoctor) { d.now = func() time.Time { return time.Now().Add(8 * time.Second) } },
		},
		{
			name: "a leeway of its own", set: "appendfsync always", env: map[string]string{"TOLLGATE_LEEWAY": "2s"},
			change: func(d *redisDoctor) { d.now = func() time.Time { return time.Now().Add(8 * time.Second) } },
			want:   []string{"error redis.clock"},
		},
		{name: "little memory", set: "appendfsync always maxmemory 1gb", want: nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustConfigSet(t, control, strings.Fields(standard)...)
			mustConfigSet(t, control, "save", "")
			mustConfigSet(t, control, strings.Fields(tt.set)...)
			d := mustRedisDoctor(t, server.URL, tt.env)
			if tt.change != nil {
				tt.change(d)
			}
			wantFindings(t, d.examine(t.Context()), tt.want...)
		})
	}
	t.Run("snapshots alone", func(t *testing.T) {
		mustConfigSet(t, control, strings.Fields(standard)...)
		mustConfigSet(t, control, "appendonly", "no", "save", "3600 1")
		got := mustRedisDoctor(t, server.URL, nil).examine(t.Context())
		wantFindings(t, got, "warning redis.persistence: there are snapshots (save 3600 1) but no append-only file")
	})
	t.Run("memory nearly used", func(t *testing.T) {
		mustConfigSet(t, control, strings.Fields(standard)...)
		mustConfigSet(t, control, "save", "", "appendfsync", "always")
		// Made in the server: what a client sends stays in its buffer for a while.
		if err := control.SetRange(t.Context(), "ballast", 20<<20, "x").Err(); err != nil {
			t.Fatal(err)
		}
		mustConfigSet(t, control, "maxmemory", "28mb")
		got := mustRedisDoctor(t, server.URL, nil).examine(t.Context())
		wantFindings(t, got, "warning redis.memory: ")
		mustConfigSet(t, control, "maxmemory", "20mb")
		got = mustRedisDoctor(t, server.URL, nil).examine(t.Context())
		wantFindings(t, got, "error redis.memory: ")
		if err := control.Set(t.Context(), "more", "x", 0).Err(); err == nil {
			t.Error("an error is found, and Redis takes writes")
		}
	})
}

func TestRedisDoctorOnReplicas(t *testing.T) {
	primary, replica := testkit.MustStartRedis(t, "--appendfsync", "always"), testkit.MustStartRedis(t, "--appendfsync", "always")
	replica.MustReplicate(primary)
	primary.MustSync()
	got := mustRedisDoctor(t, replica.URL, nil).examine(t.Context())
	wantFindings(t, got, "error redis.role: this server is a replica (of "+primary.Addr+")")
	got = mustRedisDoctor(t, primary.URL, nil).examine(t.Context())
	wantFindings(t, got, "warning redis.split: 1 replica and min-replicas-to-write is 0")

	mustConfigSet(t, testkit.MustClient(t, primary.Addr), "min-replicas-to-write", "1")
	wantFindings(t, mustRedisDoctor(t, primary.URL, map[string]string{"TOLLGATE_REDIS_MIN_REPLICAS_ACK": "1"}).examine(t.Context()))
	got = mustRedisDoctor(t, primary.URL, map[string]string{"TOLLGATE_REDIS_MIN_REPLICAS_ACK": "2"}).examine(t.Context())
	wantFindings(t, got, "error redis.replicas: TOLLGATE_REDIS_MIN_REPLICAS_ACK is 2, but 1 replica is in step")
}

// TestRedisDoctorByAccessList: what may not be asked is said, and nothing is made up.
func TestRedisDoctorByAccessList(t *testing.T) {
	server := testkit.MustStartRedis(t, "--appendfsync", "everysec")
	control := testkit.MustClient(t, server.Addr)
	tests := []struct {
		name, rules string
		want        []string
	}{
		{"no CONFIG", "-config", []string{"info redis.forbidden: CONFIG GET is forbidden"}},
		{"no CONFIG SET", "-config +config|get", []string{everySecond}},
		{"no INFO", "-info", []string{"error redis.forbidden: INFO is forbidden"}},
		{"nothing", "-info -config -time", []string{
			"info redis.forbidden: TIME is forbidden", "error redis.forbidden: INFO is forbidden", "info redis.forbidden: CONFIG GET is forbidden",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rule := []any{"ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "&*", "+@all"}
			for word := range strings.FieldsSeq(tt.rules) {
				rule = append(rule, word)
			}
			if err := control.Do(t.Context(), rule...).Err(); err != nil {
				t.Fatal(err)
			}
			got := mustRedisDoctor(t, "redis://limited:secret@"+server.Addr, nil).examine(t.Context())
			wantFindings(t, got, tt.want...)
		})
	}
	t.Run("neither append-only file nor CONFIG", func(t *testing.T) {
		mustConfigSet(t, control, "appendonly", "no")
		if err := control.Do(t.Context(), "ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "+@all", "-config").Err(); err != nil {
			t.Fatal(err)
		}
		got := mustRedisDoctor(t, "redis://limited:secret@"+server.Addr, nil).examine(t.Context())
		wantFindings(t, got, "info redis.forbidden: CONFIG GET", "warning redis.persistence: there is no append-only file, and whether")
	})
}

func TestRedisDoctorOnASilentServer(t *testing.T) {
	server := testkit.MustStartRedis(t)
	d := mustRedisDoctor(t, server.URL, nil)
	server.MustPause()
	defer server.MustContinue()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	wantFindings(t, d.examine(ctx), "error redis.reach: the server could not be asked")
}

// TestRedisDoctorOnTheWay: addresses that nobody connects to.
func TestRedisDoctorOnTheWay(t *testing.T) {
	const tls, password = "warning redis.tls: ", "warning redis.password: "
	tests := []struct {
		url  string
		env  map[string]string
		want []string
	}{
		{url: "redis://127.0.0.1:1"}, {url: "redis://localhost:1"}, {url: "redis://[::1]:1"}, {url: "unix:///run/redis.sock"},
		{url: "redis://10.0.0.1:1", want: []string{tls, password}},
		{url: "redis://redis:1", want: []string{tls, password}},
		{url: "redis://:pw@redis:1", want: []string{tls}},
		{url: "rediss://redis:1", want: []string{password}},
		{url: "rediss://redis:1", env: map[string]string{"TOLLGATE_REDIS_PASSWORD": "pw"}},
		{url: "redis+sentinel://127.0.0.1:1,h2:2/m", want: []string{tls, password}},
		{url: "rediss+cluster://u:pw@h1:1,h2:2"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			wantFindings(t, mustRedisDoctor(t, tt.url, tt.env).transport(), tt.want...)
		})
	}
}
