//go:build chaos

package main

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosNone: four administrators revoke while three clients call, and nothing else
// happens. From the answer of a revocation that waited no edge lets the token through.
func TestChaosNone(t *testing.T) {
	w := mustWitness(t, mustFleet(t, plan{Redis: testkit.MustStartRedis(t)}), 0)
	w.strict.Store(true)
	count := int64(full(10_000, 400))
	began := time.Now()
	var done, work = atomic.Int64{}, sync.WaitGroup{}
	for range 4 {
		work.Go(func() {
			for n := done.Add(1); n <= count; n = done.Add(1) {
				h := w.f.Foreign.mintHeld(10_000 + n)
				w.call(w.f.Edges[n%3], h)
				if !w.revokeOne(h, true) {
					w.fail("%v was not acknowledged", h.order)
				}
				for _, e := range w.f.Edges { // in the moment after the answer
					if status := w.call(e, h); status != http.StatusUnauthorized {
						w.fail("%v: %d at %s", h.order, status, e.Public)
					}
				}
			}
		})
	}
	work.Wait()
	t.Logf("%d revocations in %s: %s", count, time.Since(began).Round(time.Millisecond), w)
	w.finish()
}

// TestChaosArrival measures how long after the call of a revocation that does not wait
// every edge refuses the token. The figure to reach, 10 ms in 99 of 100, is reported;
// what is asserted is that 99 of 100 do not take as long as the edges may be behind,
// and by the witness that none passes when it is asked for later.
func TestChaosArrival(t *testing.T) {
	f := mustFleet(t, plan{Redis: testkit.MustStartRedis(t)})
	w := mustWitness(t, f, 0)
	count := full(10_000, 300)
	took := make([]time.Duration, count)
	for i := range took {
		h := f.Foreign.mintHeld(int64(20_000 + i))
		for _, e := range f.Edges {
			w.call(e, h)
		}
		began := time.Now()
		var work sync.WaitGroup
		var last atomic.Int64
		for _, e := range f.Edges {
			work.Go(func() {
				for time.Since(began) < 10*maxStale {
					if w.call(e, h) == http.StatusUnauthorized {
						last.Store(max(last.Load(), int64(time.Since(began))))
						return
					}
				}
				w.fail("%v still passes at %s", h.order, e.Public)
			})
		}
		if !w.revokeOne(h, false) {
			w.fail("%v was not acknowledged", h.order)
		}
		work.Wait()
		took[i] = time.Duration(last.Load())
	}
	slices.Sort(took)
	t.Logf("%d revocations, call to refused by three edges: median %s, p99 %s, longest %s", count, took[count/2], took[count*99/100], took[count-1])
	if took[count*99/100] > maxStale {
		t.Errorf("one of 100 took %s", took[count*99/100])
	}
	w.finish()
}
