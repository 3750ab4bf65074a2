package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/revocation"
)

// mustEdge registers an edge that says what the test wants it to.
func mustEdge(t *testing.T, k *issuerkit.Kit, name string) (*revocation.Registrar, *atomic.Pointer[revocation.EdgeReport]) {
	t.Helper()
	says := &atomic.Pointer[revocation.EdgeReport]{}
	says.Store(&revocation.EdgeReport{})
	r, err := revocation.NewRegistrar(revocation.RegistrarConfig{
		Client: k.Redis, Prefix: "t:", Name: name, Version: "v1", ClosesAfter: func() time.Duration { return 5 * time.Second },
		Report: func() revocation.EdgeReport { return *says.Load() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, says
}

// lastApplied is the report of an edge that has applied all that the feed tells.
func lastApplied(t *testing.T, k *issuerkit.Kit) revocation.EdgeReport {
	t.Helper()
	epoch := k.Redis.HGetAll(t.Context(), "t:{rev}:epoch").Val()
	n, err := strconv.ParseUint(epoch["n"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return revocation.EdgeReport{N: n, Epoch: epoch["id"], Nonce: epoch["last"]}
}

func wantEdges(t *testing.T, body map[string]any, live, applied string) {
	t.Helper()
	edges, _ := body["edges"].(map[string]any)
	if edges["live"] != json.Number(live) || edges["applied"] != json.Number(applied) || len(edges) != 2 {
		t.Errorf("edges %v, want %s live, %s applied", edges, live, applied)
	}
}

// TestRevocationCountsEdges: the answer to a revocation has real numbers, and with
// wait it comes when all have applied it, or when the time is over.
func TestRevocationCountsEdges(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	wantEdges(t, revoke(t, k, "jti", "j0"), "0", "0")
	one, says := mustEdge(t, k, "one")
	wantEdges(t, revoke(t, k, "jti", "j1"), "1", "0")
	post := func(value, wait string) map[string]any {
		t.Helper()
		return wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": "jti", "value": value, "wait": wait}), 201)
	}
	wantEdges(t, post("j2", "50ms"), "1", "0")

	stop := make(chan struct{})
	var edge sync.WaitGroup
	edge.Go(func() { // and not after half a minute
		for {
			report := lastApplied(t, k)
			says.Store(&report)
			_ = one.Register(t.Context())
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	wantEdges(t, post("j3", "30s"), "1", "1")
	close(stop)
	edge.Wait() // it may not fail at the end of the test, when its commands do
	for _, wait := range []string{"-1s", "31s", "2", "soon", "1h"} {
		wantProblem(t, k.Control(t, "POST", revocations, map[string]any{"kind": "jti", "value": "j4", "wait": wait}), 400, "bad_request")
	}
	if got := items(t, wantDone(t, k.Control(t, "GET", revocations+"?kind=jti", nil), 200)); len(got) != 4 {
		t.Errorf("%d revocations: one was refused for its wait and made all the same", len(got))
	}
}

// TestListEdges: every field, in the words of the API.
func TestListEdges(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	if got := items(t, wantDone(t, k.Control(t, "GET", "/admin/v1/edges", nil), 200)); len(got) != 0 {
		t.Errorf("nobody is there: %v", got)
	}
	r, says := mustEdge(t, k, "host-1")
	mustEdge(t, k, "host-2")
	revoke(t, k, "jti", "j")
	report := lastApplied(t, k)
	epoch := report.Epoch
	report.Stale, report.Entries, report.KeySet, report.Routes = 1500*time.Millisecond, 3, "k", "r"
	says.Store(&report)
	if err := r.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := items(t, wantDone(t, k.Control(t, "GET", "/admin/v1/edges", nil), 200))
	if len(got) != 2 {
		t.Fatalf("%v", got)
	}
	want := map[string]string{
		"name": "host-1", "version": "v1", "n": "1", "epoch": epoch, "stale": "1.5s", "entries": "3", "key_set": "k", "routes": "r",
		"closes_after": "5s", "live": "true", "lag": "0",
	}
	for name, value := range want {
		if fmt.Sprint(got[0][name]) != value {
			t.Errorf("%s is %v, want %s", name, got[0][name], value)
		}
	}
	for _, name := range []string{"since", "heard"} {
		if at := after(t, got[0][name], k.Now()); at < 0 || at > time.Second {
			t.Errorf("%s is %s from now", name, at)
		}
		want[name] = ""
	}
	if members := slices.Sorted(maps.Keys(got[0])); !slices.Equal(members, slices.Sorted(maps.Keys(want))) {
		t.Errorf("members %v", members)
	}
	if got[1]["name"] != "host-2" || got[1]["epoch"] != "" || fmt.Sprint(got[1]["lag"]) != "1" {
		t.Errorf("%v", got[1])
	}
}
