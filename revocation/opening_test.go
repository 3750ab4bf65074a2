package revocation

import (
	"context"
	"errors"
	"testing"
	"time"
)

// revoked says something by the process without a mirror, or wants it to be refused.
func (w *world) revoked(value string) error {
	_, err := w.store.Revoke(w.t.Context(), Order{Kind: KindJTI, Value: value})
	return err
}

// emptied has a settled world lose everything, and the first process begin an epoch that it
// has not read. The others follow it.
func emptied(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.settle()
	w.say(w.procs[1], KindSession, 0)
	w.settle()
	w.mini.FlushAll()
	for _, p := range w.procs {
		w.scan(p)
		w.mustTell(p)
	}
	return w
}

// mustTell has a process tell the store of a loss, but put nothing back and open nothing.
func (w *world) mustTell(p *modelProc) {
	w.t.Helper()
	if _, err := p.tellLoss(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// mustOpenShut has a process open what it is to open.
func (w *world) mustOpenShut(p *modelProc) {
	w.t.Helper()
	if err := p.openShut(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// mustRead has a process read what the store tells, to its end.
func (w *world) mustRead(p *modelProc) {
	w.t.Helper()
	for range 100 {
		if w.scan(p); p.loss.level {
			return
		}
	}
	w.t.Fatalf("not level: %+v", p.Status())
}

// wantShut checks whether the store takes revocations.
func (w *world) wantShut(when string, want bool) {
	w.t.Helper()
	if err := w.revoked("j5"); errors.Is(err, ErrShut) != want || (err != nil) != want || want != errors.Is(err, ErrUnavailable) {
		w.t.Fatalf("%s: %v; to be shut: %t", when, err, want)
	}
}

// TestShutUntilRead: nothing is acknowledged after a loss before the process that began the
// new epoch has read it to its end, whoever else has.
func TestShutUntilRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 11)
	w.settle()
	w.wantShut("the first epoch", false)
	w.settle()
	w.mini.FlushAll()
	w.wantShut("emptied", true)
	first, other := w.procs[0], w.procs[1]
	for _, p := range []*modelProc{first, other} {
		w.scan(p)
		w.mustTell(p)
	}
	w.wantShut("begun", true)
	w.mustOpenShut(first)
	w.wantShut("not read", true)
	w.mustRead(other)
	w.mustOpenShut(other)
	w.wantShut("read by another one", true)
	w.mustRead(first)
	w.mustOpenShut(first)
	w.wantShut("read", false)
	w.settle()
	w.wantAll("revoked then", w.tokens[5], Revoked)
	w.wantAll("never revoked", w.tokens[2], Clear)
}

// TestLostBeforeAnybodyReadIt: an epoch that began on an emptied store is lost before anybody
// has read it. Nobody can have been told anything in it, so that all is vouched for again
// without a person.
func TestLostBeforeAnybodyReadIt(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(w *world){
		"and nothing is left":            func(w *world) { w.mini.FlushAll() },
		"and there is one that is older": func(w *world) { w.mini.FlushAll(); w.mustPut() },
		"and a log-in comes first": func(w *world) {
			w.mini.FlushAll()
			w.addToken(3)
		},
		"twice": func(w *world) {
			w.mini.FlushAll()
			w.scan(w.procs[0])
			w.mustTell(w.procs[0])
			w.mini.FlushAll()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 12)
			w.settle()
			w.say(w.procs[1], KindSession, 0) // of token 0
			w.settle()
			w.was = w.copyOf()
			w.mini.FlushAll()
			for _, p := range w.procs {
				w.scan(p)
				w.mustTell(p)
			}
			again(w)
			w.settle()
			w.wantAll("revoked before", w.tokens[0], Revoked)
			w.wantAll("never revoked", w.tokens[2], Clear)
		})
	}
}

// mustPut puts back what the world has kept.
func (w *world) mustPut() {
	w.t.Helper()
	if _, err := w.client.TxPipelined(w.t.Context(), w.was); err != nil {
		w.t.Fatal(err)
	}
}

// TestOpenedAndLost: once an epoch took revocations, somebody has to have known all of it. The
// one that had opened it is gone or does not know, and the writer is gone.
func TestOpenedAndLost(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world, *modelProc){
		"gone":      (*world).begin,
		"cut off":   func(_ *world, p *modelProc) { p.failed(context.DeadlineExceeded) },
		"and loads": func(_ *world, p *modelProc) { p.gap(gapChain); p.loss.wasLevel = false },
	} {
		t.Run(name, func(t *testing.T) {
			w := emptied(t, 13)
			w.mustRead(w.procs[0])
			w.mustOpenShut(w.procs[0])
			if err := w.revoked("j2"); err != nil {
				t.Fatal(err)
			}
			end(w, w.procs[0])
			w.mini.FlushAll()
			w.wantUnsettled(w.tokens[2])
			if err := w.procs[1].Recover(t.Context(), Recovery{Actor: "admin"}); err != nil {
				t.Fatal(err)
			}
			w.settle()
			w.wantAll("after somebody has decided", w.tokens[2], Clear)
			w.wantAll("revoked before", w.tokens[0], Revoked)
		})
	}
}

// wantUnsettled lets everybody read and mend for long, and checks that nobody vouches for tok.
func (w *world) wantUnsettled(tok *Token) {
	w.t.Helper()
	for range 20 {
		w.forward(time.Second)
		for _, p := range w.procs {
			w.mend(p)
			w.scan(p)
		}
	}
	for i, p := range w.procs {
		if v := p.Check(w.t.Context(), tok); v.State != Unknown || v.Cause != CauseLost {
			w.t.Errorf("process %d: %+v", i, v)
		}
	}
}

// TestBegunOnWhatNobodyKnew: a process that knows nothing took the emptied store for a first
// one, and somebody was told something in it. What came of that is lost with the epoch that
// began on it, though nobody was told anything in that one.
func TestBegunOnWhatNobodyKnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 16)
	w.settle()
	w.mini.FlushAll()
	if err := w.newStore().Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.revoked("j5"); err != nil {
		t.Fatal(err)
	}
	w.scan(w.procs[0])
	w.mustTell(w.procs[0])
	w.mini.FlushAll()
	w.wantUnsettled(w.tokens[2])
}

// TestBegunByOneWhoDidNotKnow: nobody knew all of what was lost first, and the epoch that began
// then is lost before anybody has read it. Tokens that were born in it pass.
func TestBegunByOneWhoDidNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 17)
	w.settle()
	for _, p := range w.procs {
		p.failed(context.DeadlineExceeded)
	}
	w.mini.FlushAll()
	w.scan(w.procs[0])
	w.mustTell(w.procs[0])
	w.addToken(4)
	w.mini.FlushAll()
	w.wantUnsettled(w.tokens[2])
	w.wantAll("born after the first loss", w.tokens[4], Clear)
}

// TestOpenedByAnother: the process that was to open an epoch is gone. Another one that has
// read it begins one of its own, and nothing is given up.
func TestOpenedByAnother(t *testing.T) {
	t.Parallel()
	w := emptied(t, 14)
	first, others := w.procs[0], w.procs[1:]
	w.procs = others
	for range 4 { // of mendEvery
		for _, p := range others {
			w.readAll(p)
			w.mustOpenShut(p)
		}
		w.wantShut("nobody has waited for long", true)
		w.forward(openPatience / 5)
	}
	w.settle()
	w.wantShut("after that", false)
	w.settle()
	w.wantAll("revoked before", w.tokens[0], Revoked)
	w.wantAll("never revoked", w.tokens[2], Clear)

	w.procs = append(w.procs, first) // it comes back, late
	w.settle()
	w.wantAll("with the late one", w.tokens[2], Clear)
	w.wantShut("with the late one", false)
}

// TestOpenAfterEvictions: a server that evicts takes revocations while what is left is read: it
// may do so all the time. One that has evicted the epoch, too, has lost it.
func TestOpenAfterEvictions(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]bool{"an entry": false, "the epoch": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 18)
			w.settle()
			p := w.procs[0]
			seen := p.loss.followed.ID
			if gone {
				w.mini.Del(w.store.names.epoch)
				seen = ""
			}
			p.mu.Lock()
			p.find(finding{reason: gapEvicted, seen: seen, evicted: "run 1"})
			p.mu.Unlock()
			w.mustTell(p)
			if p.loss.followed.Lost == 0 || p.loss.untouched != gone {
				t.Fatalf("%+v, untouched: %t", p.loss.followed, p.loss.untouched)
			}
			w.wantShut("begun", gone)
			w.settle()
			w.wantShut("settled", false)
		})
	}
}

// TestHurry: after a loss was noticed a feed looks sooner than it does else, and not less
// often than it was told to.
func TestHurry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 15)
	f := w.procs[0].feed
	for block, want := range map[time.Duration]time.Duration{time.Second: hasteBlock, hasteBlock / 5: hasteBlock / 5} {
		f.SetBlock(block)
		f.haste.Store(0)
		if got := f.betweenScans(); got != block {
			t.Errorf("between scans %s, told %s", got, block)
		}
		f.hurry()
		if got := f.betweenScans(); got != want {
			t.Errorf("in a hurry %s, want %s", got, want)
		}
	}
}

// TestRevokedWhereAnUndoWasLost: the store has come back without an undo, and says of what is
// revoked again that it has been all the time. That would be taken back with the undo; the
// process that knows of it does not acknowledge it, and tells of the loss.
func TestRevokedWhereAnUndoWasLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 19)
	w.settle()
	order := Order{Kind: KindJTI, Value: "j2", ExpiresAt: w.now.Add(time.Minute)}
	first, err := w.store.Revoke(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	w.was = w.copyOf()
	w.settle()
	p := w.procs[1]
	w.mustUndo(first)
	w.settle()
	w.wantAll("undone", w.tokens[2], Clear)
	w.mini.FlushAll()
	w.mustPut()
	if r, err := p.Revoke(t.Context(), order); !errors.Is(err, ErrShut) {
		t.Fatalf("%+v, %v", r, err)
	}
	w.settle()
	if _, err := p.Revoke(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.wantAll("revoked again", w.tokens[2], Revoked)
}
