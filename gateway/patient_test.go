package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

func overHTTP2(t *testing.T) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// A stream of HTTP/2 that its client does not read, on a connection that is well, keeps no
// place at the back end: neither of a length, nor in chunks, nor as events.
func TestStreamThatIsNotRead(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"], max_in_flight: 1}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {mode: optional}}]\n"
	e := mustEdge(t, edgeOptions{routes: routes, handler: func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/other":
			_, _ = io.WriteString(w, "done")
			return
		case "/length":
			w.Header().Set("Content-Length", "1073741824")
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
		}
		for piece := make([]byte, 32<<10); r.Context().Err() == nil; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}})
	e.gateway.patience = time.Second
	a := &arena{edge: e}
	url := "http://" + a.listen(t)
	for _, path := range []string{"/length", "/chunks", "/events"} {
		for _, auth := range []string{"", "Bearer " + e.token(t)} {
			c := overHTTP2(t)
			ask := func(path string) (*http.Response, error) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if auth != "" {
					r.Header.Set("Authorization", auth)
				}
				return c.Do(r)
			}
			unread, err := ask(path)
			if err != nil || unread.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v, %v", path, unread, err)
			}
			testkit.MustAwait(t, "its place", func() bool {
				return e.gateway.OpenStreams() == 0 && e.gateway.Table().routes[0].Upstream.Status()[0].InFlight == 0
			})
			other, err := ask("/other") // on the same connection
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(other.Body)
			other.Body.Close()
			if string(text) != "done" || err != nil {
				t.Errorf("%s: another stream got %q, %v", path, text, err)
			}
			if _, err := io.Copy(io.Discard, unread.Body); err == nil {
				t.Errorf("%s: a part passed for the whole", path)
			}
			unread.Body.Close()
		}
	}
}

// A handler that has nothing to say, and a client that reads slowly, are no such streams.
func TestQuietAndSlowStreamsAreBorne(t *testing.T) {
	e := mustEdge(t, edgeOptions{handler: func(w http.ResponseWriter, r *http.Request) {
		for range 4 {
			if r.URL.Path == "/quiet" {
				time.Sleep(450 * time.Millisecond)
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 5<<10))
			_ = http.NewResponseController(w).Flush()
		}
	}})
	e.gateway.patience = 300 * time.Millisecond
	url, c := "http://"+(&arena{edge: e}).listen(t), overHTTP2(t)
	for _, path := range []string{"/quiet", "/slow"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+e.token(t))
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if path == "/slow" {
			time.Sleep(700 * time.Millisecond)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != 4*5<<10 || err != nil {
			t.Errorf("%s: %d bytes, %v", path, n, err)
		}
		res.Body.Close()
	}
}
