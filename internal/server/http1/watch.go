package http1

import (
	"errors"
	"os"
	"sync"
	"time"
)

// watchAfter is how long a request may take before anybody looks whether its client
// is still there.
const watchAfter = 50 * time.Millisecond

// maxPause bounds the time between two looks at a request whose body is on the way:
// the wait grows with the time that the body takes.
const maxPause = 3 * time.Second

// past is a deadline that is over.
var past = time.Unix(1, 0)

// watch notices that the client of a request has left, by reading ahead. A timer
// that outlives the request keeps the cost from the requests that are quick: it is
// set once for many of them.
type watch struct {
	conn *conn

	mu      sync.Mutex
	n       uint64        // of the request
	seen    uint64        // the request that the timer has seen under way
	pause   time.Duration // until the next look at it
	serving bool
	stopped bool
	armed   bool
	timer   *time.Timer
	request *requestContext // while serving
	body    *body

	reading chan struct{} // closed when the read ahead is over; nil: none
	ahead   [1]byte
	came    int
	err     error
}

// begin is called before the handler.
func (w *watch) begin(request *requestContext, b *body) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	w.serving, w.request, w.body = true, request, b
	if w.conn.ctx.Err() != nil { // cut before there was a request
		request.cancel()
	}
	if w.armed {
		return
	}
	w.armed = true
	if w.timer == nil {
		w.timer = time.AfterFunc(watchAfter, w.look)
	} else {
		w.timer.Reset(watchAfter)
	}
}

// look runs when the timer does.
func (w *watch) look() {
	w.mu.Lock()
	switch {
	case !w.serving || w.stopped || w.reading != nil:
		w.armed = false
		w.mu.Unlock()
		return
	case w.seen != w.n: // it has just begun
		w.seen, w.pause = w.n, watchAfter
		w.timer.Reset(w.pause)
		w.mu.Unlock()
		return
	case w.body.left.Load() > 0: // its body is on the way
		w.pause = min(2*w.pause, maxPause)
		w.timer.Reset(w.pause)
		w.mu.Unlock()
		return
	}
	w.armed = false
	reading, request := make(chan struct{}), w.request
	w.reading, w.came, w.err = reading, 0, w.conn.nc.SetReadDeadline(time.Time{})
	w.mu.Unlock()
	defer close(reading)
	if w.err == nil {
		w.came, w.err = w.conn.nc.Read(w.ahead[:])
	}
	if w.came == 0 && !errors.Is(w.err, os.ErrDeadlineExceeded) {
		request.cancel()
	}
}

// finish is called behind the handler. It reports whether the client is there, as
// far as anybody looked, and puts what was read into the connection's buffer.
func (w *watch) finish() bool {
	w.mu.Lock()
	w.serving, w.request = false, nil
	reading := w.reading
	if reading == nil {
		w.mu.Unlock()
		return true
	}
	w.mu.Unlock()
	c := w.conn
	_ = c.nc.SetReadDeadline(past) // wakes the reader
	<-reading
	w.mu.Lock()
	w.reading = nil
	w.mu.Unlock()
	c.expires = time.Time{}
	if w.came > 0 {
		if c.to == len(c.in) {
			c.room()
		}
		c.in[c.to] = w.ahead[0]
		c.to++
	} else if !errors.Is(w.err, os.ErrDeadlineExceeded) {
		return false
	}
	return c.nc.SetReadDeadline(time.Time{}) == nil
}

// cut ends the request that is being served, if there is one.
func (w *watch) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.request != nil {
		w.request.cancel()
	}
}

// stop ends the watching for good.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
