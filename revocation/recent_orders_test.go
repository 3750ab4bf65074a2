package revocation

import (
	"context"
	"testing"
	"time"
)

// back has the store come back with what it had when w.was was taken.
func (w *world) back() {
	w.t.Helper()
	w.mini.FlushAll()
	w.mustPut()
	w.forward(time.Millisecond)
}

// end has somebody revoke something for ten minutes.
func (w *world) end(by Store, kind Kind, value string) {
	w.t.Helper()
	if _, err := by.Revoke(w.t.Context(), Order{Kind: kind, Value: value, ExpiresAt: w.now.Add(10 * time.Minute)}); err != nil {
		w.t.Fatal(err)
	}
	w.forward(10 * time.Millisecond)
}

// notClear checks that no process lets a token through.
func (w *world) notClear(when string, tok *Token) {
	w.t.Helper()
	for i, p := range w.procs {
		if v := p.Check(w.t.Context(), tok); v.State == Clear {
			w.t.Errorf("%s: process %d lets the token through: %+v", when, i, v)
		}
	}
}

// shared lets everybody follow the epoch that there is and put back what is recent, and no more,
// until nobody is waited for.
func (w *world) shared() {
	w.t.Helper()
	for _, p := range w.procs {
		w.mustRead(p)
		w.mustTell(p)
		w.mustRead(p)
		w.mustOpenShut(p)
		w.mustShare(p)
	}
	w.give(w.procs...)
	w.window()
}

// TestUntoldIsRecent: a write that the feed does not tell of is what the loss is noticed by. It is
// with the first that the writer puts back.
func TestUntoldIsRecent(t *testing.T) {
	t.Parallel()
	w := quiet(t, 31)
	w.was = w.copyOf()
	writer := w.procs[2]
	w.end(writer, KindJTI, "j4")
	w.back()
	w.scan(writer)
	if writer.loss.found == nil {
		t.Fatal("the writer has not noticed")
	}
	w.mustTell(writer)
	w.shared()
	w.wantShared("after the window", true)
	w.wantAll("which only the writer knew", w.tokens[4], Revoked)
	w.wantAll("never revoked", w.tokens[2], Clear)
}

// TestLoadedFromLess: a server comes back without what it had acknowledged a minute before. Who
// reads it only then knows nothing of that, however lately he has read.
func TestLoadedFromLess(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(w *world, p *modelProc){
		"begun anew":         func(w *world, p *modelProc) { w.begin(p) },
		"cut off until then": func(*world, *modelProc) {},
	} {
		t.Run(name, func(t *testing.T) {
			w := quiet(t, 32)
			late, all := w.procs[0], w.procs
			w.was = w.copyOf()
			w.procs = all[1:]
			w.end(w.store, KindJTI, "j4")
			w.rest(recentFor + 5*time.Second)
			for range 2 { // what is old goes when something is new
				w.end(w.store, KindKey, "k9")
				w.rest(recentFor + 5*time.Second)
			}
			w.back()
			other(w, late)
			w.mustRead(late)
			w.procs = all
			for _, p := range w.procs[1:] {
				w.scan(p)
				w.mustTell(p)
			}
			for range 4 { // it has to put back all
				w.mustRead(late)
				w.mend(late)
				w.forward(10 * time.Millisecond)
			}
			w.shared()
			w.wantShared("all have put back what is recent", true)
			w.notClear("before all is put back", w.tokens[4])
			w.settle()
			w.wantAll("at last", w.tokens[4], Revoked)
			w.wantAll("never revoked", w.tokens[2], Clear)
		})
	}
}

// TestGivenIsLostAgain: what is put back first is lost once more, under the same epoch and before
// anybody has read it. Whoever gave it looks again before the others go on.
func TestGivenIsLostAgain(t *testing.T) {
	t.Parallel()
	w := quiet(t, 33)
	knows := w.procs[2]
	w.end(w.store, KindJTI, "j4")
	w.mustRead(knows)
	w.mini.FlushAll()
	w.noticed()
	w.was = w.copyOf()
	if _, err := knows.giveRecent(t.Context(), knows.loss.followed.ID); err != nil {
		t.Fatal(err)
	}
	w.back()
	w.give(w.procs...)
	w.window()
	w.wantShared("after the window", true)
	w.wantAll("which only one knew", w.tokens[4], Revoked)
}

// TestHeardWhileReadingAgain: after a gap the feed is read from its beginning. What is new in that
// is recent, too.
func TestHeardWhileReadingAgain(t *testing.T) {
	t.Parallel()
	w := quiet(t, 34)
	knows := w.procs[2]
	w.was = w.copyOf()
	w.end(w.procs[0], KindJTI, "j0")
	w.mustRead(knows)
	w.back() // without that; and what follows only one process reads before all is gone
	w.end(w.store, KindJTI, "j4")
	w.end(w.store, KindKey, "k9")
	w.scan(knows)
	for range 20 {
		if knows.reader.page = 1; knows.feed.position().n >= 2 {
			break
		}
		if _, err := knows.reader.scan(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if v := knows.Check(t.Context(), w.tokens[4]); v.State != Revoked {
		t.Fatalf("not read: %+v", v)
	}
	w.mini.FlushAll()
	w.noticed()
	w.shared()
	w.notClear("which only one process has read", w.tokens[4])
}

// TestToldOfAWriteLate: the answer to a write of the lost epoch is late. Until it came the writer
// had nothing to put back; then it has.
func TestToldOfAWriteLate(t *testing.T) {
	t.Parallel()
	w := quiet(t, 35)
	writer := w.procs[2]
	wrote := *writer.cfg.Store.wrote.Load()
	var late func()
	hold := func(ctx context.Context, epoch string, r Record, d *Detail) {
		late = func() { wrote(ctx, epoch, r, d) }
	}
	writer.cfg.Store.wrote.Store(&hold)
	if _, err := writer.cfg.Store.Revoke(t.Context(), Order{Kind: KindJTI, Value: "j4"}); err != nil {
		t.Fatal(err)
	}
	writer.cfg.Store.wrote.Store(&wrote)
	w.mini.FlushAll()
	w.noticed()
	w.give(w.procs...)
	late()
	for _, p := range w.procs {
		w.mustShare(p)
	}
	w.window()
	w.wantShared("there is more to put back", false)
	w.give(w.procs...)
	w.window()
	w.wantShared("it was put back", true)
	w.wantAll("which only the writer knew", w.tokens[4], Revoked)
}

// TestLostWhileOthersFill: what is acknowledged in an epoch whose loss is still being mended, and
// lost before anybody has read it, is noticed by its writer at once.
func TestLostWhileOthersFill(t *testing.T) {
	t.Parallel()
	w := quiet(t, 36)
	writer := w.procs[2]
	w.mini.FlushAll()
	w.noticed()
	w.give(w.procs...)
	w.window()
	w.wantShared("the first loss", true)
	w.was = w.copyOf()
	w.end(writer, KindJTI, "j4")
	w.back()
	w.mustRead(writer)
	if writer.loss.found == nil {
		t.Fatal("the writer has not noticed")
	}
	w.mustTell(writer)
	for _, p := range w.procs {
		w.scan(p)
	}
	w.notClear("in the epoch after that", w.tokens[4])
	w.settle()
	w.wantAll("at last", w.tokens[4], Revoked)
	w.wantAll("never revoked", w.tokens[2], Clear)
}

// TestLevelAfterASilence: a process that was silent before the loss does not become one that knew
// all by reading what is left of the lost epoch.
func TestLevelAfterASilence(t *testing.T) {
	t.Parallel()
	w := quiet(t, 37)
	p := w.procs[0]
	w.was = w.copyOf()
	w.end(w.store, KindSession, "s2")
	w.mustRead(p)
	p.failed(context.DeadlineExceeded)
	w.back()
	for range 5 {
		w.scan(p)
	}
	if p.loss.found == nil {
		t.Fatal("not noticed")
	}
	w.mustTell(p)
	if len(p.loss.claims) > 0 {
		t.Errorf("it claims %+v", p.loss.claims)
	}
}
