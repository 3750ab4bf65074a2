package server_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
)

func TestHeaderLimits(t *testing.T) {
	s := server.New(server.Config{ReadHeaderTimeout: 50 * time.Millisecond, MaxHeaderBytes: 1024})
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
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("a slow header was not ended: %v", err)
	}
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
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400") || !strings.Contains(string(answer), "X-Path: *") {
		t.Errorf("answer: %q", answer)
	}
}
