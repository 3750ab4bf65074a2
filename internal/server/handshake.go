package server

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxHandshakes is how many may be under way at once on one listener. Further
// connections wait in the kernel, as they do where file descriptors are short; the
// time that a handshake may take makes room again.
const maxHandshakes = 8192

// handshakes is a TLS listener that hands connections out when they have shaken
// hands. net/http knows HTTP/2 by the type *tls.Conn and would do the handshake
// itself; then HTTP/1.1 could not be had through a [wire].
//
// A handshake that failed is handed out as well: net/http finds the error in the
// connection, tells a client of plain HTTP what is wrong, and logs.
type handshakes struct {
	net.Listener
	config  *tls.Config
	timeout time.Duration
	log     *log.Logger

	out   chan accepted
	slots chan struct{}   // one for each handshake under way
	done  <-chan struct{} // closed by stop
	stop  context.CancelFunc
	tasks sync.WaitGroup

	waits, failures atomic.Uint64 // see [Handshakes]
}

// Handshakes says how it stands with the TLS handshakes of a listener.
type Handshakes struct {
	UnderWay, Most int
	// Waits counts the times that a connection had to wait in the kernel, since as many
	// as there may be were under way. None is refused.
	Waits uint64
	// Failures counts those that did not succeed, or not in time.
	Failures uint64
}

// Handshakes tells of the named listener; zero where it does not speak TLS, or not yet.
func (s *Server) Handshakes(name string) Handshakes {
	for _, l := range s.servers {
		if h := l.shaking.Load(); l.name == name && h != nil {
			return Handshakes{len(h.slots), cap(h.slots), h.waits.Load(), h.failures.Load()}
		}
	}
	return Handshakes{}
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// shakeHands accepts from what l has opened until Close, or until ctx ends.
func shakeHands(ctx context.Context, l *listener) *handshakes {
	ctx, stop := context.WithCancel(ctx)
	h := &handshakes{
		Listener: l.net, config: l.http.TLSConfig.Clone(), timeout: l.http.ReadHeaderTimeout, log: l.http.ErrorLog,
		out: make(chan accepted), slots: make(chan struct{}, l.handshakes), done: ctx.Done(), stop: stop,
	}
	l.shaking.Store(h)
	h.tasks.Go(func() { h.run(ctx) })
	return h
}

// Accept implements net.Listener.
func (h *handshakes) Accept() (net.Conn, error) {
	select {
	case a := <-h.out:
		return a.conn, a.err
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Handshakes under way are cut: no request of theirs
// would be answered any more.
func (h *handshakes) Close() error {
	h.stop()
	return h.Listener.Close()
}

// wait returns when nothing runs any more; Close comes first.
func (h *handshakes) wait() { h.tasks.Wait() }

// run accepts connections. An error waits for whoever accepts, who knows which of
// them pass and how long to wait.
func (h *handshakes) run(ctx context.Context) {
	for {
		if len(h.slots) == cap(h.slots) {
			h.waits.Add(1)
		}
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := h.Listener.Accept()
		if err == nil {
			h.tasks.Go(func() {
				defer func() { <-h.slots }()
				h.shake(ctx, conn)
			})
			continue
		}
		<-h.slots
		if !h.hand(ctx, accepted{err: err}) {
			return
		}
	}
}

// shake does one handshake, within the time for it.
func (h *handshakes) shake(ctx context.Context, raw net.Conn) {
	conn := tls.Server(raw, h.config)
	defer func() {
		if fault := recover(); fault != nil { // as net/http does: one client must not end all
			_ = raw.Close()
			h.log.Printf("http: panic shaking hands with %v: %v", raw.RemoteAddr(), fault)
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(h.timeout)) // fails where the client is gone: then the handshake does
	var out net.Conn = conn
	if err := conn.HandshakeContext(ctx); err == nil {
		_ = conn.SetDeadline(time.Time{})
		if conn.ConnectionState().NegotiatedProtocol != "h2" {
			out = &tlsWire{wire{Conn: conn}, conn.ConnectionState}
		}
	} else {
		h.failures.Add(1)
	}
	if !h.hand(ctx, accepted{conn: out}) {
		_ = raw.Close() // without a farewell, which could take time
	}
}

// hand gives something to Accept; false when nobody accepts any more.
func (h *handshakes) hand(ctx context.Context, a accepted) bool {
	select {
	case h.out <- a:
		return true
	case <-ctx.Done():
		return false
	}
}
