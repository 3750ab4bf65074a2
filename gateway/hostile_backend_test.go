package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// victim is a back end that keeps the very bytes of what reaches it. net/http as
// a back end would forgive what others do not.
type victim struct {
	URL string

	mu      sync.Mutex
	arrived [][]byte // whole requests
	cut     [][]byte // what ended before it was a whole request
	tunnel  bytes.Buffer
}

func mustVictim(t *testing.T) *victim {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{URL: "http://" + l.Addr().String()}
	var serving sync.WaitGroup
	var open sync.Map
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, nil)
			serving.Go(func() {
				defer open.Delete(c)
				defer c.Close()
				v.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil || true })
		serving.Wait()
	})
	return v
}

// tee keeps what is read from a connection and not yet taken away.
type tee struct {
	net.Conn
	kept []byte
}

func (c *tee) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.kept = append(c.kept, p[:n]...)
	return n, err
}

// serve answers the requests of one connection.
func (v *victim) serve(c net.Conn) {
	in := &tee{Conn: c}
	r := bufio.NewReader(in)
	for {
		req, err := http.ReadRequest(r)
		if err == nil {
			if req.Header.Get("Expect") != "" {
				fmt.Fprint(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			_, err = io.Copy(io.Discard, req.Body)
		}
		whole := len(in.kept) - r.Buffered()
		raw := slices.Clone(in.kept[:whole])
		in.kept = slices.Clone(in.kept[whole:])
		v.mu.Lock()
		switch {
		case err == nil:
			v.arrived = append(v.arrived, raw)
		case len(raw)+len(in.kept) > 0:
			v.cut = append(v.cut, append(raw, in.kept...))
		}
		v.mu.Unlock()
		if err != nil {
			return
		}
		if v.answer(c, r, req) {
			return
		}
	}
}

// answer answers one request with its own target, and reports whether that was
// the connection's last.
func (v *victim) answer(c net.Conn, r *bufio.Reader, req *http.Request) (last bool) {
	if req.Header.Get("Upgrade") != "" && !strings.HasSuffix(req.URL.Path, "/no") {
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		for p := make([]byte, 4096); ; {
			n, err := r.Read(p)
			v.mu.Lock()
			v.tunnel.Write(p[:n])
			v.mu.Unlock()
			if err != nil {
				return true
			}
		}
	}
	text := req.Method + " " + req.RequestURI
	if req.Method == http.MethodHead {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(text))
		return false
	}
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	return false
}

// since returns the requests that arrived after the first n.
func (v *victim) since(n int) [][]byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.arrived[n:])
}

func (v *victim) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.arrived)
}

func (v *victim) tunnelled() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tunnel.String()
}
