package revocation_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// notebook is a journal in memory.
type notebook struct {
	mu      sync.Mutex
	records []revocation.Kept
	at      revocation.Position
	fails   bool
	unread  int // times that it cannot be read
}

// Mark implements revocation.Journaler.
func (n *notebook) Mark(p revocation.Position) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = p
}

// Records implements revocation.Journaler.
func (n *notebook) Records(yield func(revocation.Kept) bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unread > 0 {
		n.unread--
		return errors.New("disk broken")
	}
	last := map[revocation.Digest]revocation.Kept{}
	for _, k := range n.records {
		was := last[k.Digest]
		if k.At < was.At { // put back without its date
			continue
		}
		if k.Detail == nil {
			k.Detail = was.Detail
		}
		last[k.Digest] = k
	}
	for _, k := range last {
		if !yield(k) {
			break
		}
	}
	return nil
}

// kept are the records that a restart finds.
func (n *notebook) kept() iter.Seq[revocation.Record] {
	return func(yield func(revocation.Record) bool) {
		for _, k := range n.records {
			r := revocation.Record{Digest: k.Digest, Kind: k.Kind, Cut: k.Cut, At: k.At, ExpiresAt: k.ExpiresAt, Undone: k.Undone}
			if !yield(r) {
				return
			}
		}
	}
}

func (n *notebook) Append(_ context.Context, records []revocation.Kept) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fails {
		return errors.New("disk full")
	}
	n.records = append(n.records, records...)
	return nil
}

// TestJournal: what this process writes is in its journal before it returns, what
// others write soon; a journal that takes nothing fails the write.
func TestJournal(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		store := mustOpen(t, k.client, revocationtest.Settings())
		var book notebook
		c := mirror(t, k.client, func(cfg *revocation.MirrorConfig) { cfg.Journal = &book })
		c.awaitLevel()
		holds := func(kind revocation.Kind, value string, inForce bool) bool {
			book.mu.Lock()
			defer book.mu.Unlock()
			d := revocation.DigestOf(revocationtest.Settings().Own, kind, value)
			return slices.ContainsFunc(book.records, func(r revocation.Kept) bool { return r.Digest == d && (r.Cut != 0) == inForce })
		}
		r := mustRevoke(t, c, revocation.KindJTI, "own")
		if !holds(revocation.KindJTI, "own", true) {
			t.Error("own write is not in the journal")
		}
		mustUndo(t, c, r.ID)
		if !holds(revocation.KindJTI, "own", false) {
			t.Error("own undo is not in the journal")
		}
		mustRevoke(t, store, revocation.KindJTI, "other")
		testkit.MustAwait(t, "another's write in the journal", func() bool { return holds(revocation.KindJTI, "other", true) }, c.detail)
		book.mu.Lock()
		book.fails = true
		book.mu.Unlock()
		tok := c.born("unsure")
		if _, err := c.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "unsure"}); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("with a full disk: %v", err)
		}
		c.wantState("revoked all the same", tok, revocation.Revoked)
	})
}

// TestResume: a process that comes back with what its journal kept refuses it at
// once; goes on in the same store; and puts it back into one that has lost it.
func TestResume(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		var book notebook
		first := mirror(t, k.client, func(cfg *revocation.MirrorConfig) { cfg.Journal = &book })
		first.awaitLevel()
		tok, later := first.born("j"), first.born("later")
		mustRevoke(t, first, revocation.KindJTI, "j")
		first.awaitLevel()
		at := first.Position()
		if at.Epoch == "" || at.N != 1 || at.Nonce == "" {
			t.Fatalf("position %+v", at)
		}
		first.stop()

		second := newMirror(t, k.client)
		second.Resume(at, book.kept())
		second.wantState("at once", tok, revocation.Revoked)
		mustRevoke(t, first.store, revocation.KindJTI, "later") // while it was away
		second.run()
		second.awaitState("told while it was away", later, revocation.Revoked)
		second.mu.Lock()
		if second.heard != 1 || len(second.doubts) != 0 {
			t.Errorf("heard %d records, doubts %q", second.heard, second.doubts)
		}
		second.mu.Unlock()
		second.stop()

		loser{k, t, first.store}.do("flushall")
		fresh, err := revocation.NewRedis(k.client, "tg:", revocationtest.Settings())
		if err != nil || fresh.Open(t.Context()) != nil { // it cannot know: it vouches for all
			t.Fatal(err)
		}
		third := newMirror(t, k.client)
		third.Resume(at, book.kept())
		third.run()
		testkit.MustAwait(t, "put back", func() bool { return third.Status().Merged == 1 }, third.detail)
		if v := fresh.Check(t.Context(), tok); v.State != revocation.Revoked {
			t.Errorf("store: %+v", v)
		}
		if v := fresh.Check(t.Context(), later); v.State != revocation.Unknown || v.Cause != revocation.CauseLost {
			t.Errorf("what nobody knows: %+v", v)
		}
	})
}

// TestMirrorConfig: a mirror of another store than it writes to is not made.
func TestMirrorConfig(t *testing.T) {
	_, client := testkit.MustMini(t)
	store := mustOpen(t, client, revocationtest.Settings())
	for name, cfg := range map[string]revocation.MirrorConfig{
		"no store":       {Client: client, Prefix: "tg:"},
		"no client":      {Store: store, Prefix: "tg:"},
		"other prefix":   {Store: store, Client: client, Prefix: "other:"},
		"braces":         {Store: store, Client: client, Prefix: "{tg}:"},
		"other settings": {Store: store, Client: client, Prefix: "tg:", Settings: revocation.Settings{Own: "other"}},
	} {
		if _, err := revocation.NewMirror(cfg); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
