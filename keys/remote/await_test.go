package remote_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/testkit"
	"tollgate/keys/remote"
)

const remoteMinRefetch = 10 * time.Second

// TestKnownKidsNeverWait: while the host of the keys does not answer, a token
// whose key is at hand is not kept.
func TestKnownKidsNeverWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "known")))
		i := mustOpen(t, remote.Config{Client: b.client()}, urlSpec("https://a.example/jwks"))
		b.now(hang)
		time.Sleep(remoteMinRefetch)
		source, began := keysOf(i), time.Now()
		var waiting sync.WaitGroup
		for n := range 50 {
			waiting.Go(func() {
				wantKids(t, source.Await(t.Context(), fmt.Sprint("unknown ", n)), "known")
				if took := time.Since(began); took != 2*time.Second {
					t.Errorf("an unknown kid waited %v, want 2s", took)
				}
			})
		}
		synctest.Wait()
		for range 100 {
			wantKids(t, source.Set(), "known")
			wantKids(t, source.Await(t.Context(), "known"), "known")
			wantKids(t, source.Await(t.Context(), ""), "known")
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("known kids waited %v", took)
		}
		waiting.Wait()
		if got := i.Status()[0]; got.Fetches != 1 { // one that is still under way is not counted
			t.Errorf("%d fetches have ended, want 1", got.Fetches)
		}
		time.Sleep(3*time.Second + 1) // a nanosecond past its deadline
		if got := i.Status()[0]; got.Fetches != 2 || got.Failures != 1 {
			t.Errorf("after the deadline of the fetch: %+v", got)
		}
	})
}

// TestCallerGivesUp: a request that ends takes neither its wait nor the fetch of
// the others with it.
func TestCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "new")))
		i := mustOpen(t, remote.Config{Client: b.client()}, urlSpec("https://a.example/jwks"))
		time.Sleep(remoteMinRefetch)
		document := mustDocument(t, "new", "newer")
		b.now(func(r *http.Request) (*http.Response, error) {
			time.Sleep(7 * time.Second / 4)
			if err := r.Context().Err(); err != nil {
				t.Errorf("the fetch was cancelled: %v", err)
			}
			return answer(200, document), nil
		})
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var others sync.WaitGroup
		others.Go(func() {
			time.Sleep(time.Second / 2)
			wantKids(t, keysOf(i).Await(t.Context(), "newer"), "new newer")
		})
		wantKids(t, keysOf(i).Await(ctx, "newer"), "new")
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %v, want 1s", took)
		}
		others.Wait()
	})
}

// TestFlood: 20,000 invented kids from 64 goroutines cost the issuer one fetch in
// MinRefetch.
func TestFlood(t *testing.T) {
	c, document := newClock(), mustDocument(t, "known")
	h := mustHost(t, says(document))
	i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	source, began := keysOf(i), c.Now()
	var flood sync.WaitGroup
	for g := range 64 {
		flood.Go(func() {
			for n := range 20_000 / 64 {
				if set := source.Await(t.Context(), fmt.Sprintf("%d-%d", g, n)); set.Len() != 1 {
					t.Errorf("the set has %d keys", set.Len())
				}
				c.Advance(3 * time.Millisecond)
			}
		})
	}
	flood.Wait()
	elapsed := c.Now().Sub(began)
	if most := int64(elapsed/remoteMinRefetch) + 1; h.asked.Load() > most || h.asked.Load() < 2 {
		t.Errorf("%d fetches in %v, want at most %d", h.asked.Load(), elapsed, most)
	}
	if n := i.Missing(issuerA); n > remote.MaxMissing {
		t.Errorf("%d kids are remembered", n)
	}
}

// TestWaitersAreBounded: a flood against a slow host does not fill the memory
// with waiting requests, and what is remembered of it is bounded.
func TestWaitersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "known")))
		i := mustOpen(t, remote.Config{Client: b.client()}, urlSpec("https://a.example/jwks"))
		time.Sleep(remoteMinRefetch)
		b.now(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answer(200, mustDocument(t, "known", "new")), nil
		})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for n := range remote.MaxMissing { // clients that hang up at once leave their kids behind
			keysOf(i).Await(gone, fmt.Sprint("gone ", n))
		}
		var flood sync.WaitGroup
		var early atomic.Int64
		for n := range 2 * remote.MaxWaiters {
			flood.Go(func() {
				if set := keysOf(i).Await(t.Context(), fmt.Sprint(n)); set.Len() == 1 {
					early.Add(1)
				}
			})
		}
		synctest.Wait()
		if waiting, n := i.Waiting(issuerA), early.Load(); waiting != remote.MaxWaiters || n != remote.MaxWaiters {
			t.Errorf("%d wait and %d found no room, want %d each", waiting, n, remote.MaxWaiters)
		}
		flood.Wait()
		if n := i.Missing(issuerA); n != remote.MaxMissing {
			t.Errorf("%d kids are remembered, want %d", n, remote.MaxMissing)
		}
		if n := len(b.times()); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

// TestMissingKids: a kid that was looked for in vain takes no fetch from one that
// is new, and is looked for again after a while or after any good fetch.
func TestMissingKids(t *testing.T) {
	c := newClock()
	h := mustHost(t, says(mustDocument(t, "a")))
	i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	steps := []struct {
		after time.Duration
		kid   string
		serve string // the document from now on; empty: as before
		asked int64  // requests by then
		want  string
	}{
		{0, "x", "", 1, "a"},                                  // no fetch is allowed yet
		{remoteMinRefetch, "x", "", 2, "a"},                   // looked for in vain
		{remoteMinRefetch, "x", "", 2, "a"},                   // remembered
		{0, "b", mustDocument(t, "a", "b"), 3, "a b"},         // the fetch is there for a new one
		{remoteMinRefetch, "x", "", 4, "a b"},                 // forgotten by the good fetch
		{2 * remoteMinRefetch, "x", "", 4, "a b"},             // remembered
		{remoteMinRefetch, "x", "", 5, "a b"},                 // lapsed
		{remoteMinRefetch, "y", "\x00", 6, "a b"},             // a failed fetch says nothing about y
		{remoteMinRefetch, "y", mustDocument(t, "y"), 7, "y"}, // so it is looked for again
		{remoteMinRefetch, "", mustDocument(t, "z"), 7, "y"},  // no kid: any key will do
		{remoteMinRefetch / 2, "z", "", 8, "z"},               // allowed: 15 s have passed
		{remoteMinRefetch / 2, "y", mustDocument(t), 8, "z"},  // not allowed
		{remoteMinRefetch / 2, "y", mustDocument(t), 9, "z"},  // allowed, and the answer is worth nothing
		{remoteMinRefetch - 1, "y", mustDocument(t), 9, "z"},  // a nanosecond too early
		{1, "y", mustDocument(t, "y"), 10, "y"},               // now
		{1, "z", mustDocument(t, "y", "z"), 10, "y"},          // and not again
		{remoteMinRefetch, "z", mustDocument(t, "y"), 11, "y"},
	}
	for n, s := range steps {
		c.Advance(s.after)
		if s.serve != "" {
			h.now(says(s.serve))
		}
		wantKids(t, keysOf(i).Await(t.Context(), s.kid), s.want)
		if got := h.asked.Load(); got != s.asked {
			t.Fatalf("step %d (kid %q): %d requests, want %d", n, s.kid, got, s.asked)
		}
	}
}

// TestAwaitWithoutKeys: while there is no set at all, any token makes the fetch
// happen, one without kid too.
func TestAwaitWithoutKeys(t *testing.T) {
	c := newClock()
	h := mustHost(t, status(http.StatusServiceUnavailable))
	i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	wantKids(t, keysOf(i).Await(t.Context(), ""), "")
	c.Advance(remoteMinRefetch)
	h.now(says(mustDocument(t, "a")))
	wantKids(t, keysOf(i).Await(t.Context(), ""), "a")
}

// TestRefetch: a hint from within goes past MinRefetch, and one that comes during
// a fetch leads to another fetch.
func TestRefetch(t *testing.T) {
	c, arrived, proceed := newClock(), make(chan struct{}), make(chan struct{})
	h := mustHost(t, says(mustDocument(t, "a")))
	i := mustOpen(t, remote.Config{Now: c.Now}, urlSpec(h.URL))
	slow := func(kid string) {
		h.now(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Cache-Control") != "no-cache" {
				t.Error("caches on the way are not told to look for themselves")
			}
			arrived <- struct{}{}
			<-proceed
			says(mustDocument(t, kid))(w, r)
		})
	}
	slow("b")
	if !i.Refetch(issuerA) || i.Refetch("https://unknown.example") {
		t.Error("Refetch does not say whose keys it fetches")
	}
	<-arrived
	for range 100 {
		i.Refetch(issuerA)
	}
	slow("c")
	proceed <- struct{}{}
	<-arrived
	wantKids(t, keysOf(i).Set(), "b")
	var done sync.WaitGroup
	done.Go(func() { wantKids(t, keysOf(i).Await(t.Context(), "c"), "c") })
	testkit.MustAwait(t, "somebody who waits", func() bool { return i.Waiting(issuerA) > 0 })
	proceed <- struct{}{}
	done.Wait()
	if h.asked.Load() != 3 {
		t.Errorf("%d requests, want 3", h.asked.Load())
	}
}
