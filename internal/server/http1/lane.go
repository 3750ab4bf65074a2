package http1

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Config of a Lane. Every field is required but the last.
type Config struct {
	Handler http.Handler
	// Server is the one that the requests' contexts name; what is not ordinary goes
	// there, as a rule.
	Server *http.Server
	// HeaderTimeout is how long a head may take: the first one from the beginning of
	// the connection, later ones from their first byte.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a connection waits for the next request, and up to an
	// eighth longer.
	IdleTimeout time.Duration
	// MaxHeaderBytes is the longest head that is read here, but no more than 8 KiB;
	// 0: 8 KiB.
	MaxHeaderBytes int
	// Log takes panics of the handler; nil discards them.
	Log *log.Logger
}

// Lane serves connections. It is safe for concurrent use.
type Lane struct {
	config  Config
	date    atomic.Pointer[date]
	closing atomic.Bool

	mu    sync.Mutex
	conns map[*conn]struct{}
}

// New returns a Lane.
func New(c Config) *Lane {
	if c.MaxHeaderBytes <= 0 || c.MaxHeaderBytes > maxHead {
		c.MaxHeaderBytes = maxHead
	}
	return &Lane{config: c, conns: map[*conn]struct{}{}}
}

// Serve answers the ordinary requests of a connection. It returns when the
// connection is closed, or with what was read of a request that is not ordinary:
// then the connection is the caller's. State is that of a connection under TLS; nil:
// none. The contexts of the requests come from ctx.
func (l *Lane) Serve(ctx context.Context, nc net.Conn, state *tls.ConnectionState) (rest []byte, open bool) {
	c := newConn(ctx, l, nc, state)
	if !l.add(c) {
		_ = nc.Close()
		return nil, false
	}
	defer l.remove(c)
	defer func() {
		// As net/http does: one client must not end all. A handler's own panics do not
		// come here, but its goroutine may end by runtime.Goexit.
		if fault := recover(); fault != nil {
			c.state.Store(closed)
			l.tell(c, fault)
			rest, open = nil, false
		}
		if !open {
			c.end()
		}
	}()
	return c.serve()
}

// tell logs a panic with its stack.
func (l *Lane) tell(c *conn, fault any) {
	if l.config.Log != nil {
		l.config.Log.Printf("http: panic serving %v: %v\n%s", c.remote, fault, debug.Stack())
	}
}

func (l *Lane) add(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing.Load() {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *Lane) remove(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// Shutdown closes the connections that wait for a request, and the others after
// their answer. It returns when none is left, or with the error of ctx. New ones are
// closed at once.
func (l *Lane) Shutdown(ctx context.Context) error {
	l.closing.Store(true)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if l.closeIdle() == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// closeIdle returns how many connections are left.
func (l *Lane) closeIdle() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.state.CompareAndSwap(idle, closed) {
			c.shut()
		}
	}
	return len(l.conns)
}

// Close cuts every connection.
func (l *Lane) Close() {
	l.closing.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.state.Store(closed)
		c.shut()
	}
}

// shut closes a connection, whose goroutine finds out. Under TLS that may take
// seconds, for a farewell that the client does not take: nobody waits for it.
func (c *conn) shut() { go func() { _ = c.nc.Close() }() }

// date is the value of the header Date for one second.
type date struct {
	second int64
	line   string
}

// dateLine returns the field of now.
func (l *Lane) dateLine() string {
	now := time.Now()
	if d := l.date.Load(); d != nil && d.second == now.Unix() {
		return d.line
	}
	d := &date{now.Unix(), "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"}
	l.date.Store(d)
	return d.line
}
