package upstream

import (
	"net/http"
	"sync"
	"testing"

	"tollgate/internal/testkit"
)

func TestRoundRobinIsExact(t *testing.T) {
	a, b, c := mustBackend(t, nil), mustBackend(t, nil), mustBackend(t, nil)
	u := mustUpstream(t, Config{URLs: []string{a.URL, b.URL, c.URL}})
	for i := range 9 {
		mustGet(t, u, "ok")
		for j, one := range []*backend{a, b, c} {
			want := int64((i + 3 - j) / 3)
			if got := one.hits.Load(); got != want {
				t.Fatalf("after %d requests target %d had %d, want %d", i+1, j, got, want)
			}
		}
	}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() { _, _ = get(t, u) })
	}
	all.Wait()
	for j, one := range []*backend{a, b, c} {
		if got := one.hits.Load(); got != 13 {
			t.Errorf("target %d had %d of 39", j, got)
		}
	}
}

func TestRoundRobinAmongThoseThatAreIn(t *testing.T) {
	a, b, c := mustBackend(t, nil), mustBackend(t, nil), mustBackend(t, nil)
	u := mustUpstream(t, Config{URLs: []string{a.URL, b.URL, c.URL}})
	u.targets[1].sick.Store(true)
	for range 10 {
		mustGet(t, u, "ok")
	}
	if a.hits.Load() != 5 || b.hits.Load() != 0 || c.hits.Load() != 5 {
		t.Errorf("%d %d %d", a.hits.Load(), b.hits.Load(), c.hits.Load())
	}
	u.targets[0].sick.Store(true)
	u.targets[2].sick.Store(true)
	for range 9 {
		mustGet(t, u, "ok")
	}
	if a.hits.Load() != 8 || b.hits.Load() != 3 || c.hits.Load() != 8 {
		t.Errorf("all out: %d %d %d, each was to be tried", a.hits.Load(), b.hits.Load(), c.hits.Load())
	}
}

func TestLeastConnPrefersIdle(t *testing.T) {
	go1 := make(chan struct{})
	slow := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-go1
		}
	}
	a, b := mustBackend(t, slow), mustBackend(t, slow)
	u := mustUpstream(t, Config{URLs: []string{a.URL, b.URL}, Balance: LeastConn})
	done := make(chan error, 1)
	go func() {
		_, err := ask(u, request(t, http.MethodGet, "/slow", ""))
		done <- err
	}()
	testkit.MustAwait(t, "the slow request", func() bool { return a.hits.Load()+b.hits.Load() == 1 })
	busy, idle := a, b
	if b.hits.Load() == 1 {
		busy, idle = b, a
	}
	for range 10 {
		mustGet(t, u, "")
	}
	if busy.hits.Load() != 1 || idle.hits.Load() != 10 {
		t.Errorf("busy had %d more, idle %d", busy.hits.Load()-1, idle.hits.Load())
	}
	close(go1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	before := busy.hits.Load()
	for range 10 {
		mustGet(t, u, "")
	}
	if got := busy.hits.Load() - before; got != 5 {
		t.Errorf("equals do not share: %d of 10", got)
	}
}
