package revocation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// lossSeeds is how many worlds there are that lose something at any moment.
const lossSeeds = 10

// TestLossesAtAnyMoment: a store is emptied, set back or forgets its epoch at any moment, also
// before what it lost last was noticed, begun, read, opened or put back, and processes that
// know nothing begin and die meanwhile. What was acknowledged, and had the time to be read, is
// never let through; either somebody still knows it or nobody vouches for it. And after a
// while revocations are taken again.
func TestLossesAtAnyMoment(t *testing.T) {
	t.Parallel()
	var undecided, looks int
	for seed := range uint64(lossSeeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			l := &losses{world: newWorld(t, seed+1000)}
			if seed%2 == 0 { // a journal forgets little
				l.procs[0].journal = nil
				l.begin(l.procs[0])
			}
			l.settle()
			for l.step = 1; l.step <= 300; l.step++ {
				l.one()
				l.look()
				if l.step%30 == 0 {
					l.quiet()
				}
			}
			undecided += l.undecided
			looks += l.looks
		})
	}
	t.Logf("a person had to decide %d of %d times", undecided, looks)
}

// losses is a world that loses something at any moment, and what is left of each statement.
type losses struct {
	*world
	kept             []func(redis.Pipeliner) error // what the store held at some moments
	about            []*trace
	trail            []string
	undecided, looks int
}

// trace is a statement and who still knows it.
type trace struct {
	tok    *Token
	kind   Kind
	digest Digest
	value  string
	since  time.Time // when it came into the store last; zero: it is not there
	// excused: it left the store before everybody had the time to read it, or in a way that
	// whoever had not read it could not see.
	excused bool
	gone    bool // nobody alive knows it
}

// readTime is how long everybody has to read something.
const readTime = 5 * time.Second

// one does one thing.
func (l *losses) one() {
	p := l.procs[l.rnd.IntN(len(l.procs))]
	do := func(what string, f func()) {
		l.what = fmt.Sprintf("step %d: %s", l.step, what)
		l.trail = append(l.trail, fmt.Sprintf("%s (process %d)", l.what, slices.Index(l.procs, p)))
		f()
	}
	switch n := l.rnd.IntN(100); {
	case n < 18:
		do("revoke", l.revokeOne)
	case n < 40:
		do("scan", func() { l.scan(p) })
	case n < 52:
		do("tell", func() { _, _ = p.tellLoss(l.t.Context()) })
	case n < 58:
		do("open", func() { l.mustOpenShut(p) })
	case n < 60:
		do("share", func() { l.mustShare(p) })
	case n < 62:
		do("give what is recent", func() { _, _ = p.giveRecent(l.t.Context(), p.loss.followed.ID) })
	case n < 68:
		do("put back", func() { l.mayPutBack(p) })
	case n < 77:
		do("time", func() { l.forward(time.Duration(l.rnd.IntN(900)) * time.Millisecond) })
	case n < 79:
		do("much time", func() { l.forward(readTime + time.Second) })
	case n < 80:
		do("rest", func() {
			for range recentFor / time.Second {
				l.forward(time.Second)
				for _, p := range l.procs {
					l.scan(p)
				}
			}
		})
	case n < 84:
		do("keep", func() { l.kept = append(l.kept, l.copyOf()) })
	case n < 87:
		do("emptied", func() { l.mini.FlushAll(); l.left(false) })
	case n < 89 && len(l.kept) > 0:
		do("set back", func() {
			l.mini.FlushAll()
			l.was = l.kept[max(0, len(l.kept)-1-l.rnd.IntN(3))]
			l.mustPut()
			l.left(true)
		})
	case n < 90:
		do("without its epoch", func() { l.mini.Del(l.store.names.epoch); l.unread() })
	case n < 92:
		do("begun by nobody", func() { _ = l.newStore().Open(l.t.Context()) })
	case n < 94 && len(l.procs) < 5:
		do("a new process", l.join)
	case n < 96 && len(l.procs) > 3:
		do("it dies", func() { l.procs = slices.Delete(l.procs, 3, 4) })
	case n < 98:
		do("begins anew", func() {
			// A journal that has not noted where it was has nothing to put back.
			if p := l.procs[l.rnd.IntN(2)]; p.journal == nil || p.journal.Position().Epoch != "" {
				l.begin(p)
			}
		})
	case n < 99:
		do("does not hear", func() { p.failed(context.DeadlineExceeded) })
	default:
		do("tells, and does not hear", func() {
			p.mu.Lock()
			f, followed := p.loss.found, p.loss.followed
			p.mu.Unlock()
			if f != nil {
				_, _ = p.cfg.Store.lose(l.t.Context(), *f, followed, p.name)
			}
		})
	}
}

// join has a process begin that knows nothing.
func (l *losses) join() {
	p := &modelProc{}
	l.begin(p)
	_ = p.cfg.Store.Open(l.t.Context())
	l.procs = append(l.procs, p)
}

func (l *losses) mayPutBack(p *modelProc) {
	if err := p.putBack(l.t.Context()); err != nil && !errors.Is(err, errOtherEpoch) {
		l.t.Fatalf("%s: %v", l.what, err)
	}
}

// revokeOne has somebody revoke something of a token of its own.
func (l *losses) revokeOne() {
	born, err := l.store.Now(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	name := fmt.Sprint("x", l.step)
	tok := &Token{JTI: name, SID: "s" + name, Subject: "u" + name, KeyID: "k" + name, Born: born, IssuedAt: born / microsPerSecond, Own: true}
	kind := []Kind{KindJTI, KindSession, KindSubject}[l.rnd.IntN(3)]
	value := map[Kind]string{KindJTI: name, KindSession: "s" + name, KindSubject: "u" + name}[kind]
	store, _ := l.writer()
	r, err := store.Revoke(l.t.Context(), Order{Kind: kind, Value: value, ExpiresAt: l.now.Add(10 * time.Hour)})
	if errors.Is(err, ErrShut) {
		return
	}
	if err != nil {
		l.t.Fatalf("%s: %v", l.what, err)
	}
	d, _, _ := parseID(r.ID)
	l.about = append(l.about, &trace{tok: tok, kind: kind, digest: d, value: value, since: l.now})
}

// there says whether the store has it.
func (l *losses) there(s *trace) bool {
	cut := l.client.HGet(l.t.Context(), l.store.names.entry(s.digest), "cut").Val()
	return cut != "" && cut != "0"
}

// left notes what the store has lost. unseen: those who had not read it cannot see that.
func (l *losses) left(unseen bool) {
	for _, s := range l.about {
		if !s.since.IsZero() && !l.there(s) {
			s.excused = s.excused || unseen || l.now.Sub(s.since) <= readTime
			s.since = time.Time{}
		}
	}
}

// unread excuses what not everybody has read: those who notice a loss now say that they knew all.
func (l *losses) unread() {
	for _, s := range l.about {
		s.excused = s.excused || l.now.Sub(s.since) <= readTime
	}
}

// look notes what was put back, and what nobody knows any more.
func (l *losses) look() {
	for _, s := range l.about {
		if s.since.IsZero() && l.there(s) {
			s.since = l.now
		}
		s.gone = s.gone || s.since.IsZero() && !slices.ContainsFunc(l.procs, func(p *modelProc) bool {
			cut, _ := p.lookUp(&probe{s.kind, s.digest})
			return cut != 0
		})
	}
}

// quiet lets everybody read and mend for a while, and holds what they say against what is known.
func (l *losses) quiet() {
	l.t.Helper()
	l.what = fmt.Sprintf("step %d: quiet", l.step)
	settled := false
	for round := 0; round < 16 && !(settled && round > 2); round++ {
		settled = true
		for _, p := range l.procs {
			l.mend(p)
			for range 300 {
				if l.scan(p); l.isLevel(p) {
					break
				}
			}
			l.mend(p)
			l.look()
			v := p.view.Load()
			settled = settled && v.level && !v.doubt && v.epoch.Lost == 0 && v.epoch.CompleteSince == 0 && !v.epoch.Shut
		}
		l.forward(900 * time.Millisecond)
	}
	if err := l.revoked("quiet"); err != nil {
		l.t.Fatalf("%s: %v\n%s", l.what, err, l.tail())
	}
	for i, p := range l.procs {
		l.scan(p)
		for _, s := range l.about {
			if v := p.Check(l.t.Context(), s.tok); v.State == Clear && !(s.gone && s.excused) {
				l.t.Fatalf("%s: process %d: %s of %s is clear; gone %t, excused %t\n%s", l.what, i, s.kind, s.value, s.gone, s.excused, l.tail())
			}
		}
	}
	if l.looks++; !settled {
		l.undecided++
		if err := l.procs[2].Recover(l.t.Context(), Recovery{Actor: "admin"}); err != nil {
			l.t.Fatal(err)
		}
		l.settle()
	}
	l.about = slices.DeleteFunc(l.about, func(s *trace) bool { return s.gone })
	l.trail = nil
}

// tail is what was done since all was quiet, and what came of it.
func (l *losses) tail() (out string) {
	for i, p := range l.procs {
		out += fmt.Sprintf("process %d: %+v\nclaims %+v known %+v\n", i, p.Status(), p.loss.claims, p.loss.known)
		for _, s := range l.about {
			cut, _ := p.lookUp(&probe{s.kind, s.digest})
			out += fmt.Sprintf("%s: %d, there %t, gone %t excused %t\n", s.value, cut, l.there(s), s.gone, s.excused)
		}
	}
	for _, line := range l.trail {
		out += line + "\n"
	}
	return out
}
