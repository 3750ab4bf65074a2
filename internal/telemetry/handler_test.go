package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate/internal/telemetry"
)

// logged is a handler under test with what it logged.
type logged struct {
	http.Handler
	buf bytes.Buffer
}

func newLogged(t *testing.T, o telemetry.Options, h http.HandlerFunc) *logged {
	t.Helper()
	l := &logged{}
	log, err := telemetry.NewLogger(&l.buf, telemetry.LogOptions{Format: "json", Level: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	o.Log = log
	l.Handler = telemetry.Handler(h, o)
	return l
}

// lines returns the log lines with this message.
func (l *logged) lines(t *testing.T, msg string) []map[string]any {
	t.Helper()
	var out []map[string]any
	dec := json.NewDecoder(bytes.NewReader(l.buf.Bytes()))
	for {
		var line map[string]any
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatalf("log is not JSON lines: %v\n%s", err, l.buf.String())
		}
		if line["msg"] == msg {
			out = append(out, line)
		}
	}
}

// access returns the one access line.
func (l *logged) access(t *testing.T) map[string]any {
	t.Helper()
	lines := l.lines(t, "request")
	if len(lines) != 1 {
		t.Fatalf("%d access lines, want 1:\n%s", len(lines), l.buf.String())
	}
	return lines[0]
}

// serve runs one request and hands the answer back, and what the handler panicked
// with.
func (l *logged) serve(r *http.Request) (res *http.Response, panicked any) {
	rec := httptest.NewRecorder()
	func() {
		defer func() { panicked = recover() }()
		l.ServeHTTP(rec, r)
	}()
	return rec.Result(), panicked
}

// clock returns a clock that moves by step at each look.
func clock(step time.Duration) func() time.Time {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return func() time.Time { now = now.Add(step); return now }
}

var hexID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func TestAccessLine(t *testing.T) {
	l := newLogged(t, telemetry.Options{Access: true, Now: clock(1500 * time.Microsecond)},
		func(w http.ResponseWriter, r *http.Request) {
			rec := telemetry.From(w)
			rec.Route, rec.Decision, rec.Reason = "shop-api", telemetry.Deny, "expired"
			rec.Subject, rec.JTI, rec.KeyID, rec.Upstream = "42", "j1", "k1", "shop"
			r.URL.Path, r.Method = "/changed", "CHANGED" // a handler may do that
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "no entry")
		})
	r := httptest.NewRequest("GET", "/api/items?token=secret", nil)
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("X-Request-Id", "client-1.A_b")
	res, _ := l.serve(r)
	id := res.Header.Get("X-Request-Id")
	if !hexID.MatchString(id) {
		t.Errorf("X-Request-Id %q", id)
	}
	want := map[string]any{
		"level": "INFO", "msg": "request", "route": "shop-api", "method": "GET", "path": "/api/items",
		"status": 401.0, "duration_ms": 1.5, "bytes": 8.0, "decision": "deny", "reason": "expired",
		"request_id": id, "client_request_id": "client-1.A_b", "sub": "42", "jti": "j1", "kid": "k1",
		"remote": "192.0.2.7", "upstream": "shop",
	}
	ignoreTime := cmpopts.IgnoreMapEntries(func(k string, _ any) bool { return k == "time" })
	if diff := cmp.Diff(want, l.access(t), ignoreTime); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestAccessLineOfAnUntouchedRecord(t *testing.T) {
	l := newLogged(t, telemetry.Options{Access: true, Remote: func(*http.Request) string { return "198.51.100.1" }},
		func(http.ResponseWriter, *http.Request) {})
	if res, _ := l.serve(httptest.NewRequest("BREW", "/", nil)); res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
	line := l.access(t)
	for k, want := range map[string]any{
		"route": "none", "decision": "none", "status": 200.0, "bytes": 0.0, "method": "BREW", "remote": "198.51.100.1",
	} {
		if line[k] != want {
			t.Errorf("%s = %v, want %v", k, line[k], want)
		}
	}
	for _, k := range []string{"reason", "sub", "jti", "kid", "client_request_id", "error", "aborted", "upstream"} {
		if v, ok := line[k]; ok {
			t.Errorf("%s = %v without a value", k, v)
		}
	}
}

func TestClientRequestID(t *testing.T) {
	tests := []struct {
		name string
		sent []string
		kept string
	}{
		{"none", nil, ""},
		{"plain", []string{"abc-DEF_1.2"}, "abc-DEF_1.2"},
		{"longest", []string{strings.Repeat("x", 64)}, strings.Repeat("x", 64)},
		{"too long", []string{strings.Repeat("x", 65)}, ""},
		{"empty", []string{""}, ""},
		{"line break", []string{"a\nlevel=ERROR"}, ""},
		{"blank", []string{"a b"}, ""},
		{"slash", []string{"a/b"}, ""},
		{"not ASCII", []string{"ä"}, ""},
		{"two", []string{"a", "b"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLogged(t, telemetry.Options{Access: true}, func(w http.ResponseWriter, _ *http.Request) {
				if got := telemetry.From(w).ClientRequestID; got != tt.kept {
					t.Errorf("record has %q", got)
				}
			})
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Request-Id"] = tt.sent
			res, _ := l.serve(r)
			if got := res.Header["X-Request-Id"]; len(got) != 1 || !hexID.MatchString(got[0]) {
				t.Errorf("answer has %q", got)
			}
			if got, _ := l.access(t)["client_request_id"].(string); got != tt.kept {
				t.Errorf("line has %q, want %q", got, tt.kept)
			}
		})
	}
}

func TestPathInTheLine(t *testing.T) {
	const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
	tests := []struct{ target, want string }{
		{"/a/b?c=d", "/a/b"},
		{"/a%0Ab%1b", "/a%0Ab%1b"},
		{"/%e4", "/%e4"},
		{"/ä", "/%C3%A4"},
		{"/monkeyJump/keyJobs", "/monkeyJump/keyJobs"},
		{"/reset/" + jwt, "/reset/***"},
		{"/" + strings.Repeat("x", 300), "/" + strings.Repeat("x", 255)},
		{"http://user:pass@h/abs?x", "/abs"},
	}
	for _, tt := range tests {
		t.Run(tt.want[:min(len(tt.want), 20)], func(t *testing.T) {
			l := newLogged(t, telemetry.Options{Access: true}, func(http.ResponseWriter, *http.Request) {})
			l.serve(httptest.NewRequest("GET", tt.target, nil))
			if got := l.access(t)["path"]; got != tt.want {
				t.Errorf("path %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAccessOff(t *testing.T) {
	fail := false
	l := newLogged(t, telemetry.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		rec := telemetry.From(w)
		rec.Decision, rec.Error = telemetry.Deny, "the token was revoked" // refusals leave no line
		if fail {
			rec.Decision, rec.Error = telemetry.Error, "dial tcp: connection refused"
		}
	})
	l.serve(httptest.NewRequest("GET", "/", nil))
	if l.buf.Len() > 0 {
		t.Errorf("logged: %s", l.buf.String())
	}
	fail = true
	l.serve(httptest.NewRequest("GET", "/", nil))
	if got := l.access(t)["error"]; got != "dial tcp: connection refused" {
		t.Errorf("error %q", got)
	}
}

func TestPanicBeforeTheAnswer(t *testing.T) {
	l := newLogged(t, telemetry.Options{Access: true}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		panic("lost the plot")
	})
	res, p := l.serve(httptest.NewRequest("GET", "/x", nil))
	if p != nil {
		t.Errorf("panicked on with %v", p)
	}
	if res.StatusCode != 500 || res.Header.Get("Set-Cookie") != "" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("answer %d %v", res.StatusCode, res.Header)
	}
	line := l.access(t)
	if line["status"] != 500.0 || line["decision"] != "error" || line["error"] != "panic: lost the plot" {
		t.Errorf("line %v", line)
	}
	if line["request_id"] != res.Header.Get("X-Request-Id") {
		t.Errorf("ids differ: %v", res.Header)
	}
	stack := l.lines(t, "panic")
	if len(stack) != 1 || !strings.Contains(stack[0]["stack"].(string), "TestPanicBeforeTheAnswer") {
		t.Errorf("stack not logged: %v", stack)
	}
}

func TestPanicAfterTheAnswerBegan(t *testing.T) {
	l := newLogged(t, telemetry.Options{Access: true}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic(fmt.Errorf("broke"))
	})
	_, p := l.serve(httptest.NewRequest("GET", "/", nil))
	if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		t.Errorf("panicked on with %v: the client takes the half for the whole", p)
	}
	if line := l.access(t); line["status"] != 200.0 || line["aborted"] != true || line["decision"] != "error" {
		t.Errorf("line %v", line)
	}
}

func TestAbortHandlerGoesOn(t *testing.T) {
	for name, p := range map[string]any{
		"plain": http.ErrAbortHandler, "wrapped": fmt.Errorf("copy: %w", http.ErrAbortHandler),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogged(t, telemetry.Options{Access: true}, func(http.ResponseWriter, *http.Request) { panic(p) })
			_, got := l.serve(httptest.NewRequest("GET", "/", nil))
			if err, ok := got.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				t.Errorf("panicked on with %v", got)
			}
			if line := l.access(t); line["aborted"] != true || line["status"] != 0.0 {
				t.Errorf("line %v", line)
			}
			if len(l.lines(t, "panic")) != 0 {
				t.Error("an abort is no panic to log")
			}
		})
	}
}

// TestNoSecretIsLogged sends secrets by every way that a request has and greps
// the whole log for them.
func TestNoSecretIsLogged(t *testing.T) {
	const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
	secrets := []string{jwt, "hunter2", "cookie-secret", "query-secret", "body-secret", "user-secret", "basic-secret"}
	for _, panics := range []bool{false, true} {
		l := newLogged(t, telemetry.Options{Access: true}, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			rec := telemetry.From(w)
			rec.Error = `Get "http://basic:basic-secret@shop/x?q=query-secret": bad token ` + jwt
			w.Header().Set("Set-Cookie", "s=cookie-secret")
			_, _ = w.Write(body)
			if panics {
				panic("token " + r.Header.Get("Authorization"))
			}
		})
		r := httptest.NewRequest("POST", "http://u:user-secret@host/login?token=query-secret#f", strings.NewReader("password=body-secret"))
		r.Header.Set("Authorization", "Bearer "+jwt)
		r.Header.Set("Cookie", "access=cookie-secret")
		r.Header.Set("X-Password", "hunter2")
		r.Header.Set("X-Request-Id", "hunter2 "+jwt)
		l.serve(r)
		for _, s := range secrets {
			if strings.Contains(l.buf.String(), s) {
				t.Errorf("panics=%v: %q is in the log:\n%s", panics, s, l.buf.String())
			}
		}
	}
}

// TestRealServer runs the handler where connections are real: what a client sees
// of an aborted answer, of a tunnel, and of a kept-alive connection after a panic.
func TestRealServer(t *testing.T) {
	l := newLogged(t, telemetry.Options{Access: true}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tunnel":
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Errorf("hijack: %v", err)
				return
			}
			defer conn.Close()
			_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			_ = rw.Flush()
		case "/half":
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	done := make(chan struct{}, 4)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { done <- struct{}{} }()
		l.ServeHTTP(w, r)
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer srv.Close()

	res, err := http.Get(srv.URL + "/half")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(res.Body); err == nil {
		t.Error("a half answer looked whole")
	}
	res.Body.Close()
	<-done

	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	if answer, _ := io.ReadAll(conn); !bytes.HasPrefix(answer, []byte("HTTP/1.1 101")) {
		t.Errorf("tunnel: %q", answer)
	}
	<-done

	lines := l.lines(t, "request")
	if len(lines) != 2 || lines[0]["aborted"] != true || lines[1]["status"] != 101.0 {
		t.Errorf("lines: %v", lines)
	}
}

// TestAccessSample: of what is let through one in many leaves a line, of the rest each.
func TestAccessSample(t *testing.T) {
	l := newLogged(t, telemetry.Options{Access: true, Sample: 1_000_000_000}, func(w http.ResponseWriter, r *http.Request) {
		rec := telemetry.From(w)
		switch r.URL.Path {
		case "/deny":
			rec.Decision, rec.Reason = telemetry.Deny, "expired"
		case "/report":
			rec.Decision = telemetry.Report
		case "/error":
			rec.Decision = telemetry.Error
		case "/gone":
			w.WriteHeader(404)
		case "/allow":
			rec.Decision = telemetry.Allow
		}
	})
	for _, path := range []string{"/allow", "/deny", "/nothing", "/report", "/error", "/gone"} {
		if _, p := l.serve(httptest.NewRequest("GET", path, nil)); p != nil {
			t.Fatal(p)
		}
	}
	var shown []string
	for _, line := range l.lines(t, "request") {
		shown = append(shown, fmt.Sprint(line["path"]))
	}
	if got, want := strings.Join(shown, " "), "/deny /report /error /gone"; got != want {
		t.Errorf("lines of %s, want %s", got, want)
	}
}
