package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"tollgate/gateway/upstream/wire"
)

// openDirect makes the pools of the short way, where there is one: plain HTTP/1.1.
func (u *Upstream) openDirect(scheme string) {
	if scheme != "http" || u.config.HTTP2 {
		return
	}
	dialer := &net.Dialer{Timeout: u.config.ConnectTimeout, KeepAlive: 30 * time.Second}
	for _, t := range u.targets {
		address := t.url.Host
		if t.url.Port() == "" {
			address = net.JoinHostPort(t.url.Hostname(), "80")
		}
		t.direct = wire.NewPool(wire.Config{IdleTimeout: u.config.IdleTimeout, Dial: func(ctx context.Context) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}})
	}
}

// Direct reports whether Do may be used.
func (u *Upstream) Direct() bool { return len(u.targets) > 0 && u.targets[0].direct != nil }

// Field is one field of a header.
type Field = wire.Field

// Call is a request whose body, if it has one, is at hand. URL gives path and query
// alone; an empty Host is the target's. The other fields are those of
// [wire.Request]. A Call is for one Do: its answer has its place in it.
type Call struct {
	Method string
	URL    *url.URL
	Host   string
	Header http.Header
	Also   [2][]Field
	Body   []byte
	Sized  bool
	// FirstByte is the time until the answer begins, all tries together; 0: no limit.
	FirstByte time.Duration

	answer Answer
}

// Answer is the answer to a Call. It is in flight until it is closed.
type Answer struct {
	*wire.Answer
	upstream *Upstream
	target   *target
}

// Close ends the exchange and gives its places back.
func (a *Answer) Close() error {
	if a.upstream == nil {
		return nil
	}
	err := a.Answer.Close()
	a.target.inflight.Add(-1)
	a.upstream.leave()
	a.upstream = nil
	return err
}

// Do is RoundTrip on the caller's own goroutine, for upstreams of which Direct is
// true. What is sent twice, what counts against a target and what errors mean is
// as there; the end of the wait for the first byte is an *Error that is ErrTimeout.
func (u *Upstream) Do(ctx context.Context, c *Call) (*Answer, error) {
	if !u.enter() {
		return nil, ErrBusy
	}
	a, err := u.tryDirect(ctx, c)
	if err != nil {
		u.leave()
		return nil, err
	}
	return a, nil
}

func (u *Upstream) tryDirect(ctx context.Context, c *Call) (*Answer, error) {
	request := wire.Request{Method: c.Method, Host: c.Host, Header: c.Header, Also: c.Also, Body: c.Body, Sized: c.Sized, FirstByte: c.FirstByte}
	var begun time.Time
	if c.FirstByte > 0 && len(u.targets) > 1 {
		begun = u.config.Now()
	}
	var tried []*target
	for t := u.pick(); ; {
		a, unsent, err := u.sendDirect(ctx, t, c, &request, len(tried) == 0)
		if !unsent || ctx.Err() != nil {
			return a, err
		}
		tried = append(tried, t)
		if t = u.next(tried, false); t == nil {
			return nil, err
		}
		if c.FirstByte > 0 {
			if request.FirstByte = c.FirstByte - u.config.Now().Sub(begun); request.FirstByte <= 0 {
				return nil, &Error{Target: t.url.String(), Connect: true, Err: ErrTimeout}
			}
		}
	}
}

// sendDirect sends the request to one target; unsent says that nobody has seen any
// of it.
func (u *Upstream) sendDirect(ctx context.Context, t *target, c *Call, r *wire.Request, first bool) (_ *Answer, unsent bool, _ error) {
	r.Target = t.requestTarget(c.URL)
	if c.Host == "" {
		r.Host = t.url.Host
	}
	t.inflight.Add(1)
	answer, err := t.direct.Do(ctx, r)
	if err == nil {
		u.succeeded(t)
		c.answer = Answer{answer, u, t}
		return &c.answer, false, nil
	}
	t.inflight.Add(-1)
	if ctx.Err() != nil {
		return nil, false, err
	}
	fail := &Error{Target: t.url.String(), Err: err}
	var dial *wire.DialError
	var ended *wire.EndedError
	switch {
	case errors.As(err, &dial):
		fail.Connect = true
		u.failed(t, fail)
		return nil, true, fail
	case errors.Is(err, wire.ErrFirstByte):
		if fail.Err = ErrTimeout; first {
			u.failed(t, fail)
		}
	case errors.As(err, &ended):
		if fail.Err = errors.Join(io.ErrUnexpectedEOF, err); !ended.Reused {
			u.failed(t, fail)
		}
	}
	return nil, false, fail
}

// requestTarget is the origin form of where a request for u goes.
func (t *target) requestTarget(u *url.URL) string {
	path, slash := u.EscapedPath(), ""
	if path == "" || path[0] != '/' {
		slash = "/"
	}
	if u.RawQuery != "" || u.ForceQuery {
		return t.raw + slash + path + "?" + u.RawQuery
	}
	if t.raw == "" && slash == "" {
		return path
	}
	return t.raw + slash + path
}
