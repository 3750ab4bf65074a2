package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a server under test.
type running struct {
	*server.Server
	t    testing.TB
	stop context.CancelFunc
	done chan error
}

func mustListen(t testing.TB, s *server.Server) {
	t.Helper()
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
}

// mustRun starts the server; its end is asked for by the test's end at the latest.
func mustRun(t testing.TB, s *server.Server) *running {
	t.Helper()
	mustListen(t, s)
	ctx, stop := context.WithCancel(t.Context())
	r := &running{Server: s, t: t, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- s.Run(ctx) }()
	return r
}

func (r *running) url(name string) string { return "http://" + r.Addr(name).String() }

// mustEnd waits for Run to return and hands its error back.
func (r *running) mustEnd() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(20 * time.Second):
		r.t.Fatal("Run did not return")
		return nil
	}
}

// client opens a new connection for each request.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
}

func mustGet(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// mustDrain waits until the server says that it is draining.
func (r *running) mustDrain() {
	r.t.Helper()
	testkit.MustAwait(r.t, "draining", r.Draining)
}

func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) })
}

func TestServesAllListeners(t *testing.T) {
	s := server.New(server.Config{})
	s.Add("public", "127.0.0.1:0", text("public"))
	s.Add("admin", "127.0.0.1:0", text("admin"))
	s.AddLast("ops", "127.0.0.1:0", text("ops"))
	s.Add("off", "", text("never"))
	if s.Addr("public") != nil {
		t.Error("an address before Listen")
	}
	r := mustRun(t, s)
	for _, name := range []string{"public", "admin", "ops"} {
		if code, body := mustGet(t, r.url(name)); code != 200 || body != name {
			t.Errorf("%s: %d %q", name, code, body)
		}
	}
	if s.Addr("off") != nil || s.Addr("unknown") != nil {
		t.Error("an address of a listener that is not open")
	}
	r.stop()
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := client().Get(r.url("ops")); err == nil {
		t.Error("ops still answers after Run")
	}
}

func TestListenNamesWhatFailed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := server.New(server.Config{})
	s.Add("public", "127.0.0.1:0", text(""))
	s.Add("admin", taken.Addr().String(), text(""))
	s.Add("ops", "127.0.0.1:not-a-port", text(""))
	err = s.Run(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"listen admin (" + taken.Addr().String() + ")", "listen ops (", "address already in use"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "public") {
		t.Errorf("public did not fail: %v", err)
	}
	if s.Addr("public") != nil {
		t.Error("public is still open")
	}
}

func TestRequestInFlightFinishes(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := server.New(server.Config{ShutdownTimeout: 10 * time.Second})
	s.Add("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		if r.Context().Err() != nil {
			t.Error("the request's context ended with the signal")
		}
		_, _ = io.WriteString(w, "done")
	}))
	s.AddLast("ops", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.Draining() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	r := mustRun(t, s)
	if code, _ := mustGet(t, r.url("ops")); code != 200 {
		t.Errorf("ready: %d", code)
	}
	type answer struct {
		body string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		res, err := client().Get(r.url("public"))
		if err != nil {
			got <- answer{err: err}
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		got <- answer{string(body), err}
	}()
	<-entered
	r.stop()
	r.mustDrain()
	mustRefuse(t, r.url("public"))
	if code, _ := mustGet(t, r.url("ops")); code != 503 {
		t.Errorf("readiness while draining: %d", code)
	}
	select {
	case err := <-r.done:
		t.Fatalf("Run returned (%v) with a request in flight", err)
	default:
	}
	close(release)
	if a := <-got; a.err != nil || a.body != "done" {
		t.Errorf("request in flight: %q, %v", a.body, a.err)
	}
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// mustRefuse waits until no connection is taken any more.
func mustRefuse(t *testing.T, url string) {
	t.Helper()
	testkit.MustAwait(t, "a listener that is closed", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

func TestDelayKeepsServing(t *testing.T) {
	s := server.New(server.Config{ShutdownDelay: time.Second})
	s.Add("public", "127.0.0.1:0", text("still here"))
	r := mustRun(t, s)
	res, err := client().Get(r.url("public"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	start := time.Now()
	r.stop()
	r.mustDrain()
	if code, body := mustGet(t, r.url("public")); code != 200 || body != "still here" {
		t.Errorf("while draining: %d %q", code, body)
	}
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("ended after %v, before the delay", took)
	}
}

func TestDrainingClosesKeptConnections(t *testing.T) {
	s := server.New(server.Config{ShutdownDelay: time.Second})
	s.Add("public", "127.0.0.1:0", text("x"))
	r := mustRun(t, s)
	kept := &http.Client{Transport: &http.Transport{}}
	defer kept.CloseIdleConnections()
	get := func() bool {
		res, err := kept.Get(r.url("public"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.Close
	}
	if get() {
		t.Error("Connection: close in normal times")
	}
	r.stop()
	r.mustDrain()
	if !get() {
		t.Error("no Connection: close while draining")
	}
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestHungRequestIsCut(t *testing.T) {
	entered := make(chan struct{})
	s := server.New(server.Config{ShutdownTimeout: 50 * time.Millisecond})
	s.Add("public", "127.0.0.1:0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	r := mustRun(t, s)
	got := make(chan error, 1)
	go func() {
		res, err := client().Get(r.url("public"))
		if err == nil {
			res.Body.Close()
		}
		got <- err
	}()
	<-entered
	r.stop()
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := <-got; err == nil {
		t.Error("the hung request was answered")
	}
}

func TestTunnelEndsWithTheOthers(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	s := server.New(server.Config{ShutdownTimeout: 10 * time.Second})
	s.Add("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer conn.Close()
		close(entered)
		<-r.Context().Done()
	}))
	r := mustRun(t, s)
	conn, err := net.Dial("tcp", r.Addr("public").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	<-entered
	start := time.Now()
	r.stop()
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
	select {
	case <-left:
	default:
		t.Error("Run returned before the tunnel's handler")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a tunnel alone held the end up for %v", took)
	}
}
