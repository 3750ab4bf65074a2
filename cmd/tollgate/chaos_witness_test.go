//go:build chaos

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

const (
	backWithin  = 10 * time.Second // after a fault's end everything unrevoked passes again
	promised    = 500 * time.Millisecond
	answerBound = 3 * time.Second // asserted; `promised` is reported: tests share their machine
)

// witness revokes and calls while a fleet suffers, and knows what must hold: a token
// whose revocation was acknowledged passes nowhere, one that was not revoked is
// refused by 503 alone, and every request is answered.
type witness struct {
	t    *testing.T
	f    *fleet
	keep []*held // never revoked

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	client *http.Client
	next   atomic.Int64
	pace   time.Duration // between two revocations of one administrator
	strict atomic.Bool   // only what every edge has applied counts as acknowledged
	apart  atomic.Bool   // acknowledgements count when the fleet is together again

	mu       sync.Mutex // guards what follows
	excused  map[*system]bool
	pardoned map[*system]time.Time // when the latest excuse ended
	acked    []*held
	later    []*held       // acknowledged while apart
	longest  time.Duration // answer of an edge since the last step began
	late     int           // answers of an edge over what is promised, since then
	answers  int
	refused  int // keepers, by 503, since then
	failures int
}

// mustWitness fills a stock, sees that all of it passes, and begins.
func mustWitness(t *testing.T, f *fleet, revokers int) *witness {
	t.Helper()
	w := &witness{t: t, f: f, excused: map[*system]bool{}, pardoned: map[*system]time.Time{}, pace: 10 * time.Millisecond, client: &http.Client{
		Timeout: 40 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	w.next.Store(1000)
	for i := range 20 {
		w.keep = append(w.keep, f.Foreign.mintHeld(int64(i)))
	}
	if !f.plan.Bare {
		for range 5 {
			if h := f.logInHeld(); h != nil {
				w.keep = append(w.keep, h)
			}
		}
		if len(w.keep) != 25 {
			t.Fatal("nobody could log in")
		}
	}
	w.mustPass("at the start")
	w.ctx, w.cancel = context.WithCancel(context.Background())
	for i := range revokers {
		w.work.Go(func() { w.revoke(i) })
	}
	for _, e := range f.Edges {
		w.work.Go(func() { w.callOn(e) })
	}
	t.Cleanup(w.stop)
	return w
}

func (w *witness) stop() { w.cancel(); w.work.Wait() }

// fail reports a breach of what must hold, the first few of them.
func (w *witness) fail(format string, args ...any) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures++; w.failures <= 10 {
		w.t.Errorf(format, args...)
	}
}

// revoke revokes new tokens, one after the other, each until it is acknowledged.
func (w *witness) revoke(who int) {
	for w.ctx.Err() == nil {
		n := w.next.Add(1)
		h := w.f.Foreign.mintHeld(n)
		if n%50 == 0 && !w.f.plan.Bare {
			if own := w.f.logInHeld(); own != nil {
				h = own
			}
		}
		if n%4 == 0 { // the edge has seen it before
			w.call(w.f.Edges[int(n)%len(w.f.Edges)], h)
		}
		for w.ctx.Err() == nil && !w.revokeOne(h, who%2 == 0) {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(w.pace)
	}
}

// revokeOne asks for one revocation, and says whether it was acknowledged.
func (w *witness) revokeOne(h *held, wait bool) bool {
	text, apart := "", w.apart.Load()
	if wait || w.strict.Load() {
		text = "1s"
	}
	if !h.revoke(w.f.Home, text) || w.strict.Load() && !h.everywhere.Load() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if apart || w.apart.Load() {
		w.later = append(w.later, h)
	} else {
		h.acked.CompareAndSwap(0, time.Now().UnixNano())
		w.acked = append(w.acked, h)
	}
	return true
}

// together ends the time in which acknowledgements do not count yet: from here on
// they do.
func (w *witness) together() {
	w.apart.Store(false)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.later {
		h.acked.Store(time.Now().UnixNano())
		h.everywhere.Store(true)
	}
	w.acked = append(w.acked, w.later...)
	w.later = nil
}

// callOn calls one edge with unrevoked and revoked tokens in turn.
func (w *witness) callOn(e *system) {
	for w.ctx.Err() == nil {
		w.call(e, w.keep[rand.IntN(len(w.keep))])
		for _, h := range w.some(2) {
			w.call(e, h)
		}
		time.Sleep(3 * time.Millisecond)
	}
}

// some are acknowledged tokens: the latest, and others.
func (w *witness) some(n int) []*held {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.acked) == 0 {
		return nil
	}
	out := []*held{w.acked[len(w.acked)-1]}
	for len(out) < n {
		out = append(out, w.acked[rand.IntN(len(w.acked))])
	}
	return out
}

// call sends one request to an edge and judges the answer. 0: there was none.
func (w *witness) call(e *system, h *held) (status int) {
	began := time.Now()
	must := h.mustRefuse(began)
	w.mu.Lock()
	excused := w.excused[e]
	w.mu.Unlock()
	status, err := w.ask(e, h.raw)
	took := time.Since(began)
	w.mu.Lock()
	excused = excused || w.excused[e] || began.Before(w.pardoned[e]) // under way when it began, and told of after its end
	if !excused {
		w.answers++
		w.longest = max(w.longest, took)
		if took > promised {
			w.late++
		}
		if status == http.StatusServiceUnavailable && h.acked.Load() == 0 {
			w.refused++
		}
	}
	w.mu.Unlock()
	switch {
	case err != nil && !excused:
		w.fail("no answer of edge %s: %v", e.Public, err)
	case err != nil || status == http.StatusServiceUnavailable || status == http.StatusUnauthorized && h.order != nil && !w.kept(h):
	case status == http.StatusOK && must:
		w.fail("%v passed at %s %s after its revocation was acknowledged (by every edge: %t)",
			h.order, e.Public, time.Since(time.Unix(0, h.acked.Load())), h.everywhere.Load())
	case status != http.StatusOK:
		w.fail("unrevoked %v: %d at %s", h.order, status, e.Public)
	}
	return status
}

// kept says whether nobody ever asked for the token's revocation.
func (w *witness) kept(h *held) bool {
	for _, k := range w.keep {
		if k == h {
			return true
		}
	}
	return false
}

func (w *witness) ask(e *system, raw string) (int, error) {
	req, err := http.NewRequest("GET", e.Public+"/x", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	res, err := w.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// excuse says that an edge need not answer for now: it is stopped or away.
func (w *witness) excuse(e *system, is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.excused[e] = is
	if !is {
		w.pardoned[e] = time.Now()
	}
}

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// mustAckMore waits until that many more revocations were acknowledged.
func (w *witness) mustAckMore(more int) {
	w.t.Helper()
	from := w.count()
	testkit.MustAwaitWithin(w.t, time.Minute, fmt.Sprint(more, " more revocations acknowledged"), func() bool { return w.count() >= from+more },
		func() string { return fmt.Sprint(w.count()-from, " were") }, w.f.Home.logs.String)
}

// String is what the witness has seen since the last step began.
func (w *witness) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d acknowledged, %d calls, %d unrevoked refused by 503, longest answer %s, %d over %s",
		len(w.acked), w.answers, w.refused, w.longest.Round(time.Millisecond), w.late, promised)
}
