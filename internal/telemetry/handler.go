package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// Options says what [Handler] does besides counting.
type Options struct {
	// Log takes the access lines and the panics. Nil discards both.
	Log *slog.Logger
	// Access writes one line per request. Without it only requests whose Record
	// says Error still leave one: a flood of refusals must not become a flood of
	// lines where none were asked for.
	Access bool
	// Sample is of how many requests that were let through one leaves its access line;
	// 0 and 1 are all. Refusals, errors and what was answered with a status from 400 on
	// always leave theirs.
	Sample int
	// Metrics counts the requests. Nil counts nothing.
	Metrics *Metrics
	// Tracer makes spans. Nil makes none, and costs nothing.
	Tracer *Tracer
	// Remote returns the client's address, for whoever knows which proxies to
	// believe. Nil takes the peer's address, without its port.
	Remote func(*http.Request) string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Handler gives every request an id and a [Record], lets next serve it, and
// afterwards, whatever happened, writes one access line and counts it.
//
// A panic with [http.ErrAbortHandler] (or an error that wraps it) goes on to the
// server, which cuts the connection: that is how a proxy says that the body it
// sent is incomplete. Any other panic is logged with its stack; it becomes a 500
// without a body (the surfaces have different ones), or a cut connection when a
// part of the answer has gone out already.
func Handler(next http.Handler, o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Remote == nil {
		o.Remote = peer
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &handler{next: next, Options: o}
}

type handler struct {
	Options
	next http.Handler
}

// request is what is kept of a request before the handlers may change it.
type request struct {
	ctx          context.Context
	start        time.Time
	method, path string
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tw := &Writer{ResponseWriter: w}
	tw.record.RequestID = newRequestID()
	tw.record.id[0] = tw.record.RequestID
	tw.record.ClientRequestID = clientRequestID(r.Header)
	tw.record.Remote = h.Remote(r)
	w.Header()[requestIDHeader] = tw.record.RequestIDHeader()
	if h.Tracer != nil {
		r = h.Tracer.begin(tw, r)
	}
	req := request{ctx: r.Context(), start: h.Now(), method: r.Method, path: r.URL.EscapedPath()}
	defer h.finish(tw, req)
	h.next.ServeHTTP(tw, r)
}

// finish is deferred by ServeHTTP itself: recover works nowhere deeper.
func (h *handler) finish(w *Writer, req request) {
	p := recover()
	abort := false
	if p != nil {
		abort = h.panicked(w, req, p)
	} else if w.status == 0 {
		w.status = http.StatusOK // what net/http sends for a handler that wrote nothing
	}
	took := h.Now().Sub(req.start)
	if h.Access && h.chosen(w) || w.record.Decision == Error {
		h.logAccess(w, req, took, abort)
	}
	h.Metrics.request(&w.record, req.method, w.status, took)
	if w.record.trace != nil {
		w.record.trace.end(&w.record, req, w.status, abort)
	}
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// chosen reports whether a request is one that the sample of the access log shows.
func (h *handler) chosen(w *Writer) bool {
	if h.Sample <= 1 || w.status >= http.StatusBadRequest || w.record.Decision != Allow && w.record.Decision != "" {
		return true
	}
	return rand.IntN(h.Sample) == 0 //nolint:gosec // a sample, no secret
}

// panicked deals with a panic and reports whether the connection has to be cut.
func (h *handler) panicked(w *Writer, req request, p any) (abort bool) {
	rec := &w.record
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	rec.Decision = Error
	rec.Error = fmt.Sprintf("panic: %v", p)
	h.Log.LogAttrs(req.ctx, slog.LevelError, "panic",
		slog.String("request_id", rec.RequestID),
		slog.String("trace_id", rec.TraceID()),
		slog.String("error", Scrub(rec.Error)),
		slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		return true
	}
	header := w.Header()
	clear(header) // whatever the handler had in mind was for another answer
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", "0")
	w.WriteHeader(http.StatusInternalServerError)
	return false
}

// peer is the address of whoever is at the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a Unix socket's peer, or a test's
	}
	return host
}
