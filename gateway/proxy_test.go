package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func mustRequest(t *testing.T, path string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
}

func public(extra string) string {
	return "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {mode: none}" + extra + "}]\n"
}

func TestProxyFailures(t *testing.T) {
	t.Run("upstream away", func(t *testing.T) {
		e := mustEdge(t, edgeOptions{routes: public("")})
		e.Backend.Close()
		if res, body := e.get(t, "GET", "/"); res.StatusCode != 502 || strings.Contains(body, "127.0.0.1") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
		e.wantLine(t, map[string]any{"decision": "error", "status": 502.0})
	})
	t.Run("first byte too late", func(t *testing.T) {
		release := make(chan struct{})
		e := mustEdge(t, edgeOptions{routes: public(", timeout: 50ms"), handler: func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}})
		defer close(release)
		if res, _ := e.get(t, "GET", "/"); res.StatusCode != 504 {
			t.Errorf("%d", res.StatusCode)
		}
	})
	t.Run("slow body is no timeout", func(t *testing.T) {
		e := mustEdge(t, edgeOptions{routes: public(", timeout: 600ms"), handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(900 * time.Millisecond)
			_, _ = io.WriteString(w, "b")
		}})
		if res, body := e.get(t, "GET", "/"); res.StatusCode != 200 || body != "ab" {
			t.Errorf("%d %q", res.StatusCode, body)
		}
	})
	t.Run("not HTTP", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "SSH-2.0-x\r\n\r\n")
				c.Close()
			}
		}()
		e := mustEdge(t, edgeOptions{routes: strings.ReplaceAll(public(""), "BACKEND", "http://"+l.Addr().String())})
		if res, _ := e.get(t, "GET", "/"); res.StatusCode != 502 {
			t.Errorf("%d", res.StatusCode)
		}
	})
}

// The client leaves: the request to the back end is cancelled with it.
func TestClientGoneCancelsUpstream(t *testing.T) {
	cancelled := make(chan struct{})
	entered := make(chan struct{})
	e := mustEdge(t, edgeOptions{routes: public(""), handler: func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(cancelled)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", e.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-entered; cancel() }()
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
		t.Fatal("an answer came")
	}
	select {
	case <-cancelled:
	case <-time.After(20 * time.Second):
		t.Fatal("the upstream request went on")
	}
}

// A malformed body is the client's 400, not the upstream's 502.
func TestMustHold14_MalformedBodyIsTheClients(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: public(""), handler: func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }})
	c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 400 {
		t.Errorf("%d", res.StatusCode)
	}
}

// An upgrade is not the client's to ask for on an ordinary route: no tunnel
// opens, and no byte behind the request reaches the back end.
func TestMustHold13_NoTunnelOnAnOrdinaryRoute(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: public("")})
	for _, upgrade := range []string{"websocket", "h2c", "TLS/1.0", "x"} {
		before := len(e.requests())
		c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(c, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHTTP2-Settings: x\r\n\r\n", upgrade)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		c.Close()
		if res.StatusCode != 200 {
			t.Errorf("%s: %d", upgrade, res.StatusCode)
		}
		if h := e.requests()[before].Header; h.Get("Upgrade") != "" || h.Get("Connection") != "" {
			t.Errorf("%s reached the back end: %v", upgrade, h)
		}
	}
}
