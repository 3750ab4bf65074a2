package server_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

// mustTLS runs one TLS listener, named public, that is set up as asked.
func mustTLS(t *testing.T, c server.Config, h http.Handler, set func(*server.Server)) *ways {
	t.Helper()
	f := mustFiles(t, "a.example")
	s := server.New(c)
	s.AddPublic("public", "127.0.0.1:0", h, f.mustLoad(nil))
	if set != nil {
		set(s)
	}
	return &ways{mustRun(t, s), f}
}

func (w *ways) mustClose(t *testing.T) {
	t.Helper()
	w.stop()
	if err := w.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// Clients that say nothing, or half a word, hold nobody up, and neither the end.
func TestSlowHandshakesBlockNobody(t *testing.T) {
	t.Parallel()
	w := mustTLS(t, server.Config{ReadHeaderTimeout: time.Hour}, telling(), nil)
	var slow []net.Conn
	for i := range 50 {
		conn := mustDial(t, w.running)
		if i%2 == 0 {
			_, _ = io.WriteString(conn, "\x16\x03\x01\x02\x00\x01") // the beginning of a ClientHello
		}
		slow = append(slow, conn)
	}
	for _, set := range []func(*http.Protocols, bool){http1, h2} {
		if got := mustText(t, speaking(t, w.files.trusting(), set), w.tlsURL("public")); !strings.HasSuffix(got, "tls=true") {
			t.Errorf("answered %q", got)
		}
	}
	w.mustClose(t)
	for _, conn := range slow {
		if n, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a handshake outlived the server: %d %v", n, err)
		}
	}
}

// The time for the header is that for the handshake, too.
func TestHandshakeEndsInTime(t *testing.T) {
	t.Parallel()
	var log lines
	w := mustTLS(t, server.Config{ReadHeaderTimeout: 50 * time.Millisecond, Log: log.logger()}, telling(), nil)
	conn := mustDial(t, w.running)
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("a silent handshake was not ended: %v", err)
	}
	w.mustClose(t)
	if log.Count("TLS handshake error") != 1 || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the log: %s", &log)
	}
}

// The time for the handshake is not that for the answers.
func TestHandshakeTimeIsLifted(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second
	for name, set := range map[string]func(*http.Protocols, bool){"http/1.1": http1, "h2": h2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := mustTLS(t, server.Config{ReadHeaderTimeout: limit}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(limit + limit/4) // the deadline is the connection's, by the real clock
				_, _ = io.WriteString(w, "late")
			}), nil)
			defer w.mustClose(t)
			if got := mustText(t, speaking(t, w.files.trusting(), set), w.tlsURL("public")); got != "late" {
				t.Errorf("answered %q", got)
			}
		})
	}
}

// A connection that has shaken hands when nobody accepts any more is closed.
func TestHandshakesNobodyWants(t *testing.T) {
	t.Parallel()
	f := mustFiles(t, "a.example")
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", telling(), f.mustLoad(nil))
	mustListen(t, s)
	l, wait := s.ShakeHands(t.Context(), "public")
	conn, err := tls.Dial("tcp", l.Addr().String(), f.trusting())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond)) // the server's side is done a moment later
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("nobody accepts, and yet: %d %v", n, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	wait()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is open: %d %v", n, err)
	}
	if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepted %v, %v", c, err)
	}
}

// Only so many handshakes are under way; the next one waits until there is room.
func TestHandshakesAreBounded(t *testing.T) {
	t.Parallel()
	w := mustTLS(t, server.Config{ReadHeaderTimeout: time.Hour}, telling(), func(s *server.Server) { s.SetHandshakes("public", 2) })
	defer w.mustClose(t)
	mustDial(t, w.running)
	slow := mustDial(t, w.running)
	next := make(chan string, 1)
	go func() {
		res, err := speaking(t, w.files.trusting(), http1).Get(w.tlsURL("public"))
		if err != nil {
			next <- err.Error()
			return
		}
		res.Body.Close()
		next <- res.Status
	}()
	select {
	case got := <-next:
		t.Fatalf("a third one: %s", got)
	case <-time.After(100 * time.Millisecond):
	}
	testkit.MustAwait(t, "two under way and a third that waits", func() bool {
		h := w.Server.Handshakes("public")
		return h.UnderWay == 2 && h.Most == 2 && h.Waits > 0
	})
	_ = slow.Close()
	if got := <-next; got != "200 OK" {
		t.Errorf("with room: %s", got)
	}
	testkit.MustAwait(t, "the one that was broken off is counted", func() bool { return w.Server.Handshakes("public").Failures > 0 })
	if h := w.Server.Handshakes("admin"); h != (server.Handshakes{}) {
		t.Errorf("a listener that there is not: %+v", h)
	}
}

// A handshake that panics costs its own connection, and one that fails costs no room.
func TestHandshakesThatFail(t *testing.T) {
	t.Parallel()
	var log lines
	var broken atomic.Bool
	w := mustTLS(t, server.Config{Log: log.logger()}, telling(), func(s *server.Server) {
		s.SetHandshakes("public", 1)
		config := s.TLSConfig("public")
		get := config.GetCertificate
		config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if broken.Load() {
				panic("no certificate")
			}
			return get(hello)
		}
	})
	defer w.mustClose(t)
	broken.Store(true)
	for range 3 {
		if conn, err := tls.Dial("tcp", w.Addr("public").String(), w.files.trusting()); err == nil {
			conn.Close()
			t.Error("a handshake without a certificate")
		}
	}
	broken.Store(false)
	for range 3 {
		if got := mustRaw(t, w.running, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 400 Bad Request\r\n") {
			t.Errorf("plain HTTP: %q", got)
		}
	}
	if got := mustText(t, speaking(t, w.files.trusting(), h2), w.tlsURL("public")); got != "HTTP/2.0 tls=true" {
		t.Errorf("the next one: %s", got)
	}
	testkit.MustAwait(t, "each is logged", func() bool { return log.Count("panic shaking hands") == 3 }, log.String)
}

// A TLS listener that breaks ends the server, as any other does.
func TestBrokenTLSListenerEndsTheServer(t *testing.T) {
	t.Parallel()
	w := mustTLS(t, server.Config{}, telling(), nil)
	mustText(t, speaking(t, w.files.trusting(), http1), w.tlsURL("public"))
	w.CloseListener("public")
	if err := w.mustEnd(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run: %v", err)
	}
}

// flaky is a listener that cannot accept now and then, as without file descriptors.
type flaky struct {
	net.Listener
	n atomic.Int64
}

func (l *flaky) Accept() (net.Conn, error) {
	if l.n.Add(1)%2 == 1 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// A listener that recovers goes on; what was wrong is in the log.
func TestAcceptIsTriedAgain(t *testing.T) {
	t.Parallel()
	var log lines
	f := mustFiles(t, "a.example")
	s := server.New(server.Config{Log: log.logger()})
	s.AddPublic("public", "127.0.0.1:0", telling(), f.mustLoad(nil))
	mustListen(t, s)
	s.CloseListener("public")
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.SetListener("public", &flaky{Listener: open})
	w := &ways{mustRun(t, s), f}
	for range 3 {
		if got := mustText(t, speaking(t, f.trusting(), h2), w.tlsURL("public")); got != "HTTP/2.0 tls=true" {
			t.Errorf("answered %s", got)
		}
	}
	w.mustClose(t)
	if log.Count("too many open files; retrying") < 3 {
		t.Errorf("the log: %s", &log)
	}
}

// Connections without a request are closed when their time is up.
func TestIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	w := mustWays(t, server.Config{IdleTimeout: 50 * time.Millisecond}, text("x"))
	for _, kind := range kinds {
		conn := w.mustDial(t, kind)
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		in := bufio.NewReader(conn)
		if res, err := http.ReadResponse(in, nil); err != nil || res.Close {
			t.Fatalf("%s: %v %v", kind, res, err)
		}
		if rest, err := io.ReadAll(in); err != nil || string(rest) != "x" {
			t.Errorf("%s: %q %v", kind, rest, err)
		}
	}
}

// Requests in flight on kept connections finish, and idle ones hold nobody up.
func TestHTTP1EndsInOrder(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			entered, release := make(chan struct{}), make(chan struct{})
			w := mustWays(t, server.Config{ShutdownTimeout: time.Hour}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					close(entered)
					<-release
				}
				_, _ = io.WriteString(w, "done")
			}))
			idle, busy := w.mustDial(t, kind), w.mustDial(t, kind)
			in := bufio.NewReader(idle)
			_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 200 {
				t.Fatalf("%v %v", res, err)
			}
			_, _ = io.WriteString(busy, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
			<-entered
			w.stop()
			if rest, err := io.ReadAll(in); err != nil || string(rest) != "done" {
				t.Errorf("the idle one: %q %v", rest, err)
			}
			close(release)
			if got, err := io.ReadAll(busy); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(string(got), "done") {
				t.Errorf("in flight: %q %v", got, err)
			}
		})
	}
}
