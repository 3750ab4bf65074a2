package revocation

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestMirrorsAgainstPlainLists: whatever is revoked, undone, over, swept, trimmed, read in
// pages or from the beginning again, lost and put back, in whatever order: what was
// acknowledged and read, or said by oneself, is never let through, prepared or not; and when
// all has settled nothing is refused that is not revoked.
func TestMirrorsAgainstPlainLists(t *testing.T) {
	t.Parallel()
	again := 0
	for seed := range uint64(modelSeeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			defer func() { again += w.again }()
			w.settle()
			for w.step = 1; w.step <= 250; w.step++ {
				w.one()
				w.check(false)
				if w.step%50 == 0 {
					w.what = fmt.Sprintf("step %d: settled", w.step)
					w.settle()
					w.check(true)
				}
			}
		})
	}
	if again == 0 {
		t.Error("nowhere was something lost again before anybody had read it")
	}
	t.Logf("%d times", again)
}

// modelSeeds is how many worlds there are.
const modelSeeds = 12

// one does one thing.
func (w *world) one() {
	p := w.procs[w.rnd.IntN(len(w.procs))]
	do := func(what string, f func()) {
		w.what = fmt.Sprintf("step %d: %s", w.step, what)
		f()
	}
	if w.lost && w.untouched() && w.rnd.IntN(5) == 0 {
		do("another loss", w.loseAgain)
		return
	}
	switch n := w.rnd.IntN(100); {
	case n < 30:
		do("revoke", w.revoke)
	case n < 45:
		do("undo", w.undo)
	case n < 65:
		do("scan", func() { w.scan(p) })
	case n < 75:
		do("time", func() { w.pass(3 * time.Second) })
	case n < 78:
		do("much time", func() { w.pass(100 * time.Second) })
	case n < 83:
		do("sweep", func() {
			for i := range sweepSteps {
				p.sweepOnce(i == 0)
			}
		})
	case n < 88:
		do("mend", func() { w.mend(p) })
	case n < 92:
		do("from the beginning", func() {
			p.feed.mu.Lock()
			defer p.feed.mu.Unlock()
			p.feed.moveTo(feedPosition{})
		})
	case n < 96:
		do("another token", func() { w.addToken(w.rnd.IntN(len(w.tokens))) })
	case n < 98:
		do("loss", w.lose)
	default:
		do("restart", func() { w.restart(p) })
	}
}

// pass lets some time go. Between a loss and its mending that is little, and everybody
// reads before: who did not notice a loss soon cannot say that he knew all until then.
func (w *world) pass(most time.Duration) {
	if w.lost {
		most = 2 * time.Second
		for _, p := range w.procs {
			w.readAll(p)
			w.busy(p)
		}
	}
	w.forward(time.Duration(w.rnd.Int64N(int64(most))).Truncate(time.Millisecond))
}

// busy has a process say that it is putting back, as each does at once that hears of a loss:
// who does not for 3 s is not waited for.
func (w *world) busy(p *modelProc) {
	p.mu.Lock()
	id, due := p.loss.followed.ID, p.loss.putBack && p.loss.found == nil
	p.mu.Unlock()
	if !due {
		return
	}
	_, err := p.mergeSome(w.t.Context(), id, false, nil)
	if err == nil {
		err = p.share(w.t.Context())
	}
	if err != nil && !errors.Is(err, errOtherEpoch) {
		w.t.Fatalf("%s: busy: %v", w.what, err)
	}
}

// readAll has a process read until it has all, and mend what stands in the way.
func (w *world) readAll(p *modelProc) {
	for range 2000 {
		if w.scan(p); p.level == w.step && w.isLevel(p) {
			return
		}
		w.mend(p)
	}
}

// settle lets everybody read and mend until all is as it should be.
func (w *world) settle() {
	w.t.Helper()
	for round := range 60 {
		done := true
		for _, p := range w.procs {
			w.mend(p)
			w.readAll(p)
			v := p.view.Load()
			done = done && v.level && !v.doubt && v.epoch.Lost == 0 && v.epoch.CompleteSince == 0 && !p.loss.followed.Shut && w.isLevel(p)
		}
		if done && round > 0 {
			w.lost, w.anew, w.lostAgain = false, false, 0
			return
		}
		w.forward(time.Second)
	}
	w.t.Fatalf("%s: not settled: %+v", w.what, w.procs[0].Status())
}

// lose has the store come back with less: what some part of its feed has told, or
// nothing. Everybody has read shortly before, or nobody could vouch for what was then.
func (w *world) lose() {
	w.settle()
	w.was = w.copyOf()
	if w.rnd.IntN(3) == 0 {
		w.mini.FlushAll()
	} else {
		ctx := w.t.Context()
		for range w.rnd.IntN(6) {
			w.step++
			if w.rnd.IntN(3) > 0 {
				w.revoke()
			} else {
				w.undo()
			}
			if w.rnd.IntN(3) == 0 {
				w.scan(w.procs[w.rnd.IntN(len(w.procs))])
			}
		}
		w.mini.FlushAll()
		if _, err := w.client.TxPipelined(ctx, w.was); err != nil {
			w.t.Fatal(err)
		}
	}
	w.nowLost()
}

// nowLost notes that the store has lost something, and what of it nobody may know.
func (w *world) nowLost() {
	w.lossStep, w.lossEpoch, w.lossAt = w.step, w.procs[1].loss.followed.ID, w.now.UnixMicro()
	for _, p := range w.procs {
		p.before = p.level
	}
	w.lost = true
	w.forgotten()
}

// forgotten notes what nobody knows any more.
func (w *world) forgotten() {
	for _, s := range w.said {
		s.unsure = s.unsure || !w.knows(s.made, s.maker)
		s.undoes = s.undoes || s.undone && !w.knows(s.took, s.taker)
	}
}

// told says whether p has been told that the store had lost something, so that what anybody knew
// before counts for it.
func (w *world) told(p *modelProc, step int) bool {
	return w.lost && step <= w.lossStep && cameFrom(p.loss.followed, w.lossEpoch)
}

// beforeLoss says whether t is older than the last loss. What names a token that is made
// later, a key say, is not vouched for: guarantees.md.
func (w *world) beforeLoss(t *Token) bool {
	if t.Born != 0 {
		return t.Born <= w.lossAt
	}
	return t.IssuedAt <= w.lossAt/microsPerSecond
}

// untouched says that the store has lost something and nobody was told anything since. Of more
// than two such losses in a row, of which one brings back what was before, nobody may know all.
func (w *world) untouched() bool {
	f := w.client.HGetAll(w.t.Context(), w.store.names.epoch).Val()
	return !w.anew && w.lostAgain < 2 && (f["id"] == "" || f["shut"] != "") && !slices.ContainsFunc(w.said, func(s *said) bool { return max(s.made, s.took) > w.lossStep })
}

// loseAgain has a store that nobody has read since the last loss come back with nothing, or
// with what it had before that.
func (w *world) loseAgain() {
	w.again++
	w.lostAgain++
	w.mini.FlushAll()
	if w.rnd.IntN(2) == 0 {
		if _, err := w.client.TxPipelined(w.t.Context(), w.was); err != nil {
			w.t.Fatal(err)
		}
	}
}

// knows says whether a process has surely what was said in that step by who.
func (w *world) knows(step int, who *modelProc) bool {
	return slices.ContainsFunc(w.procs, func(p *modelProc) bool { return p == who || w.read(p, step) })
}

// read says whether p has surely read what was said in that step. What a store has lost
// since nobody reads in it before somebody who had noticed has put it back.
func (w *world) read(p *modelProc, step int) bool {
	if w.lost && step <= w.lossStep {
		return p.before > step
	}
	return p.level > step
}

// copyOf returns what puts back all that the store holds now.
func (w *world) copyOf() func(redis.Pipeliner) error {
	ctx := w.t.Context()
	var puts []func(redis.Pipeliner)
	for _, key := range w.mini.Keys() {
		if key == w.store.names.feed {
			for _, m := range w.client.XRange(ctx, key, "-", "+").Val() {
				puts = append(puts, func(p redis.Pipeliner) {
					p.XAdd(ctx, &redis.XAddArgs{Stream: key, ID: m.ID, Values: m.Values})
				})
			}
			continue
		}
		fields, ttl, now := w.client.HGetAll(ctx, key).Val(), w.mini.TTL(key), w.now
		puts = append(puts, func(p redis.Pipeliner) {
			left := ttl - w.now.Sub(now)
			if ttl > 0 && left <= 0 {
				return
			}
			p.HSet(ctx, key, fields)
			if ttl > 0 {
				p.PExpire(ctx, key, left)
			}
		})
	}
	return func(p redis.Pipeliner) error {
		for _, put := range puts {
			put(p)
		}
		return nil
	}
}

// check holds what each process says of each token against the lists.
func (w *world) check(settled bool) {
	w.t.Helper()
	for i, p := range w.procs {
		for j, tok := range w.tokens {
			v, whole := p.CheckPrepared(p.prepared[j]), p.Check(w.t.Context(), tok)
			if v != whole {
				w.t.Fatalf("%s: process %d, token %d: prepared %+v, else %+v", w.what, i, j, v, whole)
			}
			must, may := w.standing(p, tok)
			if must != nil && v.State == Clear {
				w.t.Fatalf("%s: process %d, token %+v: %+v, though it has read %+v\nof all %s", w.what, i, tok, v, must, w.list(tok))
			}
			if settled && !may && v.State != Clear {
				w.t.Fatalf("%s: process %d, token %+v: %+v, and nothing stands: %s", w.what, i, tok, v, w.list(tok))
			}
		}
	}
}

// standing returns what p surely has read and ends t, and whether anything may.
func (w *world) standing(p *modelProc, t *Token) (must *said, may bool) {
	names := t.probes(nil, "o")
	for _, s := range w.said {
		if s.id == "" || !slices.Contains(names, probe{s.order.Kind, s.digest}) || !t.endedBy(s.order.Kind, s.at) {
			continue
		}
		if !s.undone && !s.unsure && (s.maker == p || w.read(p, s.made) || w.told(p, s.made) && w.beforeLoss(t)) && (s.ends.IsZero() || w.now.Before(s.ends)) {
			must = s
		}
		// Ends are rounded up, by the script and for the tables.
		over := !s.ends.IsZero() && w.now.After(s.entry.Add(3*time.Second))
		may = may || (!s.undone || s.undoes) && !over
	}
	return must, may
}

// list is what was said of t.
func (w *world) list(t *Token) (out string) {
	names := t.probes(nil, "o")
	for _, s := range w.said {
		if slices.Contains(names, probe{s.order.Kind, s.digest}) {
			out += fmt.Sprintf("\n%s %s: at %d until %s, entry %s, undone %t; made in %d, taken back in %d; unsure %t %t; in Redis %v", s.order.Kind, s.order.Value, s.at, s.ends, s.entry, s.undone, s.made, s.took, s.unsure, s.undoes, w.client.HGetAll(w.t.Context(), w.store.names.entry(s.digest)).Val())
		}
	}
	return out
}
