package revocation_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// serverFleet is a fleet of a real server, with what a test does to its process.
func serverFleet(t *testing.T, args ...string) (fleet, *testkit.RedisServer) {
	t.Helper()
	s := testkit.MustStartRedis(t, args...)
	return newFleet(t, kit{client: testkit.MustClient(t, s.Addr)}), s
}

// aof returns the server's append-only files by path.
func (f fleet) aof() map[string][]byte {
	f.t.Helper()
	dir := f.client.ConfigGet(f.t.Context(), "dir").Val()["dir"]
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*"))
	if err != nil || len(files) == 0 {
		f.t.Fatalf("append-only files in %s: %v, %v", dir, files, err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		if out[file], err = os.ReadFile(file); err != nil {
			f.t.Fatal(err)
		}
	}
	return out
}

// restore has a server that was killed come back with files that it had.
func (f fleet) restore(files map[string][]byte) {
	f.t.Helper()
	for file, data := range files {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

// TestRollbackKeepsTheEpoch: the server dies and comes back with an older append-only
// file, the epoch being the same one. What it has forgotten stays refused, and is put
// back.
func TestRollbackKeepsTheEpoch(t *testing.T) {
	t.Parallel()
	f, s := serverFleet(t, "--appendfsync", "always") // what is acknowledged is in the file
	first := f.all[0].born("first")
	mustRevoke(t, f.all[0], revocation.KindJTI, "first")
	old := f.aof()
	what := f.teach()
	s.MustKill()
	f.restore(old)
	s.MustRestart()
	if got := f.epoch()["id"]; got != what.epoch && len(fieldsOf(f.epoch()["from"])) == 0 {
		t.Fatalf("the rollback has epoch %q, was %q", got, what.epoch)
	}
	f.awaitMended(what.epoch)
	f.wantKnown("mended", what)
	f.wantStore(what)
	f.all[1].wantState("revoked before the file was copied", first, revocation.Revoked)
	f.wantLate(what.epoch)
}

// TestComesBackEmpty: the server dies and has kept nothing.
func TestComesBackEmpty(t *testing.T) {
	t.Parallel()
	f, s := serverFleet(t, "--appendonly", "no")
	what := f.teach()
	stop := f.watch(what)
	s.MustKill()
	time.Sleep(3 * block) // refused meanwhile: nobody is served
	s.MustRestart()
	f.awaitMended(what.epoch)
	stop()
	f.wantKnown("mended", what)
	f.wantStore(what)
	f.wantLate(what.epoch)
}

// TestNothingLost: a restart and a reload that lose nothing are no loss.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	f, s := serverFleet(t, "--appendfsync", "always", "--enable-debug-command", "yes")
	what := f.teach()
	if err := f.client.Do(t.Context(), "debug", "reload").Err(); err != nil {
		t.Fatal(err)
	}
	f.awaitLevel()
	s.MustKill()
	s.MustRestart()
	f.awaitLevel()
	f.wantKnown("after", what)
	if got := f.epoch()["id"]; got != what.epoch || f.all[0].Status().Losses != 0 {
		t.Errorf("epoch %s, was %s; %s", got, what.epoch, f.all[0].detail())
	}
}

// TestReloadBeforeOthersPutBack: a process that starts while the others have not put
// back yet vouches for nothing old, and knows all when they have.
func TestReloadBeforeOthersPutBack(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		f := newFleet(t, k)
		what := f.teach()
		loser{k, t, f.all[0].store}.do("flushall")
		fresh := newMirror(t, k.client)
		if err := fresh.store.Open(t.Context()); err != nil { // it believes that the store is new
			t.Fatal(err)
		}
		fresh.run()
		testkit.MustAwait(t, "loaded", func() bool { return fresh.Ready() == nil && fresh.Status().Epoch.Lost != 0 }, fresh.detail)
		if v := fresh.Check(t.Context(), what.clear); v.State == revocation.Clear {
			t.Errorf("vouches for old tokens: %+v", v)
		}
		f.awaitMended(what.epoch)
		for name, tok := range map[string]*revocation.Token{"jti": what.jti, "subject": what.subject, "again": what.again} {
			fresh.awaitState(name, tok, revocation.Revoked)
		}
		fresh.awaitState("undone", what.undone, revocation.Clear)
		fresh.awaitState("clear", what.clear, revocation.Clear)
	})
}

// TestTwoLossesInARow: the second comes while the first is being mended.
func TestTwoLossesInARow(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		f := newFleet(t, k)
		what := f.teach()
		l := loser{k, t, f.all[0].store}
		l.do("flushall")
		testkit.MustAwait(t, "the first epoch", func() bool { return f.epoch()["lost"] != "" })
		first := f.epoch()["id"]
		for _, c := range f.all {
			testkit.MustAwait(t, "at the first epoch", func() bool { return c.Status().Epoch.ID == first }, c.detail)
		}
		f.awaitLevel()
		l.do("flushall")
		testkit.MustAwait(t, "the second epoch", func() bool { e := f.epoch(); return e["lost"] != "" && e["id"] != first })
		f.awaitMended(first)
		f.wantKnown("mended", what)
		f.wantStore(what)
		if n := f.all[0].Status().Losses; n != 2 {
			t.Errorf("%d losses", n)
		}
	})
}

// TestUndoAndRevokeAgainAroundALoss: what was said last holds, whichever side of the
// loss it was said on.
func TestUndoAndRevokeAgainAroundALoss(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		f := newFleet(t, k)
		a, b := f.all[0], f.all[1]
		undone, again := a.born("undone"), a.born("again")
		u := mustRevoke(t, a, revocation.KindSubject, "u-undone")
		mustUndo(t, b, u.ID)
		mustUndo(t, a, mustRevoke(t, a, revocation.KindJTI, "again").ID)
		f.awaitLevel()
		before := f.epoch()["id"]
		loser{k, t, a.store}.do("flushall")
		mustRevoke(t, b, revocation.KindJTI, "again") // into the emptied store
		f.awaitMended(before)
		for i, c := range f.all {
			c.wantState(fmt.Sprint("undone before, mirror ", i), undone, revocation.Clear)
			c.wantState(fmt.Sprint("revoked again after, mirror ", i), again, revocation.Revoked)
		}
		// What was put back can be undone and revoked like all else.
		for _, r := range listed(t, a) {
			if r.Kind == revocation.KindJTI && r.InForce() {
				mustUndo(t, a, r.ID)
			}
		}
		for i, c := range f.all {
			c.awaitState(fmt.Sprint("undone after, mirror ", i), again, revocation.Clear)
		}
	})
}

func listed(t *testing.T, s revocation.Store) []revocation.Revocation {
	t.Helper()
	p, err := s.List(t.Context(), revocation.Filter{Undone: true})
	if err != nil {
		t.Fatal(err)
	}
	return p.Items
}

// TestLaggingProcessMerges: a process that heard neither of an undo nor of the loss
// puts back, late, what was undone meanwhile: it stays undone.
func TestLaggingProcessMerges(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		f := newFleet(t, k)
		a, lagging := f.all[0], f.all[2]
		jti, cut := a.born("j"), a.born("c")
		r, c := mustRevoke(t, a, revocation.KindJTI, "j"), mustRevoke(t, a, revocation.KindSubject, "u-c")
		f.awaitLevel()
		lagging.stop()
		mustUndo(t, a, r.ID)
		mustUndo(t, a, c.ID)
		f.all[1].awaitLevel()
		before := f.epoch()["id"]
		loser{k, t, a.store}.do("flushall")
		testkit.MustAwait(t, "mended", func() bool { e := f.epoch(); return e["id"] != before && e["id"] != "" && e["lost"] == "" })
		lagging.wantState("not heard of the undo", jti, revocation.Revoked)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = lagging.Mirror.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		for i, c := range f.all {
			c.awaitState(fmt.Sprint("jti at ", i), jti, revocation.Clear)
			c.awaitState(fmt.Sprint("cut-off at ", i), cut, revocation.Clear)
		}
		time.Sleep(3 * block)
		if v := a.store.Check(t.Context(), jti); v.State != revocation.Clear {
			t.Errorf("store: %+v", v)
		}
	})
}

// TestEvictionOfOneEntry: the server drops one entry to make room. Look-ups would not
// find it any more; the store stops vouching, and it is put back.
func TestEvictionOfOneEntry(t *testing.T) {
	t.Parallel()
	f, _ := serverFleet(t, "--maxmemory-policy", "volatile-ttl")
	a := f.all[0]
	tok := a.born("j")
	if _, err := a.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "j", ExpiresAt: time.Now().Add(40 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	mustRevoke(t, a, revocation.KindSession, "longer lived")
	f.awaitLevel()
	time.Sleep(1500 * time.Millisecond) // everybody has looked at the count
	before, key := f.epoch()["id"], a.store.EntryKey(revocation.DigestOf(revocationtest.Settings().Own, revocation.KindJTI, "j"))
	used := f.client.Info(t.Context(), "memory").Val()
	l := loser{f.kit, t, a.store}
	l.do("config", "set", "maxmemory", "1")
	_ = f.client.Set(t.Context(), "x", "x", time.Hour).Err() // evicts, and fails
	l.do("config", "set", "maxmemory", "0")
	if f.client.Exists(t.Context(), key).Val() != 0 {
		t.Fatalf("not evicted: %s", used)
	}
	f.awaitMended(before)
	if v := a.store.Check(t.Context(), tok); v.State != revocation.Revoked {
		t.Errorf("store: %+v", v)
	}
	f.wantLate(before)
}
