package revocation_test

import (
	"fmt"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

const restored = "restored after a loss"

// inForce is what is in force, by value; what has none by its digest.
func inForce(t *testing.T, s revocation.Store) map[string]revocation.Revocation {
	t.Helper()
	p, err := s.List(t.Context(), revocation.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]revocation.Revocation{}
	for _, r := range p.Items {
		name := r.Value
		if name == "" {
			name = r.ID[:32]
		}
		out[name] = r
	}
	return out
}

// mustSay revokes with words.
func mustSay(t *testing.T, s revocation.Store, kind revocation.Kind, value, why, who string) revocation.Revocation {
	t.Helper()
	r, err := taken(func() (revocation.Revocation, error) {
		return s.Revoke(t.Context(), revocation.Order{Kind: kind, Value: value, Reason: why, Actor: who})
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWordsOfALoss: of three processes one has a journal. Whoever of them puts back
// first, a list then shows what that journal knows: all of what its process has written, the
// times of what others have, and no reason that belongs to another statement.
func TestWordsOfALoss(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		journal := mustOpenJournal(t, journalPath(t))
		c := mirror(t, k.client, func(cfg *revocation.MirrorConfig) { cfg.Journal = journal })
		f := fleet{kit: k, t: t, all: []*copier{mirror(t, k.client), c, mirror(t, k.client)}}
		f.awaitLevel()
		mine := mustSay(t, c, revocation.KindJTI, "mine", "stolen", "ann")
		silent := mustSay(t, c, revocation.KindSession, "silent", "", "")
		first := mustSay(t, c, revocation.KindSubject, "both", "the first", "ann")
		both := mustSay(t, f.all[0], revocation.KindSubject, "both", "the second", "ben")
		his := mustSay(t, f.all[0], revocation.KindJTI, "his", "lost", "ben")
		digest := revocation.DigestOf(his.Issuer, his.Kind, his.Value)
		f.awaitLevel()
		testkit.MustAwait(t, "all in the journal", func() bool { return len(recordsOf(t, journal)) == 4 })
		before := f.epoch()["id"]

		loser{k, t, c.store}.do("flushall")
		f.awaitMended(before)
		testkit.MustAwait(t, "described", func() bool {
			l := inForce(t, c)
			return l["mine"].ID != "" && l["both"].ID != "" && l["silent"].ID != ""
		})
		got := inForce(t, c)
		for _, want := range []revocation.Revocation{mine, silent} {
			if r := got[want.Value]; r.ID != want.ID || r.Issuer != want.Issuer || r.Subject != want.Subject || r.Reason != want.Reason || r.Actor != want.Actor {
				t.Errorf("listed as %+v, was %+v", r, want)
			}
		}
		for _, want := range []revocation.Revocation{first, both} {
			r, err := c.Get(t.Context(), want.ID)
			if err != nil || !r.UndoneAt.IsZero() || r.Issuer != want.Issuer || r.Reason != restored || r.Actor != "" {
				t.Errorf("of two statements: %+v, %v", r, err)
			}
		}
		if r := got[digest.String()]; r.ID != his.ID || r.Issuer != "" || r.Reason != restored {
			t.Errorf("of another process: %+v", r)
		}
		fresh := mirror(t, k.client)
		fresh.awaitLevel()
		if s := fresh.Status(); s.Entries != 4 {
			t.Errorf("%d entries in the feed", s.Entries)
		}
		k.wantChain(t, c.store, k.feed(t, c.store))
	})
}

// TestWordsOfAJournalThatCannotBeRead: it is tried again, and mending does not wait for it.
func TestWordsOfAJournalThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, client := testkit.MustMini(t)
	mustOpen(t, client, revocationtest.Settings())
	book := notebook{unread: 1}
	c := mirror(t, client, func(cfg *revocation.MirrorConfig) { cfg.Journal = &book })
	c.awaitLevel()
	for i := range 70 { // more than one batch
		mustSay(t, c, revocation.KindJTI, fmt.Sprint(i), "stolen", "ann")
	}
	c.awaitLevel()
	loser{kit{client: client}, t, c.store}.do("flushall")
	c.awaitMended(70)
	for _, r := range inForce(t, c) {
		if r.Reason != "stolen" || r.Actor != "ann" || r.RevokedAt.Year() < 2000 {
			t.Errorf("%+v", r)
		}
	}
	if book.unread != 0 {
		t.Error("it was never read in vain")
	}
}

// TestWordsAfterARestart: a process whose journal knows the words, and which was away when
// others put back, or ended before it had told the store, does so when it comes back.
func TestWordsAfterARestart(t *testing.T) {
	t.Parallel()
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	k := kit{client: client}
	mustOpen(t, client, revocationtest.Settings())
	path := journalPath(t)
	start := func() (*copier, *revocation.Journal) {
		j := mustOpenJournal(t, path)
		c := newMirror(t, client, func(cfg *revocation.MirrorConfig) { cfg.Journal = j })
		if err := c.Load(j); err != nil {
			t.Fatal(err)
		}
		c.run()
		c.awaitLevel()
		return c, j
	}
	f := fleet{kit: k, t: t, all: []*copier{mirror(t, client), mirror(t, client), mirror(t, client)}}
	f.awaitLevel()
	c, j := start()
	mine := mustSay(t, c, revocation.KindJTI, "mine", "stolen", "ann")
	f.awaitLevel()
	c.stop()
	mustClose(t, j)
	before := f.epoch()["id"]
	loser{k, t, c.store}.do("flushall")
	f.awaitMended(before)
	if r := inForce(t, c)[revocation.DigestOf(mine.Issuer, mine.Kind, mine.Value).String()]; r.Reason != restored || r.Issuer != "" {
		t.Fatalf("put back by others: %+v", r)
	}
	again := func(when string) {
		t.Helper()
		c, j = start()
		testkit.MustAwait(t, when, func() bool {
			r := inForce(t, c)["mine"]
			return r.ID == mine.ID && r.Reason == "stolen" && r.Actor == "ann"
		})
		c.stop()
		mustClose(t, j)
	}
	again("it was away")
	key := c.store.EntryKey(revocation.DigestOf(mine.Issuer, mine.Kind, mine.Value))
	for name := range client.HGetAll(t.Context(), key).Val() {
		if strings.HasPrefix(name, "s:") {
			loser{k, t, c.store}.do("hdel", key, name)
		}
	}
	loser{k, t, c.store}.do("hset", key, "iss", "", "id", "", "cut", "1", "s:1", `{"why":"`+restored+`","who":"","exp":"0","u":""}`)
	again("it ended too early")
}
