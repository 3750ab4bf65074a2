package upstream

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestLateBodyByNetHTTP: a body that must not come is never the next request's answer,
// also when it comes a little late and net/http has the connection.
func TestLateBodyByNetHTTP(t *testing.T) {
	for name, row := range map[string]struct{ method, head string }{
		"HEAD":            {http.MethodHead, "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n"},
		"HEAD in chunks":  {http.MethodHead, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		"304 of a length": {http.MethodGet, "HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
				if r.URL.Path != "/first" {
					return write(c, answerOK)
				}
				write(c, row.head)
				time.Sleep(20 * time.Millisecond)
				return write(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
			})
			u := mustUpstream(t, Config{URLs: []string{b.URL}})
			u.rest = 30 * time.Second // what is looked for comes sooner
			for range 5 {
				if _, err := ask(u, request(t, row.method, "/first", "")); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					mustGet(t, u, "ok")
				}
			}
		})
	}
}

// TestConnectionsRest: one on which nothing came serves again.
func TestConnectionsRest(t *testing.T) {
	b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
		if r.Method == http.MethodHead {
			return write(c, "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n")
		}
		_, _ = io.Copy(io.Discard, r.Body)
		return write(c, answerOK)
	})
	u := mustUpstream(t, Config{URLs: []string{b.URL}})
	for range 5 {
		if _, err := ask(u, request(t, http.MethodHead, "/", "")); err != nil {
			t.Fatal(err)
		}
		mustGet(t, u, "ok")
		if got, err := ask(u, request(t, http.MethodPost, "/", "body")); err != nil || got != "ok" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := b.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
