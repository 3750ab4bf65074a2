package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// What a connection does.
const (
	idle   = iota // it waits for a request
	active        // a request is being served
	closed        // it is of no more use
)

// bufferSize holds nearly every head, and nearly every small answer.
const bufferSize = 4 << 10

// conn is one connection. Everything but state and watch belongs to its goroutine.
type conn struct {
	lane   *Lane
	nc     net.Conn
	ctx    context.Context
	tls    *tls.ConnectionState
	remote string
	state  atomic.Int32
	watch  watch

	in       []byte // what came: in[from:to]
	from, to int
	out      []byte      // of the answer, used again
	body     []byte      // of an answer whose length is not known yet, used again
	expires  time.Time   // the read deadline; zero: unknown
	moved    atomic.Bool // the handler has set one of its own
}

func newConn(ctx context.Context, l *Lane, nc net.Conn, state *tls.ConnectionState) *conn {
	// httputil's proxy cuts a connection whose answer broke off if it knows of a
	// server that is there to see to it.
	ctx = context.WithValue(ctx, http.ServerContextKey, l.config.Server)
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, nc.LocalAddr())
	c := &conn{lane: l, nc: nc, ctx: ctx, tls: state, remote: nc.RemoteAddr().String(), in: make([]byte, bufferSize)}
	c.watch.conn = c
	return c
}

// serve answers requests until one comes that is not ordinary.
func (c *conn) serve() (rest []byte, open bool) {
	defer context.AfterFunc(c.ctx, c.watch.cut)()
	c.expires = time.Now().Add(c.lane.config.HeaderTimeout)
	if c.nc.SetReadDeadline(c.expires) != nil {
		return nil, false
	}
	for {
		end, ordinary := c.await()
		if end < 0 && ordinary {
			return nil, false
		}
		if !c.state.CompareAndSwap(idle, active) {
			return nil, false // closed in between
		}
		var h head
		if ordinary {
			h, ordinary = parse(string(c.in[c.from:end]))
		}
		if !ordinary {
			return c.leave()
		}
		c.from = end + 2
		if !c.answer(&h) {
			return nil, false
		}
		if c.lane.closing.Load() || !c.state.CompareAndSwap(active, idle) {
			return nil, false
		}
	}
}

// leave gives the connection away, without a deadline of ours.
func (c *conn) leave() ([]byte, bool) {
	if c.nc.SetReadDeadline(time.Time{}) != nil {
		return nil, false
	}
	return c.in[c.from:c.to], true
}

// await reads until a head is complete, and returns where its empty line begins; -1: the
// connection has ended. It stops early with ordinary false when what came cannot become
// an ordinary head, or when the client stopped in the middle of one.
func (c *conn) await() (end int, ordinary bool) {
	c.rest()
	began := c.watch.n == 0 // the first head's time runs from the beginning of the connection
	for {
		have := c.in[c.from:c.to]
		if i := bytes.Index(have, []byte("\r\n\r\n")); i >= 0 {
			return c.from + i + 2, i+4 <= c.lane.config.MaxHeaderBytes
		}
		if !begins(have) || len(have) >= c.lane.config.MaxHeaderBytes {
			return 0, false
		}
		if !began && len(have) > 0 { // what remains of a head has a time of its own
			began = true
			c.expires = time.Now().Add(c.lane.config.HeaderTimeout)
			_ = c.nc.SetReadDeadline(c.expires) // fails where reading will
		}
		if c.from > 0 || c.to == len(c.in) {
			c.room()
		}
		n, err := c.nc.Read(c.in[c.to:])
		c.to += n
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) && c.to > c.from {
				return 0, false
			}
			return -1, true
		}
	}
}

// begins reports whether a part of a head may become an ordinary one.
func begins(have []byte) bool {
	if len(have) == 0 {
		return true
	}
	if have[0] < 'A' || have[0] > 'Z' {
		return false
	}
	for i := bytes.IndexByte(have, '\n'); i >= 0; {
		if i == 0 || have[i-1] != '\r' {
			return false
		}
		next := bytes.IndexByte(have[i+1:], '\n')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return true
}

// rest prepares for the next head. To save system calls the deadline is set an eighth
// later than needed and moved only when that is used up.
func (c *conn) rest() {
	if c.from == c.to {
		c.from, c.to = 0, 0
		if len(c.in) > bufferSize {
			c.in = make([]byte, bufferSize)
		}
	}
	if cap(c.out) > 4*bufferSize {
		c.out = nil
	}
	if cap(c.body) > 4*bufferSize {
		c.body = nil
	}
	if c.watch.n == 0 {
		return // the first head has its own deadline already
	}
	if c.moved.Swap(false) {
		c.expires = time.Time{}
	}
	now, limit := time.Now(), c.lane.config.IdleTimeout
	if left := c.expires.Sub(now); left < limit || left > limit+limit/8 {
		c.expires = now.Add(limit + limit/8)
		_ = c.nc.SetReadDeadline(c.expires)
	}
}

// room makes room for more of a head.
func (c *conn) room() {
	if c.from > 0 {
		c.to = copy(c.in, c.in[c.from:c.to])
		c.from = 0
		return
	}
	grown := make([]byte, 2*len(c.in))
	copy(grown, c.in[:c.to])
	c.in = grown
}

// answer serves one request; false: the connection is of no more use.
func (c *conn) answer(h *head) bool {
	ctx := &requestContext{Context: c.ctx}
	defer ctx.cancel()
	b := &body{conn: c}
	b.left.Store(h.length)
	r := request(ctx, c, h, b)
	w := &response{conn: c, request: r, in: b, header: make(http.Header, 8), length: -1}
	c.watch.begin(ctx, b)
	done := c.call(w, r)
	there := c.watch.finish()
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // temporary files; what is left is the system's to sweep
	}
	if !done {
		return false
	}
	return w.finish() && there && b.drain()
}

// request is what the handler gets.
func request(ctx context.Context, c *conn, h *head, b *body) *http.Request {
	r := http.Request{
		Method: h.method, URL: h.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h.header, Body: http.NoBody,
		ContentLength: h.length, Host: h.host, RemoteAddr: c.remote, RequestURI: h.target, TLS: c.tls,
	}
	if h.length > 0 {
		r.Body = b
	}
	return r.WithContext(ctx)
}

// call runs the handler; false: it panicked, and the answer is cut.
func (c *conn) call(w *response, r *http.Request) (done bool) {
	defer func() {
		if done {
			return
		}
		c.state.Store(closed) // a part must not pass for the whole, nor be waited for
		fault := recover()
		if err, ok := fault.(error); fault != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
			c.lane.tell(c, fault)
		}
	}()
	c.lane.config.Handler.ServeHTTP(w, r)
	return true
}

// linger is how long a client may take to read an answer behind which we close.
const linger = 500 * time.Millisecond

// end closes the connection. What a client is still sending must not cost it the
// answer: data that nobody reads makes the kernel throw away what was sent.
func (c *conn) end() {
	c.watch.stop()
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && c.state.Load() == active && half.CloseWrite() == nil {
		if c.nc.SetReadDeadline(time.Now().Add(linger)) == nil {
			_, _ = io.CopyN(io.Discard, onlyReader{c.nc}, 256<<10) // however it ends
		}
	}
	c.state.Store(closed)
	_ = c.nc.Close()
}

type onlyReader struct{ io.Reader }
