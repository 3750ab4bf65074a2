package revocation_test

import (
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestLookUpOnAReplica: what a replica answers may be as old as can be, whether it was
// one from the beginning or was made one while it was asked: nothing is clear by it.
// Once it is the primary (again) it is asked as before.
func TestLookUpOnAReplica(t *testing.T) {
	t.Parallel()
	first, second := testkit.MustStartRedis(t), testkit.MustStartRedis(t)
	primary, replica := testkit.MustClient(t, first.Addr), testkit.MustClient(t, second.Addr)
	s := mustOpen(t, primary, revocationtest.Settings())
	behind, err := revocation.NewRedis(replica, "tg:", revocationtest.Settings())
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tok := &revocation.Token{Own: true, JTI: "a", Subject: "u", Born: at, IssuedAt: at / 1e6}
	if v := s.Check(t.Context(), tok); v.State != revocation.Clear {
		t.Fatalf("on the primary: %+v", v)
	}
	host, port, _ := strings.Cut(first.Addr, ":")
	if err := replica.SlaveOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	testkit.MustAwait(t, "synchronised", func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	refuse := func(what string, s *revocation.Redis) {
		t.Helper()
		for range 3 {
			if v := s.Check(t.Context(), tok); v.State != revocation.Unknown || v.Cause != revocation.CauseUnreachable {
				t.Errorf("%s: %+v", what, v)
			}
		}
		if _, err := s.Epoch(t.Context()); err == nil {
			t.Errorf("%s tells its epoch", what)
		}
	}
	refuse("a replica", behind)

	// They change places.
	if err := replica.SlaveOf(t.Context(), "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	host, port, _ = strings.Cut(second.Addr, ":")
	if err := primary.SlaveOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	refuse("a deposed primary", s)
	testkit.MustAwait(t, "the new primary is asked", func() bool { return behind.Check(t.Context(), tok).State == revocation.Clear })
	mustRevoke(t, behind, revocation.KindJTI, "a")
	if v := behind.Check(t.Context(), tok); v.State != revocation.Revoked {
		t.Errorf("revoked there: %+v", v)
	}
	time.Sleep(50 * time.Millisecond)
	if v := s.Check(t.Context(), tok); v.State == revocation.Clear {
		t.Errorf("on the deposed one: %+v", v)
	}
}

// TestLookUpKnowsNoScript: a server that does not know the script (any more) is given it.
func TestLookUpKnowsNoScript(t *testing.T) {
	onBothLive(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		tok := &revocation.Token{Issuer: "https://other.example", JTI: "a", IssuedAt: time.Now().Unix()}
		for range 3 {
			if v := s.Check(t.Context(), tok); v.State != revocation.Clear {
				t.Errorf("%+v", v)
			}
			if err := k.client.ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
