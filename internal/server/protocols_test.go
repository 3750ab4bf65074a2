package server_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

// telling answers with what it was asked by.
func telling() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s tls=%t", r.Proto, r.TLS != nil)
	})
}

func mustText(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (r *running) tlsURL(name string) string { return "https://" + r.Addr(name).String() }

func TestTLSListener(t *testing.T) {
	t.Parallel()
	var log lines
	f := mustFiles(t, "a.example")
	s := server.New(server.Config{Log: log.logger()})
	s.AddPublic("public", "127.0.0.1:0", telling(), f.mustLoad(nil))
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()

	if c := s.Certificate("public"); c == nil || c.Info().Names[0] != "a.example" || s.Certificate("none") != nil {
		t.Errorf("the listener's certificate: %v", c)
	}
	if got := mustText(t, speaking(t, f.trusting(), http1, h2), r.tlsURL("public")); got != "HTTP/2.0 tls=true" {
		t.Errorf("a client of both: %s", got)
	}
	if got := mustText(t, speaking(t, f.trusting(), http1), r.tlsURL("public")); got != "HTTP/1.1 tls=true" {
		t.Errorf("a client of HTTP/1.1: %s", got)
	}
	for _, tt := range []struct {
		name  string
		offer *tls.Config
		want  string // ALPN's outcome, or a part of the error
	}{
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, ""},
		{"TLS 1.3", &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1", "h2"}}, "h2"},
		{"http/1.1 alone", &tls.Config{NextProtos: []string{"http/1.1"}}, "http/1.1"},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "protocol version"},
		{"nothing that we speak", &tls.Config{NextProtos: []string{"h3", "h2c"}}, "no application protocol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.offer.RootCAs = f.trusting().RootCAs
			conn, err := tls.Dial("tcp", r.Addr("public").String(), tt.offer)
			if err != nil {
				if tt.want == "" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("err: %v", err)
				}
				return
			}
			defer conn.Close()
			if got := conn.ConnectionState().NegotiatedProtocol; got != tt.want {
				t.Errorf("ALPN %q, want %q", got, tt.want)
			}
		})
	}
	if code, _ := mustGet(t, r.url("public")); code != 400 {
		t.Errorf("plain HTTP on the TLS port: %d", code)
	}
	if !strings.Contains(log.String(), `protocols="http/1.1 h2 tls"`) {
		t.Errorf("the log does not say what is spoken: %s", &log)
	}
	if n := log.Count("TLS handshake error"); n == 0 || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("%d failed handshakes, at the debug level: %s", n, &log)
	}
}

// A certificate that is swapped under a running server serves the next handshake;
// connections that are open go on.
func TestTLSCertificateIsSwapped(t *testing.T) {
	t.Parallel()
	f := mustFiles(t, "old.example")
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", telling(), f.mustLoad(nil))
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	kept := speaking(t, f.trusting(), h2)
	mustText(t, kept, r.tlsURL("public"))
	f.mustWrite(mustPair(t, "new.example", 90*day))
	served := func() string {
		conn, err := tls.Dial("tcp", r.Addr("public").String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	if got := served(); got != "old.example" {
		t.Errorf("at once: %s", got)
	}
	testkit.MustAwait(t, "the new certificate", func() bool { return served() == "new.example" })
	if got := mustText(t, kept, r.tlsURL("public")); got != "HTTP/2.0 tls=true" {
		t.Errorf("the open connection: %s", got)
	}
	if got := mustText(t, speaking(t, f.trusting(), h2), r.tlsURL("public")); got != "HTTP/2.0 tls=true" {
		t.Errorf("a client that trusts the new one: %s", got)
	}
}

func TestPlainPublicListener(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", telling(), nil)
	s.AddPublic("off", "", telling(), nil)
	s.Add("admin", "127.0.0.1:0", telling())
	s.AddLast("ops", "127.0.0.1:0", telling())
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	for name, want := range map[string]string{"public": "HTTP/2.0 tls=false", "admin": "", "ops": ""} {
		if got := mustText(t, speaking(t, nil, http1), r.url(name)); got != "HTTP/1.1 tls=false" {
			t.Errorf("%s by HTTP/1.1: %s", name, got)
		}
		res, err := speaking(t, nil, h2c).Get(r.url(name))
		if err == nil {
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if string(body) != want || want == "" {
				t.Errorf("%s by h2c: %s, want %q", name, body, want)
			}
		} else if want != "" {
			t.Errorf("%s by h2c: %v", name, err)
		}
	}
	// RFC 7540's way to h2c is no more: the header is left alone.
	answer := mustRaw(t, r, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 200") {
		t.Errorf("Upgrade: h2c: %q", answer)
	}
}

// mustRaw sends bytes and reads the beginning of the answer.
func mustRaw(t *testing.T, r *running, text string) string {
	t.Helper()
	conn := mustDial(t, r)
	_, _ = io.WriteString(conn, text)
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// mustDial connects to the public listener until the test's end; nothing takes
// longer than 10 s.
func mustDial(t *testing.T, r *running) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr("public").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// Requests in flight on HTTP/2 finish, and idle HTTP/2 connections hold nobody up.
func TestHTTP2EndsInOrder(t *testing.T) {
	t.Parallel()
	f := mustFiles(t, "a.example")
	for name, cert := range map[string]*server.Certificate{"h2": f.mustLoad(nil), "h2c": nil} {
		t.Run(name, func(t *testing.T) {
			entered, release := make(chan struct{}), make(chan struct{})
			s := server.New(server.Config{ShutdownTimeout: 15 * time.Second})
			s.AddPublic("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					close(entered)
					<-release
				}
				_, _ = io.WriteString(w, "done")
			}), cert)
			r := mustRun(t, s)
			url, set := r.url("public"), h2c
			if cert != nil {
				url, set = r.tlsURL("public"), h2
			}
			idle := speaking(t, f.trusting(), set)
			mustText(t, idle, url)
			got := make(chan string, 1)
			go func() {
				res, err := speaking(t, f.trusting(), set).Get(url + "/slow")
				if err != nil {
					got <- err.Error()
					return
				}
				defer res.Body.Close()
				body, _ := io.ReadAll(res.Body)
				got <- string(body)
			}()
			<-entered
			r.stop()
			mustRefuse(t, r.url("public"))
			start := time.Now()
			close(release)
			if text := <-got; text != "done" {
				t.Errorf("in flight: %s", text)
			}
			if err := r.mustEnd(); err != nil || time.Since(start) > 8*time.Second {
				t.Errorf("Run: %v after %v", err, time.Since(start))
			}
		})
	}
}

// frame writes one HTTP/2 frame (RFC 9113 section 4.1).
func frame(kind, flags byte, stream uint32, payload string) string {
	n := len(payload)
	return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)}) + payload
}

const (
	preface   = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	headers   = 1
	reset     = 3
	settings  = 4
	goAway    = 7
	endStream = 1
	endHeader = 4
	// GET / by http of authority x: the static table of RFC 7541.
	getRoot = "\x82\x86\x84\x41\x01x"
)

// A client that opens and resets requests without end (CVE-2023-44487): never more
// than the streams allowed run, and it is sent away; others are served.
func TestRapidReset(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	release := make(chan struct{})
	var once sync.Once
	free := func() { once.Do(func() { close(release) }) }
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "x" {
			return
		}
		n := now.Add(1)
		for m := most.Load(); n > m; m = most.Load() {
			most.CompareAndSwap(m, n)
		}
		<-release
		now.Add(-1)
	}), nil)
	r := mustRun(t, s)
	defer func() { free(); r.stop(); _ = r.mustEnd() }()
	conn := mustDial(t, r)
	go func() {
		w := bufio.NewWriter(conn)
		_, _ = w.WriteString(preface + frame(settings, 0, 0, ""))
		for id := uint32(1); id < 20_000; id += 2 {
			_, _ = w.WriteString(frame(headers, endStream|endHeader, id, getRoot) + frame(reset, 0, id, "\x00\x00\x00\x08"))
		}
		_ = w.Flush() // ends early when the server has had enough
	}()
	code := mustGoAway(t, conn)
	if code != 0xb { // ENHANCE_YOUR_CALM
		t.Errorf("sent away with %#x", code)
	}
	if m := most.Load(); m == 0 || m > 250 {
		t.Errorf("%d requests ran at once", m)
	}
	if got, _ := mustGet(t, r.url("public")); got != 200 {
		t.Errorf("another client: %d", got)
	}
}

// mustFrame reads frames until one of the kind, and returns its payload.
func mustFrame(t *testing.T, conn net.Conn, kind byte) []byte {
	t.Helper()
	in := bufio.NewReader(conn)
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(in, head); err != nil {
			t.Fatalf("no frame of kind %d: %v", kind, err)
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(in, payload); err != nil {
			t.Fatal(err)
		}
		if head[3] == kind {
			return payload
		}
	}
}

// mustGoAway returns the error code that a connection ends with.
func mustGoAway(t *testing.T, conn net.Conn) uint32 {
	t.Helper()
	return binary.BigEndian.Uint32(mustFrame(t, conn, goAway)[4:])
}

// mustStatus returns the first octet of an answer's header: 0x88 is 200.
func mustStatus(t *testing.T, conn net.Conn) string {
	t.Helper()
	return string(mustFrame(t, conn, headers)[:1])
}

// The server says how many requests it takes at once.
func TestHTTP2Settings(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", telling(), nil)
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	answer := mustRaw(t, r, preface+frame(settings, 0, 0, ""))
	if len(answer) < 9 || answer[3] != settings {
		t.Fatalf("no settings: %q", answer)
	}
	got := map[byte]int{}
	for p := answer[9 : 9+int(answer[2])]; len(p) >= 6; p = p[6:] {
		got[p[1]] = int(p[2])<<24 | int(p[3])<<16 | int(p[4])<<8 | int(p[5])
	}
	// MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE
	if got[3] != 250 || got[5] != 1<<20 || got[6] < 16<<10 || got[6] > 24<<10 {
		t.Errorf("settings %v", got)
	}
}
