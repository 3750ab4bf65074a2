package wire_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate/gateway/upstream/wire"
)

// backend is a server that speaks as its script says, to the byte.
type backend struct {
	net.Listener
	conns atomic.Int64 // accepted
	wait  sync.WaitGroup
}

// mustBackend starts one; serve has each connection for itself.
func mustBackend(tb testing.TB, serve func(c net.Conn, in *bufio.Reader)) *backend {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	b := &backend{Listener: l}
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	b.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.conns.Add(1)
			mu.Lock()
			open[c] = true
			mu.Unlock()
			b.wait.Go(func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		b.wait.Wait()
	})
	return b
}

// mustSay answers every request of a connection with the same bytes; with last it
// closes after each.
func mustSay(tb testing.TB, answer string, last bool) *backend {
	tb.Helper()
	return mustBackend(tb, func(c net.Conn, in *bufio.Reader) {
		for readRequest(in) != nil {
			if _, err := io.WriteString(c, answer); err != nil || last {
				return
			}
		}
	})
}

// readRequest reads one request whole; nil at the end.
func readRequest(in *bufio.Reader) *http.Request {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil
	}
	return r
}

func (b *backend) pool(tb testing.TB) *wire.Pool {
	tb.Helper()
	p := wire.NewPool(wire.Config{Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", b.Addr().String())
	}})
	tb.Cleanup(p.Close)
	return p
}

func get() *wire.Request { return &wire.Request{Method: "GET", Target: "/", Host: "back.test"} }

// ask does one exchange and returns the answer's status and body.
func ask(tb testing.TB, p *wire.Pool, r *wire.Request) (status int, body string, err error) {
	tb.Helper()
	a, err := p.Do(tb.Context(), r)
	if err != nil {
		return 0, "", err
	}
	defer a.Close()
	text, err := io.ReadAll(a)
	return a.Status, string(text), err
}

func lines(s ...string) string { return strings.Join(s, "\r\n") }
