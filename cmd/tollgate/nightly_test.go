//go:build nightly

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rss is the process's resident memory in bytes.
func (s *system) rss() int64 {
	s.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		s.tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				s.tb.Fatal(err)
			}
			return kib << 10
		}
	}
	s.tb.Fatal("no VmRSS")
	return 0
}

// watchRSS returns a function that stops watching and tells the greatest RSS seen.
func (s *system) watchRSS() func() int64 {
	var most atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			most.Store(max(most.Load(), s.rss()))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int64 { close(stop); <-done; return most.Load() }
}

// zeros is a body of n bytes that takes no memory.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	z.n -= n
	return int(n), nil
}

// A gigabyte up and a gigabyte down pass through without being held: the memory
// of the process grows by less than 32 MiB.
func TestGigabyte(t *testing.T) {
	const size = 1 << 30
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
			return
		}
		_, _ = io.Copy(w, &zeros{size})
	}))
	defer backend.Close()
	s := mustSystem(t, "TOLLGATE_UPSTREAM="+backend.URL, "TOLLGATE_LOG_LEVEL=error")
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	s.call(p.Access) // a warm process
	for _, direction := range []string{http.MethodPost, http.MethodGet} {
		before, stop := s.rss(), s.watchRSS()
		var body io.Reader
		if direction == http.MethodPost {
			body = &zeros{size}
		}
		req, err := http.NewRequestWithContext(t.Context(), direction, s.Public+"/big", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+p.Access)
		start := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		grown := stop() - before
		t.Logf("%s of 1 GiB: %s, answer %d (%d bytes), RSS %d MiB, grown by at most %d MiB", direction, time.Since(start).Round(time.Millisecond), res.StatusCode, n, before>>20, grown>>20)
		if err != nil || res.StatusCode != 200 || direction == http.MethodGet && n != size {
			t.Errorf("%s: %d, %d bytes, %v", direction, res.StatusCode, n, err)
		}
		if grown >= 32<<20 {
			t.Errorf("%s: RSS grew by %d MiB", direction, grown>>20)
		}
	}
}

// Five thousand idle WebSockets: what each costs, and that they end with their
// tokens.
func TestIdleWebSockets(t *testing.T) {
	const sockets = 5000
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	}))
	defer backend.Close()
	file := t.TempDir() + "/routes.yaml"
	text := fmt.Sprintf("version: 1\nupstreams: {app: {urls: [%q]}}\nroutes: [{name: ws, match: {path: /}, upstream: app, websocket: true}]\n", backend.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustSystem(t, "TOLLGATE_UPSTREAM=", "TOLLGATE_ROUTES_FILE="+file, "TOLLGATE_LOG_LEVEL=error", "TOLLGATE_ACCESS_LOG=false", "TOLLGATE_ACCESS_TTL=15m")
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	s.call(p.Access)
	before := s.rss()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range sockets {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.Public, "http://"))
		if err != nil {
			t.Fatalf("after %d: %v", len(open), err)
		}
		open = append(open, c)
		fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", p.Access)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("after %d: %v %v", len(open), res, err)
		}
	}
	time.Sleep(3 * time.Second) // let the collector run
	after := s.rss()
	t.Logf("%d idle WebSockets: RSS %d MiB to %d MiB, %.1f KiB each", sockets, before>>20, after>>20, float64(after-before)/sockets/1024)
	start := time.Now()
	s.mustRevoke(map[string]string{"kind": "subject", "value": "1"})
	closed := 0
	for _, c := range open {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err == nil && head[0] == 0x88 && int(head[2])<<8|int(head[3]) == 4401 {
			closed++
		}
	}
	t.Logf("%d of %d closed with 4401, the last %s after the call", closed, sockets, time.Since(start).Round(time.Millisecond))
	if closed != sockets {
		t.Errorf("%d of %d closed", closed, sockets)
	}
}
