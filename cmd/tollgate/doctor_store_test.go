package main

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/issuer/users"
	"tollgate/keys"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

func TestLost(t *testing.T) {
	const life = 24 * time.Hour
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMicro() }
	tests := []struct {
		name        string
		born, since int64
		want        []string
	}{
		{"the first life", ago(time.Hour), 0, nil},
		{"mended", ago(time.Hour), ago(2 * time.Hour), nil},
		{"being mended", ago(time.Second), ago(time.Second), []string{"info store.lost: Redis has lost what was revoked before 2026-05-01 11:59:59Z"}},
		{"not mended", ago(time.Hour), ago(time.Hour), []string{"error store.lost: Redis has lost what was revoked before 2026-05-01 11:00:00Z, and nobody"}},
		{"nearly over", ago(life - time.Second), ago(life - time.Second), []string{"error store.lost"}},
		{"over", ago(life), ago(life), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := revocation.Epoch{ID: "x", Born: tt.born, CompleteSince: tt.since, Clock: now.UnixMicro()}
			wantFindings(t, lost(e, life), tt.want...)
		})
	}
}

func TestShutEpoch(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]string{time.Second: "info store.shut", time.Minute: "error store.shut"} {
		wantFindings(t, []finding{shutEpoch(revocation.Epoch{Born: now.Add(-age).UnixMicro(), Clock: now.UnixMicro()})}, want)
	}
}

// TestDoctorOnTheStore follows a store from the very first look to its loss.
func TestDoctorOnTheStore(t *testing.T) {
	server := testkit.MustStartRedis(t, "--appendfsync", "always")
	client := testkit.MustClient(t, server.Addr)
	look := func(env map[string]string) []finding {
		t.Helper()
		settings := anyPort(env)
		settings["TOLLGATE_REDIS_URL"] = server.URL
		d := mustDoctor(t, settings)
		if err := d.examine(t.Context()); err != nil {
			t.Fatal(err)
		}
		return d.report().Findings
	}
	const noUsers, noRing, unsealed = "info users.none", "info keys.ring: there is no key ring yet", "warning keys.unsealed: the private keys are kept unsealed"
	wantFindings(t, look(nil), noUsers, "info store.epoch: the store of revocations was never opened", noRing)
	edge := map[string]string{"TOLLGATE_ENABLE_ISSUER": "false", "TOLLGATE_ENABLE_ADMIN": "false", "TOLLGATE_TRUSTED_ISSUERS_FILE": mustIssuersFile(t, "jwks_url: https://id.example/jwks")}
	wantFindings(t, look(edge), "warning store.epoch")

	c := mustLoad(t, with(map[string]string{"TOLLGATE_REDIS_URL": server.URL}))
	store, err := revocation.NewRedis(client, "tg:", revocationSettings(c))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), noUsers, noRing)
	if _, err := users.NewRedis(client, "tg:", users.NewHasher(1)).Add(t.Context(), users.New{Username: "ada", Password: "correct horse battery"}); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), noRing)
	clients, err := openRedis(&c.Redis, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = clients.Close() })
	mustRing(t, c, clients)
	wantFindings(t, look(nil), unsealed)

	// Lost while processes run: they begin another life of the store at once.
	old := strconv.FormatInt(time.Now().Add(-time.Hour).UnixMicro(), 10)
	if err := client.HSet(t.Context(), "tg:{rev}:epoch", "born", old, "complete_since", old).Err(); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), "error store.lost", unsealed)
	if err := client.HSet(t.Context(), "tg:{rev}:epoch", "shut", "1").Err(); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), "error store.shut: Redis has lost revocations and takes no others", "error store.lost", unsealed)
	// Lost while nobody was running.
	if err := client.Del(t.Context(), "tg:{rev}:epoch").Err(); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), "error store.epoch: the store of revocations is empty, but there are users or keys", unsealed)
	wantFindings(t, look(map[string]string{"TOLLGATE_REDIS_PREFIX": "other:"}), noUsers, "info store.epoch", noRing)
	// Only the keys are left.
	if err := client.Del(t.Context(), "tg:users:names").Err(); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), "error store.epoch", unsealed, noUsers)
	// It took no look to open anything.
	if n := client.Exists(t.Context(), "tg:{rev}:epoch", "tg:ring:other", "other:{rev}:epoch").Val(); n != 0 {
		t.Errorf("the doctor wrote %d keys", n)
	}
	if err := client.Set(t.Context(), "tg:{rev}:epoch", "no hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, look(nil), "error store.reach: the store of revocations cannot be read", unsealed)
}

// mustRing makes the ring as the issuer's first start does.
func mustRing(t *testing.T, c *Config, clients *redisClients) {
	t.Helper()
	store, err := c.keyStore(clients)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Open(t.Context(), ring.Config{
		Store: store, Issuer: c.Tokens.Issuer.Value,
		Settings: ring.Settings{Algorithms: c.Keys.SigningAlg.Value, Prepublish: time.Minute, TokenLife: time.Hour},
	}); err != nil {
		t.Fatal(err)
	}
}

// TestDoctorOnSealing: a ring that was made with one set of settings, looked at with
// another.
func TestDoctorOnSealing(t *testing.T) {
	const first, second = testSealing, "b3RoZXItc2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTM="
	sealedBy := func(key string, more ...string) map[string]string {
		env := map[string]string{"TOLLGATE_KEY_ENCRYPTION_KEY": key, "TOLLGATE_ALLOW_UNSEALED_KEYS": "-"}
		for _, name := range more {
			env[name] = "true"
		}
		return env
	}
	open := map[string]string{}
	tests := []struct {
		name          string
		made, lookers map[string]string
		want          []string
	}{
		{"the right key", sealedBy(first), sealedBy(first), nil},
		{"another key", sealedBy(first), sealedBy(second), []string{"error keys.sealed: the key ring cannot be opened with TOLLGATE_KEY_ENCRYPTION_KEY"}},
		{"no key", sealedBy(first), open, []string{"error keys.sealed"}},
		{"the key behind another", sealedBy(first), sealedBy(second + "," + first), []string{"info keys.reseal"}},
		{"the key before another", sealedBy(first), sealedBy(first + "," + second), nil},
		{"unsealed on purpose", open, open, []string{"warning keys.unsealed: the private keys are kept unsealed"}},
		{"unsealed still", open, sealedBy(first, "TOLLGATE_ALLOW_UNSEALED_KEYS"), []string{"warning keys.unsealed: the private keys are kept unsealed still"}},
		{"unsealed and not allowed", open, sealedBy(first), []string{"error keys.unsealed: the key ring is not sealed, and that is not allowed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, client := testkit.MustMini(t)
			clients := &redisClients{Slow: client}
			mustRing(t, mustLoad(t, with(tt.made)), clients)
			d := mustDoctor(t, tt.lookers)
			d.clients = clients
			d.ownKeys(t.Context())
			wantFindings(t, d.findings, tt.want...)
		})
	}
	t.Run("files", func(t *testing.T) {
		dir := map[string]string{"TOLLGATE_KEY_STORE": "file:" + t.TempDir()}
		mustRing(t, mustLoad(t, with(dir)), nil)
		d := mustDoctor(t, dir)
		d.ownKeys(t.Context())
		wantFindings(t, d.findings, "info keys.unsealed: the private keys lie unsealed in the directory")
	})
}

func TestJudgeRing(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	key := func(alg keys.Algorithm, state ring.State, age time.Duration) ring.Key {
		return ring.Key{ID: "x", Algorithm: alg, State: state, Activated: now.Add(-age)}
	}
	const day = 24 * time.Hour
	tests := []struct {
		name  string
		every string
		keys  []ring.Key
		want  []string
	}{
		{"in order", "720h", []ring.Key{key("ES256", ring.Active, day), key("ES256", ring.Pending, 0)}, nil},
		{"no pending key", "720h", []ring.Key{key("ES256", ring.Active, day), key("RS256", ring.Pending, 0)}, []string{"warning keys.pending: no pending ES256 key"}},
		{"overdue", "720h", []ring.Key{key("ES256", ring.Active, 31*day), key("ES256", ring.Pending, 0)}, []string{"warning keys.overdue: the active ES256 key signs since 2026-03-31"}},
		{"due now", "720h", []ring.Key{key("ES256", ring.Active, 30*day), key("ES256", ring.Pending, 0)}, nil},
		{"by hand", "0", []ring.Key{key("ES256", ring.Active, 900*day), key("ES256", ring.Pending, 0)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := mustLoad(t, with(map[string]string{"TOLLGATE_KEY_ROTATE_EVERY": tt.every}))
			wantFindings(t, judgeRing(ring.Ring{Keys: tt.keys}, c.Keys, now), tt.want...)
		})
	}
}

func TestRingFault(t *testing.T) {
	d := &doctor{}
	f := d.ringFault(errors.New("the stored ring has no version"))
	if f.Level != levelError || f.Check != "keys.ring" || f.Found != "the key ring cannot be used: the stored ring has no version" {
		t.Errorf("%+v", f)
	}
}
