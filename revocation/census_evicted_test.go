package revocation_test

import (
	"context"
	"testing"
	"time"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestWaitWithoutTheRegister: a Redis that evicts any key takes the register of edges
// alone. Neither an empty one nor the first edge that is back is taken for all of them.
func TestWaitWithoutTheRegister(t *testing.T) {
	m, client := mustMiniAt(t)
	s, c := mustOpen(t, client, revocationtest.Settings()), mustCensus(t, client)
	first, second := mustEdge(t, client, "first"), mustEdge(t, client, "second")
	r := mustRevoke(t, s, revocation.KindJTI, "j")
	first.say(r.Seq, r.Epoch)
	first.mustRegister(t)
	second.mustRegister(t)
	client.Del(t.Context(), "tg:{rev}:edges")
	wantTime := func(when string, wantLive, wantApplied int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*block)
		defer cancel()
		if live, applied, err := c.Wait(ctx, r.Seq, r.Epoch); live != wantLive || applied != wantApplied || err != nil || ctx.Err() == nil {
			t.Errorf("%s: %d live, %d applied, %v; over in time: %v", when, live, applied, err, ctx.Err())
		}
	}
	wantTime("nobody is back", 0, 0)
	first.mustRegister(t)
	wantTime("one is back", 1, 1)
	second.say(r.Seq, r.Epoch)
	second.mustRegister(t)
	m(4 * time.Second) // store time is a little ahead of the clock that stands still
	if live, applied, err := c.Wait(t.Context(), r.Seq, r.Epoch); live != 2 || applied != 2 || err != nil {
		t.Errorf("%d live, %d applied, %v", live, applied, err)
	}

	for _, e := range []*edge{first, second} { // empty, and not lost
		if err := e.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if live, applied, err := c.Wait(t.Context(), r.Seq, r.Epoch); live != 0 || applied != 0 || err != nil {
		t.Errorf("all have left: %d live, %d applied, %v", live, applied, err)
	}
	first.mustRegister(t)
	if live, applied, err := c.Wait(t.Context(), r.Seq, r.Epoch); live != 1 || applied != 1 || err != nil {
		t.Errorf("one begins: %d live, %d applied, %v", live, applied, err)
	}
}

// TestEdgeNameWithoutItsHash: what a live edge has said was evicted. Another process of
// that name does not become the one that is waited for; the edge itself says it anew.
func TestEdgeNameWithoutItsHash(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		c, old, other := mustCensus(t, k.client), mustEdge(t, k.client, "host"), mustEdge(t, k.client, "host")
		old.mustRegister(t)
		k.client.Del(t.Context(), "tg:{rev}:edge:host")
		other.mustRegister(t)
		if other.Name() == "host" {
			t.Error("the second has the name of the first")
		}
		old.mustRegister(t)
		if old.Name() != "host" {
			t.Errorf("the first is now %s", old.Name())
		}
		wantCount(t, c, 1, "e", 2, 0)
	})
}
