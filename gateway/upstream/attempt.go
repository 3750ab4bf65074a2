package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"tollgate/gateway/upstream/wire"
)

// errOnce stops the transport from sending a request again by itself.
var errOnce = errors.New("the request was handed to a connection already")

// attempt is one handing of a request to the transport, and what became of it.
// Its hooks run in the goroutine that called the transport, but for firstByte.
type attempt struct {
	ctx    context.Context
	stop   context.CancelCauseFunc
	speaks protocol
	hooks  httptrace.ClientTrace

	asked    bool        // a connection was asked for: the request itself was sound
	conn     *conn       // the one it was handed to; nil: none was made
	shared   bool        // that one speaks HTTP/2
	reused   bool        // it had served before, or lain idle
	dead     bool        // it was found ended before anything was sent
	stopped  bool        // the transport was about to send a second time
	answered atomic.Bool // the first byte of an answer arrived
}

// newAttempt returns the attempt and the request that the transport gets.
func newAttempt(r *http.Request, t *target, body *requestBody, speaks protocol) (*attempt, *http.Request) {
	a := &attempt{speaks: speaks}
	a.ctx, a.stop = context.WithCancelCause(r.Context())
	a.hooks.GetConn, a.hooks.GotConn, a.hooks.GotFirstResponseByte = a.getConn, a.gotConn, a.firstByte
	out := r.WithContext(httptrace.WithClientTrace(a.ctx, &a.hooks))
	out.URL = t.join(r.URL)
	out.GetBody = nil // the body is ours to offer again
	if body != nil {
		out.Body = body
	}
	return a, out
}

// getConn runs when the transport looks for a connection. A second look after
// an HTTP/1 connection took the request means that it would be sent again.
func (a *attempt) getConn(string) {
	a.asked = true
	if a.conn == nil {
		return
	}
	if !a.shared && !a.dead {
		a.stopped = true
		a.stop(errOnce)
		return
	}
	a.conn, a.shared, a.reused, a.dead = nil, false, false, false
}

// gotConn runs when it has one, before anything is written to it. Closing the
// connection here is the way to make sure that nothing will be.
func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	if a.stopped { // a connection that was at hand may win against the end of the context
		_ = info.Conn.Close()
		return
	}
	a.conn, a.reused = connOf(info.Conn), info.Reused || info.WasIdle
	switch a.shared = a.multiplexed(info.Conn); {
	case a.shared:
	case a.reused && !a.conn.quiet(a.ctx):
		a.dead = true
		_ = info.Conn.Close()
	default:
		a.conn.lend()
	}
}

// settle looks at what RoundTrip has returned, before the connection may serve
// another. One on which a body may come that must not rests for so long before: net/http
// ends it when it does come.
func (a *attempt) settle(res *http.Response, rest time.Duration) {
	if a.conn == nil || a.shared {
		return
	}
	if res != nil && announces(res) {
		switch {
		case res.StatusCode == http.StatusNoContent: // never (RFC 9110 section 8.6)
			a.conn.end(errSpoilt)
		case res.StatusCode == http.StatusNotModified, res.Request.Method == http.MethodHead:
			wire.Acknowledge(a.conn.raw)
			time.AfterFunc(rest, a.conn.back)
			return
		}
	}
	a.conn.back()
}

func (a *attempt) firstByte() { a.answered.Store(true) }

// errSpoilt ends a connection for whoever is lent it next.
var errSpoilt = errors.New("the upstream announced a body where there is none")

// announces reports whether an answer says that a body is to come. Where it cannot have
// one, it may come as late as behind the next request.
func announces(res *http.Response) bool {
	length := res.Header["Content-Length"]
	return len(res.TransferEncoding) > 0 || len(length) > 0 && strings.Trim(length[0], "0") != ""
}

// multiplexed reports whether a connection speaks HTTP/2, where each answer
// names its request and others are under way at any time.
func (a *attempt) multiplexed(c net.Conn) bool {
	if a.speaks != agreed {
		return a.speaks == http2
	}
	t, ok := c.(*tls.Conn)
	return ok && t.ConnectionState().NegotiatedProtocol == "h2"
}

// ended reports whether the connection is gone.
func (a *attempt) ended() bool { return a.conn != nil && a.conn.fault() != nil }

// reason returns what went wrong in place of what net/http says when it was
// stopped, or had a connection closed under it.
func (a *attempt) reason(err error) error {
	if !a.stopped && !a.dead {
		return err
	}
	fault := a.conn.fault()
	if fault == nil || errors.Is(fault, io.EOF) || errors.Is(fault, net.ErrClosed) {
		fault = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("the upstream ended a connection in use: %w", fault)
}
