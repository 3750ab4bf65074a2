package revocation_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// A bare jti is kept for the longest access life that any process of the store
// allows, not that of whoever revokes; a life once allowed is not forgotten.
func TestBareJTILivesByTheLongestAccessLife(t *testing.T) {
	m, client := testkit.MustMini(t)
	_ = m
	open := func(access time.Duration) *revocation.Redis {
		r, err := revocation.NewRedis(client, "t:", revocation.Settings{AccessLife: access, Leeway: 10 * time.Second, Own: "https://a.example"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		return r
	}
	admin, issuer := open(5*time.Minute), open(time.Hour)
	lowered := open(time.Minute)
	for i, r := range []*revocation.Redis{admin, issuer, lowered} {
		rev, err := r.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: string(rune('a' + i))})
		if err != nil {
			t.Fatal(err)
		}
		if life := rev.ExpiresAt.Sub(rev.RevokedAt); life < time.Hour-time.Second || life > time.Hour+time.Second {
			t.Errorf("process %d: the jti is kept for %s, want an hour", i, life)
		}
	}
	named := time.Now().Add(2 * time.Minute)
	rev, err := admin.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "named", ExpiresAt: named})
	if err != nil || rev.ExpiresAt.Sub(named).Abs() > time.Second {
		t.Errorf("a jti with an end of its own: %v %v", rev.ExpiresAt, err)
	}
}

// TestAllow: a longer life that a process allows from now on counts for all, for
// cut-offs too where it is longer than a session's; it survives a loss with the process.
func TestAllow(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		f := newFleet(t, k)
		if err := f.all[1].store.Allow(t.Context(), 9000*time.Hour); err != nil {
			t.Fatal(err)
		}
		want := func(when string) {
			t.Helper()
			for _, kind := range []revocation.Kind{revocation.KindJTI, revocation.KindSigned, revocation.KindSession, revocation.KindSubject, revocation.KindAll} {
				value := "x"
				if kind == revocation.KindAll {
					value = ""
				}
				rev := mustRevoke(t, f.all[0], kind, value)
				if life := time.Until(rev.ExpiresAt).Round(time.Hour); life != 9000*time.Hour {
					t.Errorf("%s: %s is kept for %s", when, kind, life)
				}
			}
		}
		want("allowed")
		if err := f.all[2].store.Allow(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		want("a shorter one after it")
		before := f.epoch()["id"]
		f.awaitLevel()
		loser{k, t, f.all[0].store}.do("flushall")
		f.awaitMended(before)
		want("after a loss")
	})
}
