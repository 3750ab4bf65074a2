//go:build chaos

package main

import (
	"net/http"
	"sync"
	"time"
)

// settle is how long after a fault's end the first effect of it may show.
const settle = 2 * time.Second

// during lets the fleet suffer a fault; when that is over it must recover, and the
// invariant must hold.
func (w *witness) during(what string, fault func()) {
	w.t.Helper()
	w.mu.Lock()
	w.longest, w.late, w.answers, w.refused = 0, 0, 0, 0
	w.mu.Unlock()
	began := time.Now()
	fault()
	lasted := time.Since(began)
	back := w.mustPass(what)
	w.mustHold(what, 200)
	// A loss may be noticed a moment after the fault: all of that counts.
	for ended := time.Now().Add(-back); time.Since(ended) < settle; time.Sleep(50 * time.Millisecond) {
		if status, _, _ := w.allPass(); status != http.StatusOK {
			w.mustPass(what)
			back = time.Since(ended)
		}
	}
	if back > backWithin {
		w.t.Errorf("%s: all passed again after %s only", what, back)
	}
	w.t.Logf("%s for %s, back after %s: %s", what, lasted.Round(time.Millisecond), back.Round(time.Millisecond), w)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.longest > answerBound {
		w.t.Errorf("%s: an answer took %s", what, w.longest)
	}
}

// mustPass waits until every unrevoked token passes at every edge, which it must
// within backWithin, and returns how long that took.
func (w *witness) mustPass(what string) time.Duration {
	w.t.Helper()
	began := time.Now()
	for {
		status, at, who := w.allPass()
		if status == http.StatusOK {
			return time.Since(began)
		}
		if time.Since(began) > backWithin {
			w.t.Fatalf("%s: %s after its end an unrevoked token (%v) gets %d at %s\n%s\nissuer:\n%s", what, backWithin, who.order, status, at.Public, &at.logs, &w.f.Home.logs)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// allPass returns the first answer that is not 200, and whose.
func (w *witness) allPass() (int, *system, *held) {
	for _, e := range w.f.Edges {
		for _, h := range w.keep {
			if status := w.call(e, h); status != http.StatusOK {
				return status, e, h
			}
		}
	}
	return http.StatusOK, nil, nil
}

// mustHold checks that every edge refuses acknowledged tokens for good (401): the
// latest n and n others; n of 0 stands for all of them.
func (w *witness) mustHold(what string, n int) {
	w.t.Helper()
	w.mu.Lock()
	all := append([]*held(nil), w.acked...)
	w.mu.Unlock()
	these := all
	if n > 0 && len(all) > 2*n {
		these = append(all[len(all)-n:len(all):len(all)], w.some(n)...)
	}
	for _, h := range these {
		for end := time.Now().Add(maxStale); !h.mustRefuse(time.Now()) && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	var work sync.WaitGroup
	for _, e := range w.f.Edges {
		work.Go(func() {
			for i, h := range these {
				status := w.call(e, h)
				for end := time.Now().Add(backWithin); status == http.StatusServiceUnavailable && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
					status = w.call(e, h)
				}
				if status != http.StatusUnauthorized {
					w.fail("%s: acknowledged token %d of %d (%v): %d at %s", what, i, len(these), h.order, status, e.Public)
					return
				}
			}
		})
	}
	work.Wait()
}

// finish stops everybody and checks everything once more.
func (w *witness) finish() {
	w.t.Helper()
	w.stop()
	w.mustPass("at the end")
	w.mustHold("at the end", 0)
	w.t.Logf("at the end: %s", w)
}
