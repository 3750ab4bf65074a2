package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// ErrBodyIdle is what reading a body ends with when the client has sent nothing of
// it for Config.BodyIdleTimeout. It is an os.ErrDeadlineExceeded.
var ErrBodyIdle = fmt.Errorf("the client stopped sending the body: %w", os.ErrDeadlineExceeded)

// past is a deadline that is over.
var past = time.Unix(1, 0)

// upload is the body of one request with the limit on its silence.
//
// Over HTTP/1.1 the limit is the connection's read deadline, moved before each
// read. What the server itself reads of a body that a handler has left falls under
// it too: before the answer's header goes out, and after the handler has returned.
// The server lifts it when it has seen the end of the body.
//
// Over HTTP/2 a deadline that passes breaks the stream even when nobody reads, so
// that a back end that takes its time would cost its client the upload. There it is
// a timer that runs only while a read waits.
type upload struct {
	body  io.ReadCloser // as the server made it
	conn  deadliner     // the server's own response writer
	idle  time.Duration
	http2 bool

	mu     sync.Mutex
	over   bool        // handler gone or connection taken over: conn is not ours
	eof    bool        // the body's end was seen
	failed bool        // the limit was reached
	both   bool        // request and answer may flow at once (HTTP/1.1: it was asked for)
	free   bool        // they do: there is no limit any more
	own    time.Time   // HTTP/1.1: the handler's own deadline; zero: none
	since  time.Time   // HTTP/2: when the read that waits began; zero: none waits
	timer  *time.Timer // HTTP/2: from the first read on
}

// deadliner is what upload needs of the server's response writer.
type deadliner interface{ SetReadDeadline(time.Time) error }

// watched serves a request under the limit. The request is a copy: from the body of
// its own one the server tells what is left to do with the connection.
func (s *Server) watched(h http.Handler, w http.ResponseWriter, r *http.Request) {
	u := &upload{
		body: r.Body, conn: http.NewResponseController(w), idle: s.cfg.BodyIdleTimeout,
		http2: r.ProtoMajor == 2, both: r.ProtoMajor == 2,
	}
	in := r.WithContext(r.Context())
	in.Body = u
	returned := false
	defer func() {
		r.MultipartForm = in.MultipartForm // the server removes its files
		u.end(returned)
	}()
	h.ServeHTTP(&uploadWriter{writer{ResponseWriter: w, begin: u.answer}, u}, in)
	returned = true
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	limit, failed := u.wait()
	if failed {
		return 0, ErrBodyIdle
	}
	n, err := u.body.Read(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.timer != nil {
		u.since = time.Time{}
		u.timer.Stop()
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		u.eof = true
		u.deadline(time.Time{}) // for a read after an end that the server saw first
	case !u.http2 && !u.free && !limit.IsZero() && !time.Now().Before(limit):
		u.failed = true // whatever the error is: of trailers net/http has one of its own
		err = ErrBodyIdle
	case u.failed:
		err = ErrBodyIdle
	}
	return n, err
}

// Close implements io.Closer.
func (u *upload) Close() error { return u.body.Close() }

// wait puts a read under the limit and returns when that is reached; zero where
// there is none, or the handler's own comes first.
func (u *upload) wait() (limit time.Time, failed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over || u.free || u.eof || u.failed {
		return time.Time{}, u.failed
	}
	now := time.Now()
	limit = now.Add(u.idle)
	if !u.http2 {
		if u.until(limit).Before(limit) {
			limit = time.Time{}
		}
		return limit, false
	}
	u.since = now
	if u.timer == nil {
		u.timer = time.AfterFunc(u.idle, u.expire)
	} else {
		u.timer.Reset(u.idle)
	}
	return limit, false
}

// until moves HTTP/1.1's deadline to the limit, or to the handler's own if that is
// earlier. After a failure there is nothing to wait for.
func (u *upload) until(limit time.Time) time.Time {
	switch {
	case u.failed:
		limit = past
	case !u.own.IsZero() && u.own.Before(limit):
		limit = u.own
	}
	u.deadline(limit)
	return limit
}

// deadline sets HTTP/1.1's deadline while it is ours to set.
func (u *upload) deadline(t time.Time) {
	if !u.over && !u.http2 {
		_ = u.conn.SetReadDeadline(t) // fails where there is no connection: in a test
	}
}

// expire breaks the body of a stream whose read has waited too long. It also runs for a
// timer that was stopped or set anew a moment too late, and looks again for that reason.
func (u *upload) expire() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over || u.free || u.since.IsZero() || time.Since(u.since) < u.idle {
		return
	}
	u.failed = true
	_ = u.conn.SetReadDeadline(past) // wakes the read at once
}

// answer is called when the answer begins.
func (u *upload) answer(http.Header) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.both:
		u.free = true
		u.deadline(u.own)
	case !u.eof:
		// The server reads what is left before it sends the header.
		u.until(time.Now().Add(u.idle))
	}
}

// end takes the hands off the connection. What is left of the body the server
// throws away, within the limit; nothing of it when the handler panicked, which
// means that the connection has to be cut.
func (u *upload) end(returned bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.timer != nil {
		u.timer.Stop()
	}
	switch {
	case u.eof:
	case returned:
		u.until(time.Now().Add(u.idle))
	default:
		u.deadline(past)
	}
	u.over = true
}

// leave and rejoin are around an attempt to take the connection over.
func (u *upload) leave()  { u.setOver(true) }
func (u *upload) rejoin() { u.setOver(false) }

func (u *upload) setOver(over bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = over
}

// setOwn sets the handler's own deadline; the limit stays within it.
func (u *upload) setOwn(t time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.http2 || u.over {
		return u.conn.SetReadDeadline(t)
	}
	u.own = t
	if limit := time.Now().Add(u.idle); !u.eof && !u.free && (t.IsZero() || t.After(limit)) {
		t = limit
	}
	return u.conn.SetReadDeadline(t)
}

// allowBoth notes that the handler wants to answer while it reads.
func (u *upload) allowBoth() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.both = true
}
