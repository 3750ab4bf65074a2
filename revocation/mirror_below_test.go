package revocation

import (
	"testing"
	"time"
)

// say has somebody say something of session s0, or of subject u0.
func (w *world) say(store Store, kind Kind, life time.Duration) Revocation {
	w.t.Helper()
	o := Order{Kind: kind, Value: map[Kind]string{KindSession: "s0", KindSubject: "u0"}[kind]}
	if life > 0 {
		o.ExpiresAt = w.now.Add(life)
	}
	r, err := store.Revoke(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.forward(10 * time.Millisecond)
	return r
}

func (w *world) mustUndo(r Revocation) {
	w.t.Helper()
	if _, err := w.store.Undo(w.t.Context(), r.ID); err != nil {
		w.t.Fatal(err)
	}
	w.forward(10 * time.Millisecond)
}

// wantAll checks what every process says of a token.
func (w *world) wantAll(what string, tok *Token, want State) {
	w.t.Helper()
	for i, p := range w.procs {
		if v := p.Check(w.t.Context(), tok); v.State != want {
			w.t.Errorf("%s: process %d: %+v, want %s", what, i, v, want)
		}
	}
}

// mustAdmit has the store take revocations, as when a process that has just begun takes it for
// a new one.
func (w *world) mustAdmit() {
	w.t.Helper()
	if err := w.store.Admit(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// TestCutOffsUnderTheLatest: an earlier cut-off is in force when the later one is undone,
// whatever the store has lost meanwhile, and whoever has restarted.
func TestCutOffsUnderTheLatest(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"by those who heard both": false, "by those who read of both later": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.settle()
			token := func() *Token { w.addToken(0); w.forward(10 * time.Millisecond); return w.tokens[0] }
			oldest := token()
			gone := w.say(w.store, KindSubject, 0)
			older := token()
			w.say(w.store, KindSubject, 0)
			old := token()
			latest := w.say(w.store, KindSubject, 0)
			w.mustUndo(gone) // stands under the others, and is not put back
			w.settle()
			if restart {
				for _, p := range w.procs {
					w.begin(p)
				}
				w.settle()
			}
			for range 2 { // what was put back is put back again
				w.mini.FlushAll()
				w.settle()
				w.wantAll("put back", old, Revoked)
			}
			w.mustUndo(latest)
			w.settle()
			w.wantAll("born after the second", old, Clear)
			w.wantAll("born before the second", older, Revoked)
			w.wantAll("born before all", oldest, Revoked)
		})
	}
}

// TestCutOffInAStoreThatLostEarlierOnes: a new one does not hide from anybody that the
// store lacks those before it.
func TestCutOffInAStoreThatLostEarlierOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.settle()
	w.say(w.store, KindSubject, 0)
	w.settle()
	w.mini.FlushAll()
	w.mustAdmit()
	latest := w.say(w.store, KindSubject, 0) // before anybody has put back
	w.settle()
	w.mustUndo(latest)
	w.settle()
	w.wantAll("born before the first", w.tokens[0], Revoked)
}

// TestShorterEndTellsOfALoss: a store comes back without what a process has written and
// nobody has read, and tells of the same thing with a nearer end. The writer notices.
func TestShorterEndTellsOfALoss(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{KindSession, KindSubject} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, 3)
			w.settle()
			was := w.copyOf()
			w.say(w.procs[0], kind, 0)
			w.mini.FlushAll()
			if _, err := w.client.TxPipelined(t.Context(), was); err != nil {
				t.Fatal(err)
			}
			w.say(w.store, kind, 5*time.Second)
			w.settle()
			for range 10 {
				w.forward(2 * time.Second)
				w.settle()
				w.wantAll("after the nearer end", w.tokens[0], Revoked)
			}
		})
	}
}

// TestPutBackInALaterLife: what is put back has no date; it holds all the same for whoever
// remembers the undo of an earlier life of the entry, and for his journal.
func TestPutBackInALaterLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.settle()
	w.mustUndo(w.say(w.store, KindSession, 5*time.Second))
	w.say(w.store, KindSession, 10*time.Second) // dated: there was an undo
	w.settle()
	w.forward(2 * time.Minute)
	w.addToken(0) // takes a store time: by that it is known that all is over
	w.settle()
	for i := range sweepSteps { // one forgets, the others will later
		w.procs[1].sweepOnce(i == 0)
	}
	was := w.copyOf()
	w.say(w.procs[1], KindSession, 0)
	w.mini.FlushAll()
	if _, err := w.client.TxPipelined(t.Context(), was); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.wantAll("put back", w.tokens[0], Revoked)
	w.procs[0].keepOnce(t.Context())
	w.restart(w.procs[0])
	w.settle()
	w.wantAll("after a restart", w.tokens[0], Revoked)
}

// TestNoEndComesNearer: a later cut-off that ends sooner, in a store that has lost the
// earlier one, takes nothing off that; also when there was an undo, after which a later
// record may lower what is held.
func TestNoEndComesNearer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.settle()
	w.mustUndo(w.say(w.store, KindSubject, 0))
	w.say(w.store, KindSubject, 0)
	w.settle()
	w.mini.FlushAll()
	w.mustAdmit()
	w.say(w.store, KindSubject, 3*time.Second)
	for _, p := range w.procs { // all hear of it before anybody puts back
		for range 20 {
			w.scan(p)
		}
	}
	w.settle()
	w.forward(20 * time.Second)
	w.settle()
	w.wantAll("after the nearer end", w.tokens[0], Revoked)
}
