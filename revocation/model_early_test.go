package revocation

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// earlySeeds is how many worlds there are.
const earlySeeds = 3

// TestVouchingEarlyAgainstPlainLists: everybody has known all for long; then the store loses what
// it was told last, or of the last minute. One process was cut off, or begins then. However the
// steps of mending follow each other, whoever has been told of the loss lets nothing
// through that any process knew.
func TestVouchingEarlyAgainstPlainLists(t *testing.T) {
	t.Parallel()
	early := 0
	for seed := range uint64(earlySeeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, 1000+seed)
			w.settle()
			for range 3 {
				early += w.mendApart(w.longRest())
				w.what = fmt.Sprintf("step %d: settled", w.step)
				w.settle()
				w.check(true)
			}
		})
	}
	if early == 0 {
		t.Error("nobody vouched early")
	}
	t.Logf("%d times", early)
}

// longRest lets most of a minute go, in which things are said and most processes read; then the
// store loses something. It returns whether every process has read to the last.
func (w *world) longRest() bool {
	w.addToken(w.rnd.IntN(len(w.tokens)))
	long := 36 + w.rnd.IntN(15)
	out, from, copied := w.rnd.IntN(3), w.rnd.IntN(2*long), w.rnd.IntN(long)
	was, all := w.copyOf(), true
	for second := range long {
		w.forward(time.Second)
		w.saySome(3)
		if second == copied {
			was = w.copyOf()
		}
		for i, p := range w.procs {
			if w.step++; i == out && i != 1 && second >= from {
				all = false
			} else {
				w.mustRead(p)
				p.level = w.step
			}
		}
	}
	if w.rnd.IntN(2) == 0 {
		was = w.copyOf()
	}
	for range w.rnd.IntN(5) {
		w.saySome(2)
		w.scan(w.procs[w.rnd.IntN(3)])
	}
	w.was = was
	w.mini.FlushAll()
	if w.rnd.IntN(3) > 0 {
		w.mustPut()
	}
	w.nowLost()
	if p := w.procs[2]; w.rnd.IntN(3) == 0 {
		all = false
		w.begin(p)
		for _, s := range w.said {
			if s.maker == p {
				s.maker = nil
			}
			if s.taker == p {
				s.taker = nil
			}
		}
		w.forgotten()
	}
	return all
}

// saySome has somebody revoke or undo something, one time in so many.
func (w *world) saySome(n int) {
	if w.step++; w.rnd.IntN(n) > 0 {
		return
	}
	if w.rnd.IntN(4) > 0 {
		w.revoke()
	} else {
		w.undo()
	}
}

// mendApart has everybody do single steps of mending, each within the time in which he is
// waited for. Something may be lost once more if all knew the epoch before: what one begins who
// did not, and loses, nobody knows (decision 151). It returns how often somebody vouched for more than the store did.
func (w *world) mendApart(all bool) (early int) {
	end := w.now.Add(time.Duration(4+w.rnd.IntN(6)) * time.Second)
	slow, again := w.rnd.IntN(4) > 0, !all
	attended := make([]time.Time, len(w.procs))
	for i := range attended {
		attended[i] = w.now
	}
	for w.now.Before(end) {
		w.step++
		i := w.rnd.IntN(len(w.procs))
		p := w.procs[i]
		var err error
		switch n := w.rnd.IntN(100); {
		case n < 25:
			w.what = "scan"
			w.scan(p)
		case n < 35:
			w.what = "tell"
			_, err = p.tellLoss(w.t.Context())
		case n < 42:
			w.what = "open"
			err = p.openShut(w.t.Context())
		case n < 55:
			w.what = "share"
			err = p.share(w.t.Context())
		case n < 63 && p.loss.putBack:
			w.what = "give"
			_, err = p.giveRecent(w.t.Context(), p.loss.followed.ID)
		case n < 73 && slow && p.loss.early && p.loss.putBack: // all but what is recent takes it for ever
			w.what = "putting back"
			_, err = p.mergeSome(w.t.Context(), p.loss.followed.ID, false, nil)
		case n < 73:
			w.what = "put back"
			err = p.putBack(w.t.Context())
		case n < 78 && w.allTold():
			w.what = "say"
			w.saySome(1)
		case n < 80 && !again && w.untouched(): // of a third one nobody need know all: decision 13
			w.what, again = "another loss", true
			w.loseAgain()
			for i := range attended {
				w.attendTo(w.procs[i])
			}
		default:
			w.what = "time"
			w.forward(time.Duration(w.rnd.IntN(300)) * time.Millisecond)
		}
		if err != nil && !errors.Is(err, errOtherEpoch) {
			w.t.Fatalf("step %d: %s: %v", w.step, w.what, err)
		}
		for i, p := range w.procs {
			if w.now.Sub(attended[i]) > time.Duration(w.rnd.IntN(1500))*time.Millisecond {
				attended[i] = w.now
				w.attendTo(p)
			}
			if v := p.view.Load(); v.epoch.Lost != 0 && v.epoch.CompleteSince == 0 && !v.doubt {
				early++
			}
		}
		w.what = fmt.Sprintf("step %d: %s by %d", w.step, w.what, i)
		w.check(false)
		w.checkStore()
	}
	return early
}

// checkStore is check for one that asks the store, once everybody has been told.
func (w *world) checkStore() {
	if !w.allTold() {
		return
	}
	for _, tok := range w.tokens {
		must, _ := w.standing(w.procs[1], tok)
		if v := w.store.Check(w.t.Context(), tok); v.State == Clear && must != nil && must.made <= w.lossStep {
			w.t.Fatalf("%s: the store, token %+v: %+v, though somebody knew %+v\nof all %s", w.what, tok, v, must, w.list(tok))
		}
	}
}

// attendTo has a process notice what there is to notice, and say whether it is waited for.
func (w *world) attendTo(p *modelProc) {
	w.scan(p)
	w.mustTell(p)
	w.scan(p)
	w.mustOpenShut(p)
	w.mustShare(p)
}

// allTold says whether everybody follows an epoch that came of the loss.
func (w *world) allTold() bool {
	for _, p := range w.procs {
		if !w.told(p, w.lossStep) {
			return false
		}
	}
	return true
}
