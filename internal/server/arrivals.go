package server

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/internal/server/http1"
)

// maxHandshakes is how many may be under way at once on one listener. Further
// connections wait in the kernel, as they do where file descriptors are short; the
// time that a handshake may take makes room again.
const maxHandshakes = 8192

// arrivals is a listener that hands those connections out that are for net/http.
// Under TLS it shakes hands before: net/http knows HTTP/2 by the type *tls.Conn and
// would do the handshake itself; then HTTP/1.1 could not be had through a [wire].
// With a lane, a connection is handed out when a request comes that is not ordinary.
//
// A handshake that failed is handed out as well: net/http finds the error in the
// connection, tells a client of plain HTTP what is wrong, and logs.
type arrivals struct {
	net.Listener
	config  *tls.Config // nil: plain
	lane    *http1.Lane // nil: everything is for net/http
	base    context.Context
	timeout time.Duration
	bears   time.Duration // a client that takes nothing
	log     *log.Logger

	out   chan accepted
	slots chan struct{}   // one for each handshake under way
	done  <-chan struct{} // closed by stop
	stop  context.CancelFunc
	tasks sync.WaitGroup

	waits, failures atomic.Uint64 // see [Handshakes]
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// receive accepts from what l has opened until Close, or until ctx ends.
func receive(ctx context.Context, l *listener) *arrivals {
	base := l.base
	if base == nil {
		base = ctx
	}
	ctx, stop := context.WithCancel(ctx)
	a := &arrivals{
		Listener: l.net, lane: l.lane, base: base, timeout: l.http.ReadHeaderTimeout, bears: l.patience, log: l.http.ErrorLog,
		out: make(chan accepted), slots: make(chan struct{}, l.handshakes), done: ctx.Done(), stop: stop,
	}
	if l.cert != nil {
		a.config = l.http.TLSConfig.Clone()
	}
	l.arrivals.Store(a)
	a.tasks.Go(func() { a.run(ctx) })
	return a
}

// Accept implements net.Listener.
func (a *arrivals) Accept() (net.Conn, error) {
	select {
	case got := <-a.out:
		return got.conn, got.err
	case <-a.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Handshakes under way are cut: no request of theirs
// would be answered any more.
func (a *arrivals) Close() error {
	a.stop()
	return a.Listener.Close()
}

// wait returns when no goroutine of the listener runs any more. Close must have been
// called, and the lane must have been shut down.
func (a *arrivals) wait() { a.tasks.Wait() }

// run accepts connections. An error is handed on through Accept to net/http, which knows
// which errors pass and how long to wait.
func (a *arrivals) run(ctx context.Context) {
	for {
		if len(a.slots) == cap(a.slots) {
			a.waits.Add(1)
		}
		select {
		case a.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := a.Listener.Accept()
		if err == nil {
			a.tasks.Go(func() { a.arrive(ctx, conn) })
			continue
		}
		<-a.slots
		if !a.hand(ctx, accepted{err: err}) {
			return
		}
	}
}

// arrive takes one connection to where its requests are answered.
func (a *arrivals) arrive(ctx context.Context, raw net.Conn) {
	bearNot(raw, a.bears)
	conn, lane := net.Conn(&plainWire{wire{Conn: raw}}), a.lane
	if a.config != nil {
		conn = a.shake(ctx, raw)
	}
	<-a.slots
	if conn == nil {
		return
	}
	if w := wireOf(conn); w != nil && lane != nil {
		var state *tls.ConnectionState
		if over, ok := conn.(*tlsWire); ok {
			s := over.state()
			state = &s
		}
		rest, open := lane.Serve(a.base, w.Conn, state)
		if !open {
			return
		}
		w.before = rest
	}
	if !a.hand(ctx, accepted{conn: conn}) {
		_ = raw.Close() // without a farewell, which could take time
	}
}

// hand gives something to Accept; false when nobody accepts any more.
func (a *arrivals) hand(ctx context.Context, got accepted) bool {
	select {
	case a.out <- got:
		return true
	case <-ctx.Done():
		return false
	}
}
