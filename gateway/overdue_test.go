package gateway

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// A machine that slept, or a clock that was put right, finds streams whose timers have
// yet to come: those whose tokens are over end, and the others go on.
func TestOverdueStreamsEnd(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming})
	short := e.dial(t, "/ws", bearerOf(e.token(t, withJTI("short")))...)
	short.wantHello(t)
	long := e.dial(t, "/ws", bearerOf(e.token(t, withJTI("long"), func(claims map[string]any) { claims["exp"] = time.Now().Unix() + 7200 }))...)
	long.wantHello(t)
	testkit.MustAwait(t, "open", func() bool { return e.gateway.OpenStreams() == 2 })
	e.gateway.streams.overdue(time.Now())
	if n := e.gateway.OpenStreams(); n != 2 {
		t.Errorf("%d streams, before any is over", n)
	}
	e.gateway.streams.overdue(time.Now().Add(time.Hour))
	short.wantClosed(t, "expired")
	testkit.MustAwait(t, "one left", func() bool { return e.gateway.OpenStreams() == 1 })
}
