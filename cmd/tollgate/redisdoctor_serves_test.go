package main

import (
	"strings"
	"testing"

	"tollgate/internal/testkit"
)

// setIssuerAlone sets the environment of an issuer that lacks nothing but a Redis.
func setIssuerAlone(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"TOLLGATE_ADMIN_TOKEN": rootToken, "TOLLGATE_ISSUER": testIssuer, "TOLLGATE_KEY_ENCRYPTION_KEY": testSealing, "TOLLGATE_ENABLE_GATEWAY": "false",
	} {
		t.Setenv(name, value)
	}
}

// TestValidateOnlineAgainstARedisThatDoesNotServe: it answers, and nobody could log in or
// revoke anything. What only a restart would show is no fault. Nothing is written.
func TestValidateOnlineAgainstARedisThatDoesNotServe(t *testing.T) {
	primary, replica := testkit.MustStartRedis(t), testkit.MustStartRedis(t)
	replica.MustReplicate(primary)
	primary.MustSync()
	server := testkit.MustStartRedis(t)
	control := testkit.MustClient(t, server.Addr)
	user := func(name, rules string) string {
		rule := []any{"ACL", "SETUSER", name, "reset", "on", ">secret"}
		for word := range strings.FieldsSeq(rules) {
			rule = append(rule, word)
		}
		if err := control.Do(t.Context(), rule...).Err(); err != nil {
			t.Fatal(err)
		}
		return "redis://" + name + ":secret@" + server.Addr
	}
	const standard = "maxmemory-policy noeviction maxmemory 0 appendonly no min-replicas-to-write 0"
	setIssuerAlone(t)
	for _, tt := range []struct {
		name, url, set, evict string
		code                  int
		want                  string
	}{
		{name: "in order but for what a restart loses", url: server.URL, code: exitDone, want: ""},
		{name: "a replica", url: replica.URL, code: exitRefused, want: "this server is a replica (of " + primary.Addr + "): it takes no writes"},
		{name: "a user who reads", url: user("reader", "~* &* +@all -@write"), code: exitRefused, want: "this user may not write: NOPERM"},
		{name: "a user of other keys", url: user("stranger", "~other:* &* +@all"), code: exitRefused, want: "this user may not write: NOPERM"},
		{name: "a user without CONFIG", url: user("server", "~tg:* &* +@all -config"), code: exitDone, want: ""},
		{name: "too few replicas", url: server.URL, set: "min-replicas-to-write 1", code: exitRefused, want: "min-replicas-to-write is 1, but no replica is in step"},
		{name: "too few replicas, seen by nobody", url: user("server", "~tg:* &* +@all -config"), set: "min-replicas-to-write 1", code: exitRefused, want: "a write is refused: NOREPLICAS"},
		{name: "full", url: server.URL, set: "maxmemory 1", code: exitRefused, want: "Redis refuses every write (OOM)"},
		{name: "evicts", url: server.URL, set: "maxmemory-policy allkeys-lru", code: exitRefused, want: "maxmemory-policy is allkeys-lru"},
		{name: "evicts, and may", url: server.URL, set: "maxmemory-policy allkeys-lru", evict: "true", code: exitDone, want: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mustConfigSet(t, control, strings.Fields(standard+" "+tt.set)...)
			t.Setenv("TOLLGATE_REDIS_URL", tt.url)
			t.Setenv("TOLLGATE_REDIS_ALLOW_EVICTION", tt.evict)
			code, _, told := tell("", "validate", "--online")
			if code != tt.code || !strings.Contains(told, tt.want) || strings.Contains(told, "secret") {
				t.Errorf("exit %d, want %d: %s", code, tt.code, told)
			}
		})
	}
	mustConfigSet(t, control, strings.Fields(standard)...)
	if n, err := control.DBSize(t.Context()).Result(); err != nil || n > 0 {
		t.Errorf("%d keys were written (%v)", n, err)
	}
}
