package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
)

// adminBox is admin tokens and an audit log on a running Redis.
type adminBox struct {
	*store.AdminTokens
	audit *store.Audit
	redis redis.UniversalClient
	mini  bool
	pass  func(time.Duration)
}

func onEachAdmin(t *testing.T, s store.AuditSettings, test func(t *testing.T, b adminBox)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		mini, client := testkit.MustMini(t)
		now := time.Now().Truncate(time.Millisecond)
		mini.SetTime(now)
		test(t, adminBox{store.NewAdminTokens(client, "t:"), store.NewAudit(client, "t:", s), client, true, func(d time.Duration) {
			now = now.Add(d)
			mini.SetTime(now)
			mini.FastForward(d)
		}})
	})
	t.Run("redis-server", func(t *testing.T) {
		client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
		test(t, adminBox{store.NewAdminTokens(client, "t:"), store.NewAudit(client, "t:", s), client, false, func(d time.Duration) { time.Sleep(d + 5*time.Millisecond) }})
	})
}

func (b adminBox) mustCreate(t *testing.T, a store.AdminToken) (*store.AdminToken, string) {
	t.Helper()
	made, raw, err := b.Create(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return made, raw
}

func TestAdminToken(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		made, raw := b.mustCreate(t, store.AdminToken{Name: "on-call ümlaut", Role: "operator", CreatedBy: "bootstrap"})
		if id, ok := store.AdminTokenID(raw); !ok || id != made.ID || len(raw) != 64 {
			t.Errorf("token %q of %s", raw, made.ID)
		}
		if made.Name != "on-call ümlaut" || made.Role != "operator" || made.CreatedBy != "bootstrap" || time.Since(made.Created).Abs() > time.Minute ||
			!made.Expires.IsZero() || !made.Used.IsZero() || !made.Revoked.IsZero() {
			t.Errorf("%+v", made)
		}
		if used, err := b.Use(t.Context(), raw); err != nil || used.ID != made.ID || used.Role != "operator" {
			t.Fatalf("%+v, %v", used, err)
		}
		flipped := "A"
		if strings.HasSuffix(raw, "A") {
			flipped = "B"
		}
		other, _ := b.mustCreate(t, store.AdminToken{Name: "x", Role: "viewer"})
		for name, wrong := range map[string]string{
			"nothing": "", "the id alone": made.ID, "one letter": raw[:len(raw)-1] + flipped, "shorter": raw[:len(raw)-1], "longer": raw + "A",
			"another's id": strings.Replace(raw, made.ID, other.ID, 1), "nobody's id": strings.Replace(raw, made.ID, "0000000000000000", 1),
			"another slot": strings.Replace(raw, made.ID, "}000000000000000", 1), "upper case": strings.ToUpper(raw),
		} {
			if _, err := b.Use(t.Context(), wrong); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// It stands nowhere, in no part that could be used.
		for _, key := range b.redis.Keys(t.Context(), "*").Val() {
			if text := key + fmt.Sprint(b.redis.HGetAll(t.Context(), key).Val()); strings.Contains(text, raw) || strings.Contains(text, raw[21:]) {
				t.Errorf("%s holds the token", key)
			}
		}
		revoked, err := b.Revoke(t.Context(), made.ID, "ada")
		if err != nil || revoked.RevokedBy != "ada" || revoked.Revoked.IsZero() {
			t.Fatalf("%+v, %v", revoked, err)
		}
		if who, err := b.Use(t.Context(), raw); !errors.Is(err, store.ErrRevoked) || who == nil || who.ID != made.ID {
			t.Errorf("used after that: %+v, %v", who, err)
		}
		if again, err := b.Revoke(t.Context(), made.ID, "bob"); err != nil || again.RevokedBy != "ada" {
			t.Errorf("revoked again: %+v, %v", again, err)
		}
		if _, err := b.Revoke(t.Context(), "0000000000000000", "ada"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody's: %v", err)
		}
		if ttl := b.redis.PTTL(t.Context(), "t:admin:{"+made.ID+"}").Val(); ttl <= 29*24*time.Hour || ttl > 30*24*time.Hour {
			t.Errorf("its record stays for %s", ttl)
		}
		if all, err := b.List(t.Context()); err != nil || len(all) != 2 {
			t.Errorf("%d listed, %v", len(all), err)
		}
	})
}

// TestAdminTokenExpires: by Redis's clock, to the millisecond.
func TestAdminTokenExpires(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		life := 2 * time.Second // long enough that it is made in time
		if b.mini {
			life = time.Hour
		}
		// From Redis's time: the machine's is later than the one miniredis stands at.
		_, raw := b.mustCreate(t, store.AdminToken{Name: "short", Role: "admin", Expires: b.redis.Time(t.Context()).Val().Add(life)})
		if b.mini { // a real clock goes on while a busy machine gets here
			life = time.Millisecond
			b.pass(time.Hour - life)
			if _, err := b.Use(t.Context(), raw); err != nil {
				t.Fatal(err)
			}
		}
		b.pass(life)
		if who, err := b.Use(t.Context(), raw); !errors.Is(err, store.ErrExpired) || who == nil {
			t.Errorf("%+v, %v", who, err)
		}
		if _, _, err := b.Create(t.Context(), store.AdminToken{Name: "past", Role: "admin", Expires: time.Now().Add(-time.Hour)}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("made after its expiry: %v", err)
		}
		if !b.mini {
			return
		}
		b.pass(31 * 24 * time.Hour)
		if _, err := b.Use(t.Context(), raw); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("its record is still there: %v", err)
		}
		if all, err := b.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("listed %v, %v", all, err)
		}
	})
}

// TestAdminTokenUsed: the last use is written once a minute at most.
func TestAdminTokenUsed(t *testing.T) {
	mini, client := testkit.MustMini(t)
	now := time.Now().Truncate(time.Second)
	mini.SetTime(now)
	tokens := store.NewAdminTokens(client, "t:")
	made, raw, err := tokens.Create(t.Context(), store.AdminToken{Name: "x", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ at, want time.Duration }{{0, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {119 * time.Second, time.Minute}, {time.Hour, time.Hour}} {
		mini.SetTime(now.Add(step.at))
		if _, err := tokens.Use(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		all, err := tokens.List(t.Context())
		if err != nil || len(all) != 1 || !all[0].Used.Equal(now.Add(step.want)) {
			t.Errorf("after %s: %+v, %v", step.at, all, err)
		}
	}
	mini.Del("t:admin:{" + made.ID + "}")
	if _, err := tokens.Use(t.Context(), raw); !errors.Is(err, store.ErrNotFound) || mini.Exists("t:admin:{"+made.ID+"}") {
		t.Errorf("a lost record: %v", err)
	}
	mini.Close()
	for name, err := range map[string]error{
		"use":    func() error { _, err := tokens.Use(t.Context(), raw); return err }(),
		"list":   func() error { _, err := tokens.List(t.Context()); return err }(),
		"revoke": func() error { _, err := tokens.Revoke(t.Context(), made.ID, "x"); return err }(),
		"create": func() error {
			_, _, err := tokens.Create(t.Context(), store.AdminToken{Name: "x", Role: "viewer"})
			return err
		}(),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s without Redis: %v", name, err)
		}
	}
}

func TestAdminTokenInvalid(t *testing.T) {
	_, client := testkit.MustMini(t)
	tokens := store.NewAdminTokens(client, "t:")
	for name, a := range map[string]store.AdminToken{
		"no name": {Role: "viewer"}, "blank": {Name: " x", Role: "viewer"}, "long": {Name: strings.Repeat("x", 101), Role: "viewer"},
		"control": {Name: "a\nb", Role: "viewer"}, "bytes": {Name: "a\xff", Role: "viewer"}, "no role": {Name: "x"}, "role": {Name: "x", Role: "Admin "},
	} {
		if _, _, err := tokens.Create(t.Context(), a); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if keys := client.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("left behind: %v", keys)
	}
}
