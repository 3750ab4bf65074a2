package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestEvictionWhileMending: a server that comes back with less, in another life of its
// own, evicts what is being put back. Nobody had looked at that life's count before.
// It is noticed once the mending is over, and put back again.
func TestEvictionWhileMending(t *testing.T) {
	t.Parallel()
	f, s := serverFleet(t, "--appendonly", "no", "--maxmemory-policy", "volatile-ttl")
	a := f.all[0]
	tok := a.born("j")
	if _, err := a.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "j", ExpiresAt: time.Now().Add(40 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	f.awaitLevel()
	time.Sleep(1500 * time.Millisecond) // everybody has looked at the count
	key := a.store.EntryKey(revocation.DigestOf(revocationtest.Settings().Own, revocation.KindJTI, "j"))
	s.MustRestartEmpty()
	l := loser{f.kit, t, a.store}
	testkit.MustAwait(t, "being mended", func() bool { return f.epoch()["lost"] != "" })
	first := f.epoch()["id"]
	busy := fmt.Sprint(time.Now().Add(30 * time.Second).UnixMicro())
	l.do("hset", a.store.EpochKey(), "m:other", busy) // a process that is still at it
	testkit.MustAwait(t, "put back", func() bool { return f.client.Exists(t.Context(), key).Val() == 1 })
	for i, c := range f.all {
		testkit.MustAwait(t, fmt.Sprint("nothing left to do for ", i), func() bool {
			return f.epoch()["m:"+c.Name()] == ""
		}, c.detail)
	}
	l.do("config", "set", "maxmemory", "1")
	_ = f.client.Set(t.Context(), "x", "x", time.Hour).Err() // evicts, and fails
	l.do("config", "set", "maxmemory", "0")
	if f.client.Exists(t.Context(), key).Val() != 0 {
		t.Fatal("not evicted")
	}
	l.do("hdel", a.store.EpochKey(), "m:other")
	testkit.MustAwait(t, "put back again", func() bool { return a.store.Check(t.Context(), tok).State == revocation.Revoked }, a.detail)
	f.awaitMended(first)
}
