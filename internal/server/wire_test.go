package server_test

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

// counting is a listener that counts what the kernel copies, or could.
type counting struct {
	net.Listener
	to, from *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{c.(*net.TCPConn), l.to, l.from}, nil
}

type countingConn struct {
	*net.TCPConn
	to, from *atomic.Int64
}

func (c *countingConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.TCPConn.ReadFrom(r)
	c.to.Add(n)
	return n, err
}

func (c *countingConn) WriteTo(w io.Writer) (int64, error) {
	n, err := c.TCPConn.WriteTo(w)
	c.from.Add(n)
	return n, err
}

// mustCount runs the handler behind a listener that counts.
func mustCount(t *testing.T, h http.Handler) (r *running, to, from *atomic.Int64) {
	t.Helper()
	to, from = new(atomic.Int64), new(atomic.Int64)
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", h, nil)
	mustListen(t, s)
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.CloseListener("public")
	s.SetListener("public", counting{open, to, from})
	r = mustRun(t, s)
	t.Cleanup(func() {
		r.stop()
		if err := r.mustEnd(); err != nil {
			t.Error(err)
		}
	})
	return r, to, from
}

// A file goes out by the kernel, as it does without a wire.
func TestFilesAreNotCopied(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("0123456789abcdef", 64<<10)
	mustWrite(t, name, []byte(content))
	r, to, _ := mustCount(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }))
	if code, body := mustGet(t, r.url("public")); code != 200 || body != content {
		t.Errorf("%d, %d bytes", code, len(body))
	}
	testkit.MustAwait(t, "the file by the kernel", func() bool { // counted behind the last byte, which the client has by then
		return to.Load() >= int64(len(content))-4096 // the first bytes tell the media type
	})
}

// A tunnel has the connection's own copying in both directions, and its halves.
func TestTunnelsAreNotCopied(t *testing.T) {
	t.Parallel()
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	go func() { // echoes until its half ends
		if c, err := far.Accept(); err == nil {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	r, to, from := mustCount(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		back, err := net.Dial("tcp", far.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer back.Close()
		front, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer front.Close()
		_, _ = io.WriteString(front, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(back, front)
			_ = back.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(front, back)
		if err := front.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
		<-done
	}))
	conn := mustDial(t, r)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	const head = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
	got := make([]byte, len(head))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != head {
		t.Fatalf("%q %v", got, err)
	}
	const said = "HTTP/1.1 505 is but a word"
	_, _ = io.WriteString(conn, said)
	_ = conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(conn); err != nil || string(rest) != said {
		t.Errorf("%q %v", rest, err)
	}
	if to.Load() != int64(len(said)) || from.Load() != int64(len(said)) {
		t.Errorf("by the kernel: %d to the client, %d from it", to.Load(), from.Load())
	}
}
