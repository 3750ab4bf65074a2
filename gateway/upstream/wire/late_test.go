package wire_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"tollgate/gateway/upstream/wire"
)

// TestLateBodies: a body that must not come is never the next request's answer, also
// when it comes a little late.
func TestLateBodies(t *testing.T) {
	const poison = head200 + "Content-Length: 6\r\n\r\npoison"
	for name, row := range map[string]struct {
		method, head string
		status       int
	}{
		"HEAD with a length":  {http.MethodHead, head200 + "Content-Length: 44\r\n\r\n", 200},
		"HEAD in chunks":      {http.MethodHead, head200 + "Transfer-Encoding: chunked\r\n\r\n", 200},
		"HEAD without either": {http.MethodHead, head200 + "\r\n", 200},
		"304 with a length":   {http.MethodGet, "HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n", 304},
		"304 in chunks":       {http.MethodGet, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304},
	} {
		t.Run(name, func(t *testing.T) {
			b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
				for r := readRequest(in); r != nil; r = readRequest(in) {
					if r.URL.Path != "/first" {
						_, _ = io.WriteString(c, head200+"Content-Length: 4\r\n\r\nmine")
						continue
					}
					_, _ = io.WriteString(c, row.head)
					time.Sleep(20 * time.Millisecond)
					_, _ = io.WriteString(c, poison)
				}
			})
			p := wire.NewPool(wire.Config{Rest: 500 * time.Millisecond, Dial: func(context.Context) (net.Conn, error) { return net.Dial("tcp", b.Addr().String()) }})
			t.Cleanup(p.Close)
			if status, _, err := ask(t, p, &wire.Request{Method: row.method, Target: "/first", Host: "x"}); status != row.status || err != nil {
				t.Fatalf("%d, %v", status, err)
			}
			for range 3 {
				if _, body, err := ask(t, p, get()); err != nil || body != "mine" {
					t.Fatalf("%q, %v", body, err)
				}
			}
			time.Sleep(time.Second) // the other one has rested
			for range 3 {
				if _, body, err := ask(t, p, get()); err != nil || body != "mine" {
					t.Fatalf("%q, %v", body, err)
				}
			}
			if idle, made := p.Idle(), b.conns.Load(); idle != 1 || made != 2 {
				t.Errorf("%d kept of %d, want 1 of 2", idle, made)
			}
		})
	}
}

// TestRestedConnectionOfAClosedPool: what rests when its pool is closed is not kept.
func TestRestedConnectionOfAClosedPool(t *testing.T) {
	ended := make(chan struct{})
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		readRequest(in)
		_, _ = io.WriteString(c, head200+"Content-Length: 5\r\n\r\n")
		_, _ = in.ReadByte()
		close(ended)
	})
	p := b.pool(t)
	if _, _, err := ask(t, p, &wire.Request{Method: http.MethodHead, Target: "/", Host: "x"}); err != nil {
		t.Fatal(err)
	}
	p.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it is kept")
	}
	if n := p.Idle(); n != 0 {
		t.Errorf("%d kept", n)
	}
}

// TestNoHeadToCome: a back end that says what cannot become an answer is not waited for.
func TestNoHeadToCome(t *testing.T) {
	for name, said := range map[string]string{
		"an end without CR":        head200 + "Content-Length: 0\n\r\n",
		"a field without CR":       head200 + "A: b\r\nContent-Length: 0\n\r\n",
		"a status line without CR": "HTTP/1.1 200 OK\n\r\n",
		"nothing but lines":        "\n\r\n",
		"a greeting":               "220 mail.test ready\r\n",
		"another protocol":         "SSH-2.0-x",
		"an empty line before":     "\r\n" + head200,
	} {
		t.Run(name, func(t *testing.T) {
			p := mustSay(t, said, false).pool(t)
			r := get()
			r.FirstByte = 20 * time.Second
			if _, _, err := ask(t, p, r); !errors.Is(err, wire.ErrProtocol) {
				t.Errorf("%v, want a fault of the protocol", err)
			}
		})
	}
}

// TestOneWaitForAll: connecting, a connection that ended and the answer share one wait.
func TestOneWaitForAll(t *testing.T) {
	const wait = 800 * time.Millisecond
	t.Run("a slow connect", func(t *testing.T) {
		b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
			readRequest(in)
			time.Sleep(wait * 9 / 10)
			_, _ = io.WriteString(c, head200+"Content-Length: 0\r\n\r\n")
		})
		p := wire.NewPool(wire.Config{Dial: func(context.Context) (net.Conn, error) {
			time.Sleep(wait * 3 / 4)
			return net.Dial("tcp", b.Addr().String())
		}})
		t.Cleanup(p.Close)
		r := get()
		r.FirstByte = wait
		if _, _, err := ask(t, p, r); !errors.Is(err, wire.ErrFirstByte) {
			t.Errorf("%v, want %v", err, wire.ErrFirstByte)
		}
	})
	t.Run("a connection that ends late", func(t *testing.T) {
		b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
			if r := readRequest(in); r == nil || r.URL.Path != "/first" {
				time.Sleep(wait * 9 / 10)
				_, _ = io.WriteString(c, head200+"Content-Length: 0\r\n\r\n")
				return
			}
			_, _ = io.WriteString(c, head200+"Content-Length: 0\r\n\r\n")
			readRequest(in)
			time.Sleep(wait * 3 / 4)
		})
		p := b.pool(t)
		r := get()
		r.FirstByte = wait
		r.Target = "/first"
		if _, _, err := ask(t, p, r); err != nil {
			t.Fatal(err)
		}
		r.Target = "/"
		if _, _, err := ask(t, p, r); !errors.Is(err, wire.ErrFirstByte) {
			t.Errorf("%v, want %v", err, wire.ErrFirstByte)
		}
	})
}

// TestLateBodyHeldBack: a back end whose kernel keeps small writes back until the one
// before is acknowledged (RFC 896), on a connection that has served before: the body that
// must not come arrives while the connection rests, and not behind the next request.
func TestLateBodyHeldBack(t *testing.T) {
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		_ = c.(*net.TCPConn).SetNoDelay(false)
		for r := readRequest(in); r != nil; r = readRequest(in) {
			if r.Method != http.MethodHead {
				_, _ = io.WriteString(c, head200+"Content-Length: 4\r\n\r\nmine")
				continue
			}
			began := time.Now()
			_, _ = io.WriteString(c, head200+"Content-Length: 44\r\n\r\n")
			if time.Since(began) > wire.Rest/2 { // this process stood still, which is not what is shown
				_ = c.Close()
				return
			}
			_, _ = io.WriteString(c, head200+"Content-Length: 6\r\n\r\npoison")
		}
	})
	p := wire.NewPool(wire.Config{Dial: func(context.Context) (net.Conn, error) { return net.Dial("tcp", b.Addr().String()) }})
	t.Cleanup(p.Close)
	for range 10 {
		for range 3 {
			if _, body, err := ask(t, p, get()); err != nil || body != "mine" {
				t.Fatalf("%q, %v", body, err)
			}
		}
		if status, _, err := ask(t, p, &wire.Request{Method: http.MethodHead, Target: "/", Host: "x"}); status != 200 || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
		time.Sleep(2 * wire.Rest) // but the kernel has yet to acknowledge by itself
	}
}
