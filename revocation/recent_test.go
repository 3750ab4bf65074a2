package revocation

import (
	"errors"
	"testing"
	"time"
)

// quiet is a world in which nothing has happened for long, and everybody has just read.
func quiet(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.settle()
	w.say(w.procs[1], KindSession, 0) // of token 0
	w.rest(recentFor + 5*time.Second)
	return w
}

// rest lets time go while everybody reads.
func (w *world) rest(d time.Duration) {
	for ; d > 0; d -= time.Second {
		w.forward(time.Second)
		for _, p := range w.procs {
			w.mustRead(p)
		}
	}
}

// noticed has everybody notice what was lost, and one begin the new epoch.
func (w *world) noticed() {
	w.t.Helper()
	for _, p := range w.procs {
		w.scan(p)
		w.mustTell(p)
	}
	for _, p := range w.procs {
		w.mustRead(p)
	}
	for _, p := range w.procs {
		w.mustOpenShut(p)
		w.mustShare(p)
	}
}

// mustShare has a process say whether the others have to wait for it.
func (w *world) mustShare(p *modelProc) {
	w.t.Helper()
	if err := p.share(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// give has processes put back what is recent, and no more.
func (w *world) give(procs ...*modelProc) {
	w.t.Helper()
	for _, p := range procs {
		done := false
		for range mergePasses {
			var err error
			if done, err = p.giveRecent(w.t.Context(), p.loss.followed.ID); err != nil {
				w.t.Fatal(err)
			}
			w.forward(time.Millisecond)
			w.mustRead(p)
		}
		if !done {
			w.t.Fatalf("not given: %+v", p.loss.giving)
		}
		w.mustShare(p)
	}
}

// window lets the window pass in which others may notice, and everybody read then.
func (w *world) window() {
	w.t.Helper()
	w.forward(mergeWindow)
	for range 2 {
		for _, p := range w.procs {
			w.mustRead(p)
			w.mustShare(p)
		}
	}
}

// wantShared checks the field of the epoch that says that nobody is waited for any more.
func (w *world) wantShared(when string, want bool) {
	w.t.Helper()
	f := w.client.HGetAll(w.t.Context(), w.store.names.epoch).Val()
	if (f["shared"] == "1") != want || f["lost"] == "" {
		w.t.Fatalf("%s: %v; to be shared: %t", when, f, want)
	}
}

// TestVouchBeforeAllIsPutBack: processes that knew all of what was lost vouch for it as soon as
// everybody has put back what is recent. Whoever asks the store, or has just begun, waits.
func TestVouchBeforeAllIsPutBack(t *testing.T) {
	t.Parallel()
	w := quiet(t, 21)
	w.mini.FlushAll()
	w.noticed()
	w.wantAll("in the window", w.tokens[2], Unknown)
	w.give(w.procs...)
	w.wantShared("in the window", false)
	w.window()
	w.wantShared("after it", true)
	w.wantAll("never revoked", w.tokens[2], Clear)
	w.wantAll("revoked before", w.tokens[0], Revoked)
	if v := w.store.Check(t.Context(), w.tokens[2]); v.State != Unknown {
		t.Errorf("the store, which nobody has filled: %+v", v)
	}
	late := &modelProc{}
	w.begin(late)
	w.mustRead(late)
	if v := late.Check(t.Context(), w.tokens[2]); v.State != Unknown {
		t.Errorf("one that has just begun: %+v", v)
	}
	for _, value := range []string{"k0", "k1", "k2"} {
		if err := w.revoked(value); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 { // reading on, a record at a time, takes nothing of it back
		for _, p := range w.procs {
			p.reader.page = 1
			if _, err := p.reader.scan(t.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		w.wantAll("read on", w.tokens[2], Clear)
	}
	w.settle()
	if v := w.store.Check(t.Context(), w.tokens[2]); v.State != Clear {
		t.Errorf("the store at last: %+v", v)
	}
	if v := w.store.Check(t.Context(), w.tokens[0]); v.State != Revoked {
		t.Errorf("the store at last: %+v", v)
	}
}

// TestRecentIsWaitedFor: what only one process holds, because it wrote it or alone has read it,
// is with all before anybody vouches.
func TestRecentIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, tell := range map[string]func(w *world) *modelProc{
		"written by it": func(w *world) *modelProc {
			if _, err := w.procs[2].Revoke(w.t.Context(), Order{Kind: KindJTI, Value: "j4"}); err != nil {
				w.t.Fatal(err)
			}
			return w.procs[2]
		},
		"read by it alone": func(w *world) *modelProc {
			if err := w.revoked("j4"); err != nil {
				w.t.Fatal(err)
			}
			w.mustRead(w.procs[1])
			return w.procs[1]
		},
		"read by it, and undone before": func(w *world) *modelProc {
			w.mustUndo(w.say(w.store, KindSubject, 0))
			if err := w.revoked("j4"); err != nil {
				w.t.Fatal(err)
			}
			w.mustRead(w.procs[1])
			return w.procs[1]
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := quiet(t, 22)
			knows := tell(w)
			w.mini.FlushAll()
			w.noticed()
			for _, p := range w.procs {
				if p != knows {
					w.give(p)
				}
			}
			w.window()
			w.wantShared("without the one that knows more", false)
			for i, p := range w.procs {
				if v := p.Check(t.Context(), w.tokens[4]); v.State == Clear {
					t.Errorf("process %d: %+v", i, v)
				}
			}
			w.give(knows)
			w.window()
			w.wantShared("with it", true)
			w.wantAll("what it knew", w.tokens[4], Revoked)
			w.wantAll("never revoked", w.tokens[2], Clear)
		})
	}
}

// TestLateReader: a process that hears of the loss when all others are through vouches for
// nothing before it has read what they have given.
func TestLateReader(t *testing.T) {
	t.Parallel()
	w := quiet(t, 26)
	late, all := w.procs[0], w.procs
	if err := w.revoked("j4"); err != nil { // the last one has not read it
		t.Fatal(err)
	}
	w.procs = all[1:]
	for _, p := range w.procs {
		w.mustRead(p)
	}
	w.mini.FlushAll()
	w.noticed()
	for _, value := range []string{"k0", "k1", "k2"} {
		if err := w.revoked(value); err != nil {
			t.Fatal(err)
		}
	}
	w.give(w.procs...)
	w.window()
	w.wantShared("without the late one", true)
	for range 3 {
		late.reader.page = 1
		if _, err := late.reader.scan(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if v := late.Check(t.Context(), w.tokens[4]); v.State == Clear {
			t.Fatalf("%+v, before all was read: %+v", v, late.Status())
		}
	}
	w.mustRead(late)
	w.procs = all
	w.wantAll("read", w.tokens[4], Revoked)
}

// TestLostAgainWhileShared: what was given is in the epoch that is lost next, and has to be given
// again in the one after it.
func TestLostAgainWhileShared(t *testing.T) {
	t.Parallel()
	w := quiet(t, 27)
	w.mini.FlushAll()
	w.noticed()
	w.give(w.procs...)
	w.window()
	w.wantShared("the first loss", true)
	p := w.procs[0]
	p.mu.Lock()
	p.find(finding{reason: gapChain, seen: p.loss.followed.ID})
	p.mu.Unlock()
	w.mustTell(p)
	w.wantShared("the second", false)
	for _, p := range w.procs {
		w.scan(p)
	}
	w.wantAll("the second", w.tokens[2], Unknown)
	w.settle()
	w.wantAll("at last", w.tokens[2], Clear)
}

// TestGivesAll: a process that cannot tell what is recent is waited for until it has put back
// all; and who had not heard for long vouches for nothing before that.
func TestGivesAll(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(w *world, p *modelProc){
		"level for a moment": func(w *world, p *modelProc) { w.begin(p); w.mustRead(p) },
		"too much is recent": func(_ *world, p *modelProc) { p.recent.dropped = p.cfg.Now() },
	} {
		t.Run(name, func(t *testing.T) {
			w := quiet(t, 23)
			p := w.procs[2]
			before(w, p)
			w.mini.FlushAll()
			w.noticed()
			w.give(w.procs...)
			w.window()
			w.wantShared("before it has put back all", false)
			for range 4 {
				w.mend(p)
				w.mustRead(p)
			}
			w.window()
			if f := w.client.HGetAll(t.Context(), w.store.names.epoch).Val(); f["lost"] != "" && f["shared"] == "" {
				t.Errorf("after it has: %v", f)
			}
			w.settle()
			w.wantAll("at last", w.tokens[2], Clear)
		})
	}
	t.Run("not heard for long", func(t *testing.T) {
		w := quiet(t, 24)
		for range int(freshFor/time.Second) + 1 {
			w.forward(time.Second)
			for _, p := range w.procs {
				p.failed(errors.New("connection refused"))
			}
		}
		w.mini.FlushAll()
		w.noticed()
		w.give(w.procs...)
		w.window()
		w.wantShared("each has given", true)
		w.wantAll("nobody is sure", w.tokens[2], Unknown)
		other := w.procs[2]
		for range 6 { // one has put back all, and another is still at it
			if _, err := other.mergeSome(t.Context(), other.loss.followed.ID, false, nil); err != nil {
				t.Fatal(err)
			}
			w.mustRead(w.procs[0])
			w.mend(w.procs[0])
		}
		w.mustRead(w.procs[0])
		if v := w.procs[0].Check(t.Context(), w.tokens[2]); w.procs[0].loss.putBack || v.State != Unknown {
			t.Errorf("before the other is through: %+v; still at it: %t", v, w.procs[0].loss.putBack)
		}
		w.settle()
		w.wantAll("when all have put back all", w.tokens[2], Clear)
	})
}

// TestSlowOneIsNotWaitedFor: one that has put back what is recent, and goes on for long with the
// rest, holds up nobody once another that knew all is through.
func TestSlowOneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := quiet(t, 25)
	slow := w.procs[2]
	w.mini.FlushAll()
	w.noticed()
	if _, err := slow.mergeSome(t.Context(), slow.loss.followed.ID, false, nil); err != nil { // it says that it is at it
		t.Fatal(err)
	}
	w.give(w.procs...)
	w.forward(mergeWindow)
	for range 6 {
		for _, p := range w.procs[:2] {
			w.mustRead(p)
			w.mend(p)
		}
		if _, err := slow.mergeSome(t.Context(), slow.loss.followed.ID, false, nil); err != nil && !errors.Is(err, errOtherEpoch) {
			t.Fatal(err)
		}
	}
	if v := w.store.Check(t.Context(), w.tokens[2]); v.State != Clear {
		t.Errorf("the store: %+v, %v", v, w.client.HGetAll(t.Context(), w.store.names.epoch).Val())
	}
}

// TestRecent: what is old is let go, and too much is known to be too much.
func TestRecent(t *testing.T) {
	t.Parallel()
	var r recent
	now := time.Now()
	add := func(n int) {
		for i := range n {
			r.add(DigestOf("i", KindJTI, string(rune('a'+i%26))), KindJTI, now)
		}
	}
	add(recentMost)
	if !r.whole(now) || len(r.list) != recentMost {
		t.Fatalf("%d, whole: %t", len(r.list), r.whole(now))
	}
	now = now.Add(recentFor + time.Second)
	add(1)
	if len(r.list) != 1 || !r.whole(now) {
		t.Fatalf("later: %d, whole: %t", len(r.list), r.whole(now))
	}
	for range 5 {
		add(recentMost)
		if len(r.list) > recentMost || r.whole(now) {
			t.Fatalf("too much: %d, whole: %t", len(r.list), r.whole(now))
		}
	}
	now = now.Add(recentFor)
	add(1)
	if r.whole(now) {
		t.Error("whole too soon")
	}
	if now = now.Add(time.Second); !r.whole(now) {
		t.Error("never whole again")
	}
}

// TestKeysFirst: what ends tokens that are made from now on is put back at once, however long
// ago it was said.
func TestKeysFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 28)
	w.settle()
	if _, err := w.store.Revoke(t.Context(), Order{Kind: KindKey, Value: "k1"}); err != nil {
		t.Fatal(err)
	}
	w.rest(2 * recentFor)
	w.mini.FlushAll()
	w.noticed()
	if _, err := w.procs[0].giveRecent(t.Context(), w.procs[0].loss.followed.ID); err != nil {
		t.Fatal(err)
	}
	w.addToken(1)
	if v := w.store.Check(t.Context(), w.tokens[1]); v.State != Revoked || v.Kind != KindKey {
		t.Errorf("made after the loss: %+v", v)
	}
	var kinds []Kind
	w.say(w.procs[0], KindSubject, 0)
	w.procs[0].everyHeld(func(h held) bool { kinds = append(kinds, h.kind); return true })
	if len(kinds) < 2 || kinds[0] != KindKey {
		t.Errorf("put back in this order: %v", kinds)
	}
}
