package revocation_test

import (
	"testing"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestJournalDiesBeforePuttingBack: a store has lost what only a process with a journal
// knows. The process reads the new epoch to its end and dies before it could put
// anything back. Its next life puts it back.
func TestJournalDiesBeforePuttingBack(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartRedis(t)
	k := kit{client: testkit.MustClient(t, s.Addr)}
	mustOpen(t, k.client, revocationtest.Settings())
	line := testkit.MustProxy(t, s.Addr)
	writes := testkit.MustClient(t, line.Addr)
	var book notebook
	first := newMirror(t, writes, func(c *revocation.MirrorConfig) { c.Client, c.Journal = k.client, &book })
	first.run()
	first.awaitLevel()
	tok, other := first.born("lost"), first.born("other")
	before := loser{k, t, first.store}.keep()
	mustRevoke(t, first, revocation.KindJTI, "lost")
	first.awaitLevel() // it is no write any more of which the feed has yet to tell
	testkit.MustAwait(t, "marked", func() bool { book.mu.Lock(); defer book.mu.Unlock(); return book.at.N == 1 })

	line.Refuse() // it reads on, and cannot write
	line.Cut()
	before()
	teller := mustOpen(t, k.client, revocationtest.Settings())
	if err := teller.Lose(t.Context()); err != nil { // somebody else begins the new epoch
		t.Fatal(err)
	}
	mustAdmit(t, teller)
	e, err := teller.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	testkit.MustAwait(t, "at the new epoch", func() bool { return first.Status().Epoch.ID == e.ID }, first.detail)
	first.awaitLevel()
	mustRevoke(t, teller, revocation.KindJTI, "other") // so that its journal moves on
	first.awaitState("told meanwhile", other, revocation.Revoked)
	testkit.MustAwait(t, "kept", func() bool { book.mu.Lock(); defer book.mu.Unlock(); return len(book.records) >= 3 })
	first.awaitLevel()
	first.stop()

	second := newMirror(t, k.client)
	second.Resume(book.at, book.kept())
	second.run()
	testkit.MustAwait(t, "put back", func() bool { return teller.Check(t.Context(), tok).State == revocation.Revoked }, second.detail)
	fresh := mirror(t, k.client)
	fresh.awaitLevel()
	fresh.wantState("to one that was not there", tok, revocation.Revoked)
}
