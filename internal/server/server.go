package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"tollgate/internal/server/http1"
)

// Config holds the limits that all listeners share. The zero value of each field
// is a usable one.
type Config struct {
	// ReadHeaderTimeout is how long a client may take to send the header of a
	// request, and before it to shake hands by TLS; 0 means 5 s. There is no such
	// limit on bodies and answers as a whole: an event stream has no end, and each
	// route sets its own deadlines.
	ReadHeaderTimeout time.Duration
	// BodyIdleTimeout is how long a client may send nothing of a body that is being
	// read; 0 means 30 s. Then reading fails with ErrBodyIdle and the connection
	// (of HTTP/2: the stream) is cut. It ends where a request and its answer flow at
	// once: with the answer's beginning over HTTP/2, and for gRPC at all times.
	BodyIdleTimeout time.Duration
	// AnswerIdleTimeout is how long a client may take nothing of what is sent to it; 0
	// means 2 min. Then the kernel ends its connection, if that is Linux's. A stream of
	// HTTP/2 that is not read on a connection that is well is for the handler to end.
	AnswerIdleTimeout time.Duration
	// IdleTimeout is how long an unused connection is kept; 0 means 90 s.
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds the header of a request; 0 means 16 KiB. More are
	// answered 431 before any handler sees them.
	MaxHeaderBytes int
	// MaxHeaderFields bounds the number of its fields; 0 means 100. More are
	// answered 431, too.
	MaxHeaderFields int
	// ShutdownDelay is how long requests are still taken after Draining became
	// true; 0 means not at all.
	ShutdownDelay time.Duration
	// ShutdownTimeout is how long requests in flight may take to finish; 0 means
	// 30 s.
	ShutdownTimeout time.Duration
	// Log takes the lines of start and end; nil discards them.
	Log *slog.Logger
}

// Server is a set of HTTP listeners with the background work beside them. Add
// everything, then Listen, then Run, once each and from one goroutine; Addr and
// Draining may be called by any.
type Server struct {
	cfg      Config
	servers  []*listener
	workers  []job
	supports []job
	draining atomic.Bool
	busy     inFlight
}

// listener is one address with its handler.
type listener struct {
	name, addr string
	last       bool
	cert       *Certificate // nil: plain
	http       *http.Server
	lane       *http1.Lane     // for ordinary requests; nil: net/http answers all
	base       context.Context // of the requests; nil until Run
	patience   time.Duration   // with a client that takes nothing
	net        net.Listener    // nil until Listen, and for ever when addr is empty
	handshakes int             // how many may be under way at once
	arrivals   atomic.Pointer[arrivals]
}

// job is one piece of background work.
type job struct {
	name string
	run  func(context.Context) error
}

// New returns a server without listeners.
func New(c Config) *Server {
	if c.ReadHeaderTimeout == 0 {
		c.ReadHeaderTimeout = 5 * time.Second
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 90 * time.Second
	}
	if c.MaxHeaderBytes == 0 {
		c.MaxHeaderBytes = 16 << 10
	}
	if c.BodyIdleTimeout == 0 {
		c.BodyIdleTimeout = 30 * time.Second
	}
	if c.AnswerIdleTimeout == 0 {
		c.AnswerIdleTimeout = 2 * time.Minute
	}
	if c.MaxHeaderFields == 0 {
		c.MaxHeaderFields = 100
	}
	if c.ShutdownTimeout == 0 {
		c.ShutdownTimeout = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{cfg: c}
}

// Add gives the server a listener for HTTP/1.1. The name stands in errors and in
// the log. An empty address is a listener that is switched off.
func (s *Server) Add(name, addr string, h http.Handler) {
	s.add(&listener{name: name, addr: addr}, h, onlyHTTP1())
}

// AddLast is Add for a listener that stays open until the others have finished
// their requests: health and metrics, which have to be seen until the end.
func (s *Server) AddLast(name, addr string, h http.Handler) {
	s.add(&listener{name: name, addr: addr, last: true}, h, onlyHTTP1())
}

// AddPublic is Add for a listener that clients talk to: it speaks HTTP/2 beside
// HTTP/1.1. With a certificate it is a TLS listener, ALPN decides, and the
// certificate's files are watched while the server runs. Without one (nil) a client
// begins with HTTP/2's preface (prior knowledge, h2c), as a load balancer does;
// "Upgrade: h2c" is never followed. Ordinary requests of HTTP/1.1 are answered by
// package http1, all others by net/http.
func (s *Server) AddPublic(name, addr string, h http.Handler, cert *Certificate) {
	l := &listener{name: name, addr: addr, cert: cert}
	s.add(l, h, withHTTP2(cert != nil))
	l.lane = http1.New(http1.Config{
		Handler: s.track(s.limit(h), false), Server: l.http, HeaderTimeout: s.cfg.ReadHeaderTimeout, IdleTimeout: s.cfg.IdleTimeout,
		MaxHeaderBytes: s.cfg.MaxHeaderBytes, Log: l.http.ErrorLog,
	})
	if cert != nil && addr != "" {
		s.Worker("certificate of "+name, cert.Watch)
	}
}

func (s *Server) add(l *listener, h http.Handler, protocols *http.Protocols) {
	l.handshakes, l.patience = maxHandshakes, s.cfg.AnswerIdleTimeout
	l.http = &http.Server{
		Handler:           voiced(s.track(s.limit(h), l.last)),
		ConnContext:       withWire,
		ConnState:         observe,
		Protocols:         protocols,
		HTTP2:             http2Limits(),
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeaderBytes,
		ErrorLog:          newErrorLog(s.cfg.Log.With("listener", l.name)),
		// OPTIONS * goes to the handler like any other request, instead of
		// being answered where nobody counts it.
		DisableGeneralOptionsHandler: true,
	}
	if l.cert != nil {
		l.http.TLSConfig = tlsConfig(l.cert)
	}
	s.servers = append(s.servers, l)
}

// serve answers connections until the listener is closed.
func (l *listener) serve(ctx context.Context) error {
	came := receive(ctx, l)
	err := l.http.Serve(came) // closes it
	if !errors.Is(err, http.ErrServerClosed) {
		return err // connections are open; what ends the server closes them
	}
	came.wait()
	return nil
}

// Worker adds background work that no request depends on. It is told to stop when
// draining begins. An error from it ends the whole server; nil does not.
func (s *Server) Worker(name string, run func(ctx context.Context) error) {
	s.workers = append(s.workers, job{name, run})
}

// Support adds background work that requests depend on. It starts before the
// first request is taken and is told to stop after the last one is done. An error
// from it ends the whole server; nil does not.
func (s *Server) Support(name string, run func(ctx context.Context) error) {
	s.supports = append(s.supports, job{name, run})
}

// Listen opens all addresses, so that a port that is taken is known before
// anything runs. Its error names every listener that failed; then none is open.
func (s *Server) Listen() error {
	var errs []error
	for _, l := range s.servers {
		if l.addr == "" || l.net != nil {
			continue
		}
		opened, err := net.Listen("tcp", l.addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("listen %s (%s): %w", l.name, l.addr, err))
			continue
		}
		l.net = opened
	}
	if len(errs) > 0 {
		s.closeListeners()
		return errors.Join(errs...)
	}
	return nil
}

func (s *Server) closeListeners() {
	for _, l := range s.servers {
		if l.net != nil {
			_ = l.net.Close() // nothing was served on it yet
			l.net = nil
		}
	}
}

// Addr returns the address that the named listener listens on, nil before Listen
// and for one that is switched off.
func (s *Server) Addr(name string) net.Addr {
	for _, l := range s.servers {
		if l.name == name && l.net != nil {
			return l.net.Addr()
		}
	}
	return nil
}

// Certificate returns that of the named listener, nil for a plain one: its Info is
// worth a metric.
func (s *Server) Certificate(name string) *Certificate {
	for _, l := range s.servers {
		if l.name == name {
			return l.cert
		}
	}
	return nil
}

// Draining reports whether the end has begun: readiness fails from then on.
func (s *Server) Draining() bool { return s.draining.Load() }
