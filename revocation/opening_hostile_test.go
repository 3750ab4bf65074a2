package revocation

import (
	"errors"
	"testing"
	"time"
)

// epochField returns a field of the epoch, as the store has it.
func (w *world) epochField(name string) string {
	return w.client.HGet(w.t.Context(), w.store.names.epoch, name).Val()
}

// mustTellOf has a process find the followed epoch wanting, and tell the store.
func (w *world) mustTellOf(p *modelProc, reason string) {
	w.t.Helper()
	p.mu.Lock()
	p.find(finding{reason: reason, seen: p.loss.followed.ID})
	p.mu.Unlock()
	w.mustTell(p)
}

// TestBegunOnWhatOthersHaveSettled: an epoch that is shut may hold what was acknowledged in the
// one before it, and vouch for that. A process that followed neither, and replaces it, has not
// read that yet: it cannot say that nobody was told anything.
func TestBegunOnWhatOthersHaveSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 21)
	w.settle()
	away := w.procs
	w.mini.FlushAll()
	if err := w.newStore().Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.revoked("j2"); err != nil {
		t.Fatal(err)
	}
	other := &modelProc{}
	w.begin(other)
	w.mustRead(other)
	w.mustTellOf(other, gapChain)
	w.procs = []*modelProc{other}
	for w.epochField("lost") != "" {
		w.mustRead(other)
		if err := other.putBack(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.forward(time.Second)
		for _, p := range away {
			p.failed(errors.New("connection refused"))
		}
	}
	if w.epochField("shut") == "" {
		t.Fatal("somebody has opened it")
	}

	w.procs = away // and the other one is gone
	w.scan(away[0])
	w.mustTell(away[0])
	w.mini.FlushAll()
	w.wantUnsettled(w.tokens[2])
}

// TestUnreadForLong: what was acknowledged in the moment before a loss was noticed is in the
// store, and the process that begins the new epoch has not read it. It says nothing of it once
// that was long ago: those who had read it may be gone before it is lost.
func TestUnreadForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 22)
	w.settle()
	if err := w.revoked("j2"); err != nil {
		t.Fatal(err)
	}
	w.mustTellOf(w.procs[0], gapEvicted)
	w.mustRead(w.procs[1])
	w.wantAllOf(w.procs[1:2], "read", w.tokens[2], Revoked)
	w.begin(w.procs[1])
	w.forward(w.procs[0].feed.cfg.Deadline + silence + time.Second)
	w.mini.FlushAll()
	w.wantUnsettled(w.tokens[2])
}

// TestNoticedAndStopped: the same, and the process that has noticed a loss is stopped before it
// tells the store.
func TestNoticedAndStopped(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world, *modelProc){
		"for long": func(w *world, p *modelProc) { w.forward(p.feed.cfg.Deadline + silence + time.Second) },
		"for long, but it has read all": func(w *world, p *modelProc) {
			w.forward(time.Second)
			for range 3 {
				w.scan(p)
			}
			w.forward(p.feed.cfg.Deadline + silence - time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 27)
			w.settle()
			w.procs = w.procs[:2]
			if err := w.revoked("j2"); err != nil {
				t.Fatal(err)
			}
			w.mustRead(w.procs[1])
			p := w.procs[0]
			p.gap(gapChain)
			p.epoch(p.loss.followed)
			w.begin(w.procs[1])
			end(w, p)
			w.mini.FlushAll()
			if v := p.CheckPrepared(p.prepared[2]); v.State == Revoked {
				w.settle()
				w.wantAll("it knew", w.tokens[2], Revoked)
				return
			}
			w.wantUnsettled(w.tokens[2])
		})
	}
}

// wantAllOf checks what some say of a token.
func (w *world) wantAllOf(procs []*modelProc, when string, tok *Token, want State) {
	w.t.Helper()
	was := w.procs
	w.procs = procs
	w.wantAll(when, tok, want)
	w.procs = was
}

// TestOpenedMeanwhile: a process that waited for an epoch to be opened, and did not hear for a
// while, does not begin another one when it was.
func TestOpenedMeanwhile(t *testing.T) {
	t.Parallel()
	w := emptied(t, 23)
	first, late := w.procs[0], w.procs[1]
	w.mustRead(late)
	w.mustOpenShut(late)
	w.mustRead(first)
	w.mustOpenShut(first)
	id := w.epochField("id")
	w.forward(3 * openPatience)
	w.mustOpenShut(late)
	w.mustTell(late)
	if now := w.epochField("id"); now != id {
		t.Errorf("epoch %s, before %s", now, id)
	}
	if late.found() {
		t.Error("still found wanting")
	}
	w.settle()
	w.wantAll("never revoked", w.tokens[2], Clear)
}

// found says whether a loss is to be told.
func (p *modelProc) found() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.loss.found != nil
}

// TestNoEpochInFlight: the answer to a scan that was sent before an epoch began says nothing of
// that one.
func TestNoEpochInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 24)
	w.settle()
	w.mini.FlushAll()
	p := w.procs[0]
	w.scan(p)
	sent := w.now
	w.forward(time.Millisecond)
	w.mustTell(p)
	id := w.epochField("id")
	p.noEpoch(sent)
	w.mustTell(p)
	if now := w.epochField("id"); now != id {
		t.Errorf("epoch %s, before %s", now, id)
	}
	w.mini.FlushAll()
	w.forward(time.Millisecond)
	p.noEpoch(w.now)
	if !p.found() {
		t.Error("an epoch that is gone is not found wanting")
	}
	w.settle()
	w.wantAll("never revoked", w.tokens[2], Clear)
}

// TestSlowToRead: whoever took long to read an epoch waits as long for the one that is to open it.
func TestSlowToRead(t *testing.T) {
	t.Parallel()
	w := emptied(t, 25)
	p := w.procs[1]
	const reading = 7 * time.Second
	w.forward(reading)
	w.mustRead(p)
	w.mustOpenShut(p)
	w.forward(openPatience + reading - time.Second)
	w.mustRead(p)
	w.mustOpenShut(p)
	if p.found() {
		t.Error("it did not wait")
	}
	w.forward(2 * time.Second)
	w.mustRead(p)
	w.mustOpenShut(p)
	if !p.found() {
		t.Error("it waits for ever")
	}
	w.procs = w.procs[1:]
	w.settle()
	w.wantShut("begun by the other one", false)
}

// TestShutAgain: a server takes over that does not know that an epoch was opened, long ago, and
// the process that could open it is gone. Another one does not wait as long as it has followed it.
func TestShutAgain(t *testing.T) {
	t.Parallel()
	w := emptied(t, 26)
	first := w.procs[0]
	w.mustRead(first)
	was := w.copyOf()
	w.mustOpenShut(first)
	w.settle()
	w.forward(time.Hour)
	w.settle()
	w.procs = w.procs[1:]
	w.settle()
	w.mini.FlushAll()
	w.was = was
	w.mustPut()
	for range 40 {
		w.forward(250 * time.Millisecond)
		for _, p := range w.procs {
			w.mend(p)
			w.scan(p)
		}
	}
	w.wantShut("ten seconds later", false)
	w.settle()
	w.wantAll("revoked before", w.tokens[0], Clear) // its life is over
}
