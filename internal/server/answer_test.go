package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/server"
)

// refused is what a client gets whose request net/http would call our failure.
const refused = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"

// ways are listeners of every kind with one handler.
type ways struct {
	*running
	files *files
}

// kinds are the ways to speak HTTP/1.1 to them.
var kinds = []string{"plain", "admin", "ops", "tls http/1.1", "tls without ALPN"}

func mustWays(t testing.TB, c server.Config, h http.Handler) *ways {
	t.Helper()
	f := mustFiles(t, "a.example")
	s := server.New(c)
	s.AddPublic("plain", "127.0.0.1:0", h, nil)
	s.AddPublic("tls", "127.0.0.1:0", h, f.mustLoad(nil))
	s.Add("admin", "127.0.0.1:0", h)
	s.AddLast("ops", "127.0.0.1:0", h)
	w := &ways{mustRun(t, s), f}
	t.Cleanup(func() {
		w.stop()
		if err := w.mustEnd(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// mustDial connects in one of the ways; nothing takes longer than 10 s.
func (w *ways) mustDial(t testing.TB, kind string) net.Conn {
	t.Helper()
	name, offer, _ := strings.Cut(kind, " ")
	conn, err := net.Dial("tcp", w.Addr(name).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if name != "tls" {
		return conn
	}
	config := &tls.Config{RootCAs: w.files.trusting().RootCAs, ServerName: "127.0.0.1"}
	if offer == "http/1.1" {
		config.NextProtos = []string{offer}
	}
	return tls.Client(conn, config)
}

// mustExchange sends bytes and returns all that comes until the connection's end.
func (w *ways) mustExchange(t *testing.T, kind, raw string) string {
	t.Helper()
	conn := w.mustDial(t, kind)
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("no end: %q %v", answer, err)
	}
	return string(answer)
}

// What net/http answers before any handler is the client's fault, never ours.
func TestServersOwnAnswers(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	w := mustWays(t, server.Config{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	post := func(fields string) string {
		return "POST /secret HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n5\r\nhello\r\n0\r\n\r\n"
	}
	for name, tt := range map[string]struct{ raw, want string }{
		"unknown coding":              {post("Transfer-Encoding: secret\r\n"), refused},
		"no coding":                   {post("Transfer-Encoding:\r\n"), refused},
		"coding before chunked":       {post("Transfer-Encoding: gzip, chunked\r\n"), refused},
		"coding twice in a line":      {post("Transfer-Encoding: chunked, chunked\r\n"), refused},
		"coding in two lines":         {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), refused},
		"unknown coding and a length": {post("Transfer-Encoding: x\r\nContent-Length: 3\r\n"), refused},
		"HTTP/0.9":                    {"GET /secret HTTP/0.9\r\n\r\n", refused},
		"HTTP/2.0":                    {"GET /secret HTTP/2.0\r\nHost: x\r\n\r\n", refused},
		"HTTP/3.0":                    {"GET /secret HTTP/3.0\r\nHost: x\r\n\r\n", refused},
		// These have the right class already, and may say more.
		"no Host":           {"GET /secret HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request: missing required Host header\r\n"},
		"no HTTP":           {"secret\r\n\r\n", refused},
		"too long":          {"GET /secret HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 25<<10) + "\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
		"other expectation": {"GET /secret HTTP/1.1\r\nHost: x\r\nExpect: secret\r\n\r\n", "HTTP/1.1 417 Expectation Failed\r\n"},
	} {
		for _, kind := range kinds {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				got := w.mustExchange(t, kind, tt.raw)
				if !strings.HasPrefix(got, tt.want) || tt.want == refused && got != refused {
					t.Errorf("answered %q", got)
				}
				if strings.Contains(got, "secret") || !strings.Contains(got, "\r\nConnection: close\r\n") {
					t.Errorf("echoed, or kept open: %q", got)
				}
			})
		}
	}
	t.Cleanup(func() {
		if n := calls.Load(); n != 0 {
			t.Errorf("%d requests reached the handler", n)
		}
	})
}

// failing answers what its path says, in each way that a handler has.
func failing() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		switch r.URL.RawQuery {
		case "body":
			_, _ = io.Copy(w, strings.NewReader(strings.Repeat("HTTP/1.1 501 Not Implemented\r\n", 1000)))
		case "flush":
			w.WriteHeader(status)
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "HTTP/1.1 505 late")
		case "early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(status)
		case "hijack":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 %d its own\r\n\r\n", status)
				fmt.Fprint(conn, "HTTP/1.1 501 a frame")
				_ = conn.Close()
			}
		default:
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "of the back end")
		}
	})
}

// What a handler answers is its own, also when the server has an answer of its own
// right behind it.
func TestHandlersOwnFailures(t *testing.T) {
	t.Parallel()
	w := mustWays(t, server.Config{}, failing())
	const bad = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n"
	get := func(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	for name, tt := range map[string]struct {
		raw  string
		want []string // in this order, and nothing of the kind besides
		end  string
	}{
		"501":                     {get("/501") + bad, []string{"HTTP/1.1 501 Not Implemented\r\n", "of the back end"}, refused},
		"505":                     {get("/505") + bad, []string{"HTTP/1.1 505 HTTP Version Not Supported\r\n", "of the back end"}, refused},
		"three of them":           {get("/505") + get("/200") + get("/501") + bad, []string{"HTTP/1.1 505", "HTTP/1.1 200", "HTTP/1.1 501"}, refused},
		"behind early hints":      {get("/501?early") + bad, []string{"HTTP/1.1 103", "HTTP/1.1 501"}, refused},
		"flushed":                 {get("/503?flush") + bad, []string{"HTTP/1.1 503", "HTTP/1.1 505 late"}, refused},
		"in a body":               {get("/200?body") + bad, []string{"HTTP/1.1 200", "HTTP/1.1 501"}, refused},
		"HTTP/1.0":                {"GET /501 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + bad, []string{"HTTP/1.0 501", "of the back end"}, refused},
		"on a hijacked one":       {"GET /505?hijack HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\n\r\n", []string{"HTTP/1.1 505 its own\r\n\r\n"}, "HTTP/1.1 501 a frame"},
		"a good one before":       {get("/200") + bad, []string{"HTTP/1.1 200 OK\r\n"}, refused},
		"a bad version behind it": {get("/200") + "GET / HTTP/3.0\r\n\r\n", []string{"HTTP/1.1 200 OK\r\n"}, refused},
	} {
		for _, kind := range kinds {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				got := w.mustExchange(t, kind, tt.raw)
				rest := got
				for _, want := range tt.want {
					_, behind, found := strings.Cut(rest, want)
					if !found {
						t.Fatalf("no %q in %q", want, got)
					}
					rest = behind
				}
				if !strings.HasSuffix(rest, tt.end) || strings.Count(got, refused) != strings.Count(tt.end, refused) {
					t.Errorf("answered %q", got)
				}
			})
		}
	}
}

// HTTP/2 has frames, whose bytes may look like anything.
func TestHTTP2IsNotRewritten(t *testing.T) {
	t.Parallel()
	w := mustWays(t, server.Config{}, failing())
	for name, c := range map[string]*http.Client{w.url("plain"): speaking(t, nil, h2c), w.tlsURL("tls"): speaking(t, w.files.trusting(), h2)} {
		for range 20 { // idle in between
			if got := mustText(t, c, name+"/200?body"); got != strings.Repeat("HTTP/1.1 501 Not Implemented\r\n", 1000) {
				t.Fatalf("%s: %d bytes: %.60q", name, len(got), got)
			}
		}
		res, err := c.Get(name + "/501")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotImplemented || res.ProtoMajor != 2 {
			t.Errorf("%s: %s %s", name, res.Proto, res.Status)
		}
	}
}

// A write of HTTP/2 may begin anywhere in a body, also when its stream is over and
// the connection idle: ten shifts of ten bytes meet every beginning.
func TestHTTP2IsNotRewrittenWhenIdle(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("HTTP/1.1 5", 500)
	w := mustWays(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var shift int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &shift)
		_, _ = io.WriteString(w, content[shift:shift+4090])
	}))
	c := speaking(t, nil, h2c)
	for shift := range 10 {
		if got := mustText(t, c, fmt.Sprintf("%s/%d", w.url("plain"), shift)); got != content[shift:shift+4090] {
			t.Fatalf("shift %d: %d bytes", shift, len(got))
		}
	}
}

// A client that waits for leave to send its body gets it.
func TestLeaveToSend(t *testing.T) {
	t.Parallel()
	w := mustWays(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	for _, kind := range kinds {
		conn := w.mustDial(t, kind)
		in := bufio.NewReader(conn)
		for range 2 {
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != http.StatusContinue {
				t.Fatalf("%s: %v %v", kind, res, err)
			}
			_, _ = io.WriteString(conn, "hello")
			res, err = http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(res.Body); string(body) != "hello" {
				t.Errorf("%s: %s %q", kind, res.Status, body)
			}
		}
	}
}
