package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
)

func TestHeaderLimits(t *testing.T) {
	s := server.New(server.Config{ReadHeaderTimeout: time.Second, MaxHeaderBytes: 1024})
	s.Add("public", "127.0.0.1:0", text("x"))
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()

	req, err := http.NewRequestWithContext(t.Context(), "GET", r.url("public"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("x", 8192))
	res, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("8 KiB of header: %d", res.StatusCode)
	}

	conn, err := net.Dial("tcp", r.Addr("public").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n") // and nothing more
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("a slow header was not ended: %v", err)
	}
}

// TestHeaderBytes: the longest header is as long as the setting says, to the byte,
// whoever of the two has read it.
func TestHeaderBytes(t *testing.T) {
	for _, limit := range []int{1 << 10, 6 << 10, 16 << 10} {
		s := server.New(server.Config{MaxHeaderBytes: limit})
		s.Add("admin", "127.0.0.1:0", text("x"))
		s.AddPublic("public", "127.0.0.1:0", text("x"), nil)
		r := mustRun(t, s)
		for _, listener := range []string{"admin", "public"} {
			for more, want := range map[int]string{0: "200 OK", 1: "431 Request Header Fields Too Large", 2000: "431 Request Header Fields Too Large"} {
				const head = "GET /path?q=1 HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nConnection: close\r\nX-Long: "
				got := ask(t, r.Addr(listener).String(), head+strings.Repeat("x", limit+more-len(head)-len("\r\n\r\n"))+"\r\n\r\n")
				if got != "HTTP/1.1 "+want {
					t.Errorf("%s: %d bytes of %d: %q, want %q", listener, limit+more, limit, got, want)
				}
			}
		}
		r.stop()
		_ = r.mustEnd()
	}
}

// ask returns the first line of the answer to what is sent.
func ask(t *testing.T, addr, send string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, send)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestOptionsStarReachesTheHandler(t *testing.T) {
	s := server.New(server.Config{})
	s.Add("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.Path)
		w.WriteHeader(http.StatusBadRequest)
	}))
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	conn, err := net.Dial("tcp", r.Addr("public").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400") || !strings.Contains(string(answer), "X-Path: *") {
		t.Errorf("answer: %q", answer)
	}
}

func TestHeaderFields(t *testing.T) {
	t.Parallel()
	f := mustFiles(t, "a.example")
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", text("let in"), nil)
	s.AddPublic("tls", "127.0.0.1:0", text("let in"), f.mustLoad(nil))
	s.Add("admin", "127.0.0.1:0", text("let in"))
	s.AddLast("ops", "127.0.0.1:0", text("let in"))
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	one := func(i int) string { return fmt.Sprintf("X-%d: y\r\n", i) }
	same := func(int) string { return "X-Same: y\r\n" }
	for _, tt := range []struct {
		name  string
		field func(int) string
		n     int // Host is not among them
		want  string
	}{
		{"few", one, 3, "200"}, {"as many as may be", one, 100, "200"}, {"one too many", one, 101, "431"},
		{"one name", same, 100, "200"}, {"one name too often", same, 101, "431"}, {"very many", same, 1500, "431"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := "GET / HTTP/1.1\r\nHost: x\r\n"
			for i := range tt.n {
				head += tt.field(i)
			}
			answer := mustRaw(t, r, head+"\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 "+tt.want) || strings.Contains(answer, "let in") != (tt.want == "200") {
				t.Errorf("answer %q", answer)
			}
			if closed := strings.Contains(answer, "Connection: close"); closed != (tt.want == "431") {
				t.Errorf("connection closed: %t", closed)
			}
		})
	}
	for url, c := range map[string]*http.Client{
		r.tlsURL("tls"): speaking(t, f.trusting(), h2), r.url("public"): speaking(t, nil, h2c),
		r.url("admin"): speaking(t, nil, http1), r.url("ops"): speaking(t, nil, http1),
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 98 {
			req.Header.Set(fmt.Sprintf("X-%d", i), "y")
		}
		for _, want := range []int{200, 431} { // with User-Agent and Accept-Encoding: 100
			res, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s: %d, want %d", url, res.StatusCode, want)
			}
			req.Header.Set("X-One-More", "y")
		}
	}
}

// Over HTTP/2 a browser may send each cookie as a field of its own; they are one.
func TestCookieCrumbsAreOneField(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := len(r.Cookies()); n != 150 || len(r.Header["Cookie"]) != 1 {
			t.Errorf("%d cookies in %d fields", n, len(r.Header["Cookie"]))
		}
	}), nil)
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	block := getRoot
	for range 150 {
		block += "\x0f\x11\x03a=b" // without indexing, name 32: cookie
	}
	conn := mustDial(t, r)
	_, _ = io.WriteString(conn, preface+frame(settings, 0, 0, "")+frame(headers, endStream|endHeader, 1, block))
	if status := mustStatus(t, conn); status != "\x88" { // :status 200 of the static table
		t.Errorf("answered %x", status)
	}
}

// What stands before every handler costs a request without a body nothing.
func TestLimitsDoNotAllocate(t *testing.T) {
	s := server.New(server.Config{})
	s.AddPublic("public", "", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	h, w := s.Handler("public"), httptest.NewRecorder()
	get := httptest.NewRequest("GET", "/", nil)
	for i := range 20 {
		get.Header.Set(fmt.Sprintf("X-%d", i), "y")
	}
	over2 := get.Clone(t.Context())
	over2.ProtoMajor, over2.Body = 2, io.NopCloser(strings.NewReader("")) // HTTP/2 has a reader where there is no body
	for name, r := range map[string]*http.Request{"HTTP/1.1": get, "HTTP/2": over2} {
		if n := testing.AllocsPerRun(1000, func() { h.ServeHTTP(w, r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkLimits(b *testing.B) {
	s := server.New(server.Config{})
	s.AddPublic("public", "", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), nil)
	h, w := s.Handler("public"), httptest.NewRecorder()
	for _, body := range []string{"", "body"} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		for i := range 12 {
			r.Header.Set(fmt.Sprintf("X-%d", i), "y")
		}
		if body == "" {
			r.Body = http.NoBody
		}
		b.Run("body="+body, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
