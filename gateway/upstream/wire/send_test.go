package wire_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tollgate/gateway/upstream/wire"
	"tollgate/internal/testkit"
)

// TestNothingIsSentWhereSomethingCame: every idle connection on which something has
// arrived, or its end, is passed over until there is a new one. Not a byte goes over the
// others, so that also what must not be sent twice is.
func TestNothingIsSentWhereSomethingCame(t *testing.T) {
	const idle = 8
	post := func(body string) *wire.Request {
		return &wire.Request{Method: "POST", Target: "/", Host: "x", Sized: true, Body: []byte(body)}
	}
	for name, row := range map[string]struct {
		r    *wire.Request
		says string // on an idle connection; empty: it is closed
	}{
		"GET":         {get(), head200 + "Content-Length: 6\r\n\r\npoison"},
		"POST":        {post("body"), "H"},
		"a long POST": {post(strings.Repeat("x", 64<<10)), head200 + "Content-Length: 6\r\n\r\npoison"},
		"an end":      {post("body"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var held, said sync.WaitGroup
			var again atomic.Int64 // requests that came where something was said
			held.Add(idle)
			said.Add(idle)
			taint := make(chan struct{})
			b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
				first := readRequest(in)
				if first == nil {
					return
				}
				if first.URL.Path == "/held" { // until each has a connection
					held.Done()
					held.Wait()
				}
				_, _ = io.WriteString(c, head200+"Content-Length: 4\r\n\r\nmine")
				if first.URL.Path != "/held" {
					return
				}
				<-taint
				if row.says == "" {
					_ = c.(*net.TCPConn).CloseWrite()
				}
				_, _ = io.WriteString(c, row.says)
				said.Done()
				if n, _ := in.Read(make([]byte, 1)); n > 0 {
					again.Add(1)
				}
			})
			var dialled dials
			p := dialled.pool(t, b)
			var all sync.WaitGroup
			for range idle {
				all.Go(func() {
					r := get()
					r.Target = "/held"
					if _, body, err := ask(t, p, r); err != nil || body != "mine" {
						t.Errorf("%q, %v", body, err)
					}
				})
			}
			all.Wait()
			if n := p.Idle(); n != idle {
				t.Fatalf("%d idle connections, want %d", n, idle)
			}
			close(taint)
			said.Wait()
			dialled.mustAllHear(t)
			if _, body, err := ask(t, p, row.r); err != nil || body != "mine" {
				t.Fatalf("%q, %v", body, err)
			}
			if n := b.conns.Load(); n != idle+1 {
				t.Errorf("%d connections, want %d", n, idle+1)
			}
			if n := again.Load(); n > 0 {
				t.Errorf("%d requests on connections that had said something", n)
			}
		})
	}
}

// TestBackEndSpeaksFirst: what a back end says on a new connection before it was asked is not
// waited for again.
func TestBackEndSpeaksFirst(t *testing.T) {
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		_, _ = io.WriteString(c, head200+"Content-Length: 4\r\n\r\nmine")
		_, _ = io.Copy(io.Discard, in)
	})
	var dialled dials
	dialled.then = func() { dialled.mustAllHear(t) }
	if _, body, err := ask(t, dialled.pool(t, b), get()); err != nil || body != "mine" {
		t.Fatalf("%q, %v", body, err)
	}
}

// TestRequestInPieces: what the kernel does not take at once is sent by and by.
func TestRequestInPieces(t *testing.T) {
	const long = 4000
	got := make(chan string, 1)
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		for range 2 {
			time.Sleep(20 * time.Millisecond) // it takes nothing yet
			r := readRequest(in)
			if r == nil {
				return
			}
			got <- r.Header.Get("X-Long")
			_, _ = io.WriteString(c, head200+"Content-Length: 4\r\n\r\nmine")
		}
	})
	raw, err := b.Listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1) }); err != nil {
		t.Fatal(err)
	}
	dialled := dials{small: true}
	p := dialled.pool(t, b)
	for range 2 {
		r := get()
		r.Header = map[string][]string{"X-Long": {strings.Repeat("y", long)}}
		r.FirstByte = 20 * time.Second
		if _, body, err := ask(t, p, r); err != nil || body != "mine" {
			t.Fatalf("%q, %v", body, err)
		}
		if text := <-got; len(text) != long {
			t.Errorf("%d bytes, want %d", len(text), long)
		}
	}
}

// dials keeps the connections that a pool has made.
type dials struct {
	small bool   // they have little room for what is sent
	then  func() // after each

	mu    sync.Mutex
	conns []net.Conn
}

func (d *dials) pool(t *testing.T, b *backend) *wire.Pool {
	p := wire.NewPool(wire.Config{Dial: func(context.Context) (net.Conn, error) {
		c, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			return nil, err
		}
		if d.small {
			err = c.(*net.TCPConn).SetWriteBuffer(1)
		}
		d.mu.Lock()
		d.conns = append(d.conns, c)
		d.mu.Unlock()
		if d.then != nil {
			d.then()
		}
		return c, err
	}})
	t.Cleanup(p.Close)
	return p
}

// mustAllHear waits until something has arrived on each.
func (d *dials) mustAllHear(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		testkit.MustAwait(t, "something on a connection", func() bool {
			silent := true
			return raw.Control(func(fd uintptr) { silent = wire.Silent(fd) }) == nil && !silent
		})
	}
}
