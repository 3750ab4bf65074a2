package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

func TestThresholds(t *testing.T) {
	down := errors.New("status 500")
	for _, c := range []struct {
		name               string
		healthy, unhealthy int
		checks             []error
		want               []bool
	}{
		{"defaults", 0, 0, []error{nil, down, nil, down, down, down, nil}, []bool{true, true, true, true, false, false, true}},
		{"one failure", 1, 1, []error{down, nil}, []bool{false, true}},
		{"slow to trust", 3, 2, []error{down, down, nil, nil, down, nil, nil, nil}, []bool{true, false, false, false, false, false, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := mustUpstream(t, Config{URLs: []string{"http://a.test"}, Health: HealthConfig{Path: "/", Healthy: c.healthy, Unhealthy: c.unhealthy}})
			for i, err := range c.checks {
				u.checked(u.targets[0], err)
				s := u.Status()[0]
				if s.Healthy != c.want[i] {
					t.Errorf("after check %d: healthy %v", i+1, s.Healthy)
				}
				if s.LastCheck.IsZero() || (s.LastError != "") != (err != nil) {
					t.Errorf("after check %d: %+v", i+1, s)
				}
			}
		})
	}
}

// TestActiveChecks takes a target out and brings it back, and looks at what is
// asked.
func TestActiveChecks(t *testing.T) {
	var sick atomic.Bool
	serve := func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/healthz?full" {
			return
		}
		if r.Host != "shop.example.com" || r.Method != http.MethodGet {
			t.Errorf("checked by %s for %s", r.Method, r.Host)
		}
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(http.StatusFound)
	}
	a := mustBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		serve(w, r)
	})
	b := mustBackend(t, serve)
	u := mustUpstream(t, Config{URLs: []string{a.URL + "/base", b.URL}, Health: HealthConfig{
		Path: "/healthz?full", Host: "shop.example.com", Every: time.Millisecond,
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { u.Run(ctx) })
	defer func() { cancel(); run.Wait() }()

	testkit.MustAwait(t, "a check of each", func() bool { return !u.Status()[0].LastCheck.IsZero() && !u.Status()[1].LastCheck.IsZero() })
	if s := u.Status(); !s[0].Healthy || !s[1].Healthy {
		t.Fatalf("%+v", s)
	}
	sick.Store(true)
	testkit.MustAwait(t, "out", func() bool { return !u.Status()[0].Healthy })
	for range 6 {
		if u.pick() != u.targets[1] {
			t.Fatal("an unhealthy target is chosen")
		}
	}
	if got := u.Status()[0].LastError; got != "check: status 500" {
		t.Errorf("last error %q", got)
	}
	sick.Store(false)
	testkit.MustAwait(t, "back", func() bool { return u.Status()[0].Healthy })
}

func TestCheckTimesOut(t *testing.T) {
	gone := make(chan struct{}, 1000)
	var reached atomic.Bool
	a := mustBackend(t, func(w http.ResponseWriter, r *http.Request) {
		reached.Store(true)
		<-r.Context().Done()
		gone <- struct{}{}
	})
	u := mustUpstream(t, Config{URLs: []string{a.URL}, Health: HealthConfig{Path: "/", Timeout: 100 * time.Millisecond}})
	testkit.MustAwait(t, "a check that came as far as the back end", func() bool {
		if err := u.probe(t.Context(), u.targets[0]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		return reached.Load()
	})
	<-gone
}

func TestRunWithoutChecksEndsWithItsContext(t *testing.T) {
	u := mustUpstream(t, Config{URLs: []string{"http://a.test"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u.Run(ctx)
}
