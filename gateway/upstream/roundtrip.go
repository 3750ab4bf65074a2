package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// RoundTrip sends the request to a target: path and query are the request's,
// below the target's base path; the Host header is r.Host, or the target's when
// that is empty. It is an http.RoundTripper, so r is not changed and its body is
// closed in any case. The answer's Request is what was sent; its context is a
// child of r's. The request is in flight until the answer's body is closed, which
// for a 101 is the connection, an io.ReadWriteCloser.
//
// Errors are ErrBusy, ErrNone, the cause of r's context, the error of r's body,
// or an *Error.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	body := hold(r)
	res, err := u.roundTrip(r, body)
	body.release(err == nil)
	return res, err
}

func (u *Upstream) roundTrip(r *http.Request, body *requestBody) (*http.Response, error) {
	if len(u.targets) == 0 {
		return nil, ErrNone
	}
	if !u.enter() {
		return nil, ErrBusy
	}
	res, err := u.try(r, body)
	if err != nil {
		u.leave()
	}
	return res, err
}

// try sends the request to one target after the other, as far as that is allowed.
func (u *Upstream) try(r *http.Request, body *requestBody) (*http.Response, error) {
	var tried []*target
	resent := false
	for t := u.pick(); ; {
		res, came, err := u.send(r, t, body, len(tried) == 0)
		switch {
		case came == unsent && body.again():
		case came == unread && !resent && repeatable(r, body):
			resent = true
		default:
			return res, err
		}
		if r.Context().Err() != nil {
			return nil, context.Cause(r.Context())
		}
		tried = append(tried, t)
		if t = u.next(tried, came == unread); t == nil {
			return nil, err
		}
	}
}

// repeatable reports whether a request may be sent twice: whoever sent it must
// expect that (RFC 9110 section 9.2.2), and we must be able to.
func repeatable(r *http.Request, body *requestBody) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return body == nil
	}
	return false
}

// outcome says how far a request came.
type outcome int

const (
	final  outcome = iota // there is an answer, or nothing that a second try could mend
	unsent                // no connection was made: nobody has seen any of it
	unread                // a connection that had served before ended without a byte
)

// send sends the request to one target. The first one that is tried has the whole
// wait for itself: a wait that is over counts against it, not against those that
// were left with the rest.
func (u *Upstream) send(r *http.Request, t *target, body *requestBody, first bool) (*http.Response, outcome, error) {
	t.inflight.Add(1)
	a, res, err := u.hand(r, t, body)
	if err == nil {
		u.succeeded(t)
		(&flight{upstream: u, target: t, attempt: a}).carry(res)
		return res, final, nil
	}
	t.inflight.Add(-1)
	fail := &Error{Target: t.url.String(), Connect: a.asked && a.conn == nil, Err: err}
	if err := context.Cause(r.Context()); err != nil {
		if fail.Err = err; first && a.asked && errors.Is(err, ErrTimeout) && !body.stalled() {
			u.failed(t, fail)
		}
		return nil, final, err
	}
	whole, clientFault := body.state()
	if clientFault != nil {
		return nil, final, clientFault
	}
	switch {
	case !a.asked: // net/http found fault with the request
	case a.conn == nil:
		u.failed(t, fail)
		return nil, unsent, fail
	case a.answered.Load() || !a.ended():
	case a.reused:
		return nil, unread, fail
	case whole:
		u.failed(t, fail)
	}
	return nil, final, fail
}

// hand gives the request to the transport. A connection that ended before it was
// used has seen nothing of the request, and another is taken.
func (u *Upstream) hand(r *http.Request, t *target, body *requestBody) (*attempt, *http.Response, error) {
	by := u.requests
	if len(r.Header["Upgrade"]) > 0 {
		by = u.upgrades
	}
	for {
		a, out := newAttempt(r, t, body, by.speaks)
		res, err := by.RoundTrip(out)
		a.settle(res, u.rest)
		if err == nil && (a.dead || a.stopped) {
			// The end of the context came between, and net/http took what it found.
			_ = res.Body.Close()
			res, err = nil, io.ErrUnexpectedEOF
		}
		if err == nil {
			return a, res, nil
		}
		a.stop(nil)
		if !a.dead || r.Context().Err() != nil || !body.again() {
			return a, nil, a.reason(err)
		}
	}
}

// flight is a request whose answer is being read. It holds its places until it
// ends.
type flight struct {
	upstream *Upstream
	target   *target
	attempt  *attempt
	ended    atomic.Bool
}

// carry makes the end of the answer's body the end of the flight.
func (f *flight) carry(res *http.Response) {
	tunnel, writable := res.Body.(io.ReadWriteCloser)
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols && writable:
		res.Body = &tunnelBody{tunnel, f}
	case res.Body == http.NoBody:
		f.end() // nothing is to come
	default:
		res.Body = &answerBody{res.Body, f}
	}
}

// end gives the places back, once.
func (f *flight) end() {
	if f.ended.Swap(true) {
		return
	}
	f.attempt.stop(nil)
	f.target.inflight.Add(-1)
	f.upstream.leave()
}
