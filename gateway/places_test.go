package gateway

import (
	"bufio"
	"context"
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

// Whatever becomes of a request, its places are given back: those in flight at the
// upstream and its target, and those in the index of streams.
func TestPlacesAreGivenBack(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"], max_in_flight: 1}}\nroutes: [{name: all, match: {path: /}, upstream: app, timeout: 1s, limits: {body: 100KiB}, auth: {mode: optional}}]\n"
	hold := make(chan struct{})
	defer close(hold)
	e := mustEdge(t, edgeOptions{routes: routes, handler: func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		switch path := strings.TrimPrefix(r.URL.Path, "/"); path {
		case "ok":
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		case "silence":
			select {
			case <-hold:
			case <-time.After(2 * time.Second):
			}
		case "garbage":
			fmt.Fprint(conn, "garbage\r\n\r\n")
		case "half":
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
		case "chunk":
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
		case "early":
			fmt.Fprint(conn, "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		case "switch":
			fmt.Fprint(conn, "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		case "continue":
			fmt.Fprint(conn, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		case "hints":
			fmt.Fprint(conn, strings.Repeat("HTTP/1.1 103 Early\r\n\r\n", 9))
		case "events", "drip":
			kind := "text/plain"
			if path == "events" {
				kind = "text/event-stream"
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", kind)
			for {
				if _, err := fmt.Fprint(conn, "1\r\nx\r\n"); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}
	}})
	a := &arena{edge: e}
	addr := a.listen(t)
	up := func() int { return e.gateway.Table().routes[0].Upstream.Status()[0].InFlight }
	bearer := "Authorization: Bearer " + e.token(t) + "\r\n"
	for name, raw := range map[string]string{
		"an answer":             "GET /ok HTTP/1.1\r\nHost: h\r\n",
		"none":                  "GET /nothing HTTP/1.1\r\nHost: h\r\n",
		"silence":               "GET /silence HTTP/1.1\r\nHost: h\r\n",
		"garbage":               "GET /garbage HTTP/1.1\r\nHost: h\r\n",
		"half an answer":        "GET /half HTTP/1.1\r\nHost: h\r\n",
		"a broken chunk":        "GET /chunk HTTP/1.1\r\nHost: h\r\n",
		"a switch":              "GET /switch HTTP/1.1\r\nHost: h\r\n",
		"hints for ever":        "GET /hints HTTP/1.1\r\nHost: h\r\n",
		"events":                "GET /events HTTP/1.1\r\nHost: h\r\n",
		"a drip":                "GET /drip HTTP/1.1\r\nHost: h\r\n",
		"half a body":           "POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
		"half a long body":      "POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\nhalf",
		"half a chunk":          "POST /ok HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
		"a broken chunk of it":  "POST /ok HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf",
		"a body too long":       "POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\nhalf",
		"an early answer":       "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\nhalf",
		"an early one to less":  "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\nhalf",
		"nothing to continue":   "POST /ok HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n",
		"a continued one":       "POST /continue HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
		"a switch asked for":    "GET /switch HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"silence, not ordinary": "GET /silence HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTE: trailers\r\n",
	} {
		for _, auth := range []string{"", bearer} {
			for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
				text := strings.Replace(raw, "Host: h\r\n", "Host: h\r\n"+auth, 1)
				if !strings.Contains(raw, "\r\n\r\n") {
					text += "\r\n"
				}
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprint(c, text)
				time.Sleep(wait) // the client leaves at once, or in the middle
				c.Close()
				testkit.MustAwait(t, "the places of "+name, func() bool { return up() == 0 && e.gateway.OpenStreams() == 0 })
			}
		}
	}
	if res, body := e.get(t, "GET", "/ok"); res.StatusCode != http.StatusOK || body != "ok" {
		t.Errorf("%d %q at the end", res.StatusCode, body)
	}
}

// A stop in a crowd: what is under way is answered, to the last request, and clients that
// wait for nothing do not hold the end up.
func TestStopInACrowd(t *testing.T) {
	const crowd, resting = 300, 1000
	var come atomic.Int64
	let := make(chan struct{})
	e := mustEdge(t, edgeOptions{routes: public(""), handler: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			come.Add(1)
			<-let
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("n"))
	}})
	s := server.New(server.Config{ShutdownTimeout: time.Minute})
	s.AddPublic("public", "127.0.0.1:0", NewPublic(e.gateway, nil), nil)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	addr := s.Addr("public").String()
	ask := func(c net.Conn, path string, n int) error {
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(c, "GET %s?n=%d HTTP/1.1\r\nHost: h\r\n\r\n", path, n)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if text, err := io.ReadAll(res.Body); err != nil || string(text) != fmt.Sprint(n) {
			return fmt.Errorf("%d %q %w", res.StatusCode, text, err)
		}
		return nil
	}
	for range resting {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	var all sync.WaitGroup
	for n := range crowd {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := ask(c, "/quick", n); err != nil {
				t.Error(err)
			}
			if err := ask(c, "/slow", n); err != nil {
				t.Errorf("a request under way: %v", err)
			}
		})
	}
	testkit.MustAwait(t, "the crowd", func() bool { return come.Load() == crowd })
	stop()
	testkit.MustAwait(t, "draining", s.Draining)
	close(let)
	all.Wait()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the end does not come")
	}
}
