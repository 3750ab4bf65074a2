package http1

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// mustPair returns both ends of a connection; what the far end sends is the client's.
func mustPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// The end of a request races with the look at its client, with the client's next
// bytes, and with the end of everything: no byte is lost or read twice, and only a
// client that has left ends a request.
func TestWatchRacesWithTheEnd(t *testing.T) {
	rounds := 100_000
	if testing.Short() {
		rounds = 5_000
	}
	var all sync.WaitGroup
	for range 4 {
		near, far := mustPair(t)
		c := newConn(t.Context(), New(Config{Server: &http.Server{}}), near, nil)
		// The looks are the test's own: one of the timer's in between would make the
		// first of them the one that waits for the end, which nobody would reach.
		c.watch.timer = time.AfterFunc(time.Hour, func() {})
		all.Go(func() {
			defer c.watch.stop()
			next := byte(0)
			for i := range rounds / 4 {
				ctx, none := &requestContext{Context: c.ctx}, &body{conn: c}
				c.watch.begin(ctx, none)
				c.watch.mu.Lock()
				c.watch.seen = c.watch.n // as after a look, which the timer may have had already
				c.watch.mu.Unlock()
				looked, sent := make(chan struct{}), make(chan struct{})
				go func() { defer close(looked); c.watch.look() }()
				go func() {
					defer close(sent)
					if i%2 == 0 {
						_, _ = far.Write([]byte{byte(i / 2)})
					}
				}()
				if !c.watch.finish() || ctx.Err() != nil {
					t.Errorf("round %d: the client has not left", i)
					return
				}
				<-looked
				<-sent
				for i%2 == 0 && c.from == c.to {
					n, err := near.Read(c.in)
					if c.from, c.to = 0, n; err != nil {
						t.Errorf("round %d: %v", i, err)
						return
					}
				}
				if i%2 == 0 && (c.to-c.from != 1 || c.in[c.from] != next) {
					t.Errorf("round %d: %v, want %d", i, c.in[c.from:c.to], next)
					return
				}
				if i%2 == 0 {
					next++
				}
				c.from, c.to = 0, 0
				ctx.cancel()
			}
		})
	}
	all.Wait()
}

// While a body is on the way nobody can look, and the waits between the attempts
// grow: clients that send slowly must not cost a timer each 50 ms.
func TestSlowBodiesCostNoTimers(t *testing.T) {
	near, _ := mustPair(t)
	c := newConn(t.Context(), New(Config{Server: &http.Server{}}), near, nil)
	b := &body{conn: c}
	b.left.Store(1)
	c.watch.begin(&requestContext{Context: c.ctx}, b)
	defer c.watch.stop()
	c.watch.timer.Stop()
	for range 10 {
		c.watch.look()
	}
	if c.watch.timer.Stop(); c.watch.pause < time.Second || c.watch.pause > maxPause {
		t.Errorf("the next look comes after %v", c.watch.pause)
	}
	c.watch.finish()
	c.watch.begin(&requestContext{Context: c.ctx}, &body{conn: c})
	if c.watch.look(); c.watch.pause != watchAfter {
		t.Errorf("the next request's comes after %v", c.watch.pause)
	}
}

// Whoever has ended their half still gets the answer, to each of the requests sent
// before, as long as nobody waits for them longer than it takes to be noticed.
func TestHalfClosed(t *testing.T) {
	r := newRig(t, echo)
	nc, in := r.dial()
	r.send(nc, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
	if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GET /a ", "POST /b hi"} {
		if _, got := r.read(in, "GET"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// An end that looks like a client's leaving ends the request's context, as with
// net/http; the answer that its handler gives all the same goes out.
func TestHalfClosedAndSlow(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, _ = io.WriteString(w, context.Cause(r.Context()).Error())
	}))
	nc, in := r.dial()
	r.send(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, got := r.read(in, "GET"); got != "context canceled" {
		t.Errorf("%q", got)
	}
}
