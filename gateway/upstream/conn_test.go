package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// quietLog keeps what net/http says of unsolicited bytes out of the tests.
func quietLog(t *testing.T) {
	t.Helper()
	old := log.Writer()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(old) })
}

// poison is an answer that no request asked for.
const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

// echo answers with the path, so that each client knows its own answer.
func echo(r *http.Request) string {
	if r.Method == http.MethodHead {
		return "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Path: " + r.URL.Path + "\r\n\r\n"
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Path: %s\r\nContent-Length: %d\r\n\r\n%s", r.URL.Path, len(r.URL.Path), r.URL.Path)
}

// TestUnsolicitedBytes: what comes with an answer never becomes the answer of
// another request, though the connection is back in the pool before anybody has
// looked at it. Without the wait for quiet some of these do.
func TestUnsolicitedBytes(t *testing.T) {
	quietLog(t)
	for name, play := range map[string]script{
		"an answer": func(_ int, r *http.Request, c net.Conn) bool { return write(c, echo(r)+poison) },
		"one byte":  func(_ int, r *http.Request, c net.Conn) bool { return write(c, echo(r)+"H") },
		"many":      func(_ int, r *http.Request, c net.Conn) bool { return write(c, echo(r)+strings.Repeat(poison, 500)) },
		"body to HEAD": func(_ int, r *http.Request, c net.Conn) bool {
			if r.Method == http.MethodHead {
				return write(c, echo(r)+poison)
			}
			return write(c, echo(r))
		},
		"a late body to 204": func(n int, r *http.Request, c net.Conn) bool {
			if n%4 > 0 {
				return write(c, echo(r))
			}
			write(c, fmt.Sprintf("HTTP/1.1 204 No Content\r\nX-Path: %s\r\nContent-Length: %d\r\n\r\n", r.URL.Path, len(poison)))
			time.Sleep(time.Millisecond) // the connection is back in the pool, or in use again
			return write(c, poison)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := mustRaw(t, func(n int, r *http.Request, c net.Conn) bool {
				_, _ = io.Copy(io.Discard, r.Body)
				return play(n, r, c)
			})
			u := mustUpstream(t, Config{URLs: []string{b.URL}})
			var all sync.WaitGroup
			for worker := range 4 {
				all.Go(func() {
					for i := range 250 {
						path := fmt.Sprintf("/%d/%d", worker, i)
						res, err := u.RoundTrip(request(t, []string{http.MethodGet, http.MethodHead, http.MethodPost}[i%3], path, ""))
						if err != nil {
							t.Error(err)
							return
						}
						if got := res.Header.Get("X-Path"); got != path {
							t.Errorf("%s has the answer of %q", path, got)
						}
						_, _ = io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				})
			}
			all.Wait()
			if got := b.requests.Load(); got != 1000 {
				t.Errorf("%d requests arrived", got)
			}
		})
	}
}

// idleConn makes one idle connection of the pool and returns the back end's end
// of it, and ours.
func idleConn(t *testing.T, u *Upstream, ends chan net.Conn) (theirs net.Conn) {
	t.Helper()
	mustGet(t, u, "ok")
	return <-ends
}

// TestBytesOnAnIdleConnection: they end it, and the next request of any kind goes
// by another.
func TestBytesOnAnIdleConnection(t *testing.T) {
	quietLog(t)
	ends := make(chan net.Conn, 1)
	b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			ends <- c
		}
		return write(c, answerOK)
	})
	u := mustUpstream(t, Config{URLs: []string{b.URL}})
	for range 50 {
		theirs := idleConn(t, u, ends)
		write(theirs, poison)
		if got, err := ask(u, request(t, http.MethodPost, "/", "body")); err != nil || got != "ok" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// TestBodyOfNoContent: a connection on which a 204 announced a body is not lent again,
// whichever way the request went: the body may come behind the next one.
func TestBodyOfNoContent(t *testing.T) {
	for announced, kept := range map[string]bool{"": true, "Content-Length: 0\r\n": true, "Content-Length: 6\r\n": false, "Transfer-Encoding: chunked\r\n": false} {
		for _, direct := range []bool{true, false} {
			b := mustRaw(t, func(_ int, _ *http.Request, c net.Conn) bool {
				return write(c, "HTTP/1.1 204 No Content\r\n"+announced+"\r\n")
			})
			u := mustUpstream(t, Config{URLs: []string{b.URL}})
			for range 3 {
				r := request(t, http.MethodGet, "/", "")
				if direct {
					a, err := u.Do(t.Context(), &Call{Method: r.Method, URL: r.URL, Header: r.Header})
					if err != nil || a.Status != http.StatusNoContent {
						t.Fatal(err)
					}
					_ = a.Close()
				} else if _, err := ask(u, r); err != nil {
					t.Fatal(err)
				}
			}
			if n := b.connections.Load(); (n == 1) != kept || !kept && n != 3 {
				t.Errorf("%q, direct %t: %d connections for 3 requests", announced, direct, n)
			}
		}
	}
}

// TestQuiet drives a connection by hand through each state of its reader.
func TestQuiet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	wrapped, err := newConn(dialled)
	if err != nil {
		t.Fatal(err)
	}
	c := connOf(tls.Client(wrapped, &tls.Config{MinVersion: tls.VersionTLS12}))
	if c == nil || c != connOf(wrapped) || connOf(theirs) != nil {
		t.Fatal("connOf does not find it")
	}
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	if c.quiet(short()) {
		t.Error("quiet without a reader")
	}
	reads := make(chan string)
	next := make(chan struct{})
	go func() {
		for range next {
			p := make([]byte, 8)
			n, err := c.Read(p)
			reads <- fmt.Sprint(string(p[:n]), err)
		}
	}()
	next <- struct{}{}
	if !c.quiet(t.Context()) {
		t.Error("not quiet with a reader that waits")
	}
	write(theirs, "abc")
	if got := <-reads; got != "abc<nil>" {
		t.Errorf("read %q", got)
	}
	if c.quiet(short()) {
		t.Error("quiet while the reader holds bytes")
	}
	woken := make(chan bool)
	go func() { woken <- c.quiet(t.Context()) }()
	next <- struct{}{}
	if !<-woken {
		t.Error("not quiet when the reader came back")
	}
	if c.lend(); c.quiet(short()) {
		t.Error("quiet while somebody has it")
	}
	go func() { woken <- c.quiet(t.Context()) }()
	if c.back(); !<-woken {
		t.Error("not quiet when it was given back")
	}
	theirs.Close()
	if got := <-reads; got != "EOF" {
		t.Errorf("read %q", got)
	}
	if c.quiet(t.Context()) || !errors.Is(c.fault(), io.EOF) {
		t.Errorf("quiet after its end: %v", c.fault())
	}
	close(next)
	c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("read after Close")
	}
}
