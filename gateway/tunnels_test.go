package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// switching is a back end that answers every request by a 101, asked or not.
func switching(protocol string, then func(net.Conn, *bufio.ReadWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol)
		then(conn, buffered)
	}
}

func untilClosed(conn net.Conn, _ *bufio.ReadWriter) { _, _ = io.Copy(io.Discard, conn) }

// A 101 that nobody asked for, or to another protocol, is the back end's fault; it
// takes neither a place among the requests in flight nor one in the index.
func TestUnaskedSwitchIsNoTunnel(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"], max_in_flight: 1}}\nroutes: [{name: all, match: {path: /}, upstream: app, websocket: true}]\n"
	for _, protocol := range []string{"websocket", "h2c"} {
		e := mustEdge(t, edgeOptions{routes: routes, handler: switching(protocol, untilClosed)})
		for range 3 {
			if res, _ := e.get(t, "GET", "/", bearerOf(e.token(t))...); res.StatusCode != http.StatusBadGateway {
				t.Errorf("%s: %d", protocol, res.StatusCode)
			}
		}
		if n := e.gateway.OpenStreams(); n != 0 {
			t.Errorf("%s: %d streams open", protocol, n)
		}
	}
}

// The back end leaves: the tunnel ends, whether the client does or not, and its
// place is free for the next.
func TestBackEndLeavesTheTunnel(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"], max_in_flight: 1}}\nroutes: [{name: all, match: {path: /}, upstream: app, websocket: true, auth: {mode: optional}}]\n"
	e := mustEdge(t, edgeOptions{routes: routes, handler: switching("websocket", func(net.Conn, *bufio.ReadWriter) {})})
	for _, auth := range [][]string{nil, bearerOf(e.token(t)), nil} {
		s := e.dial(t, "/", auth...)
		testkit.MustAwait(t, "its place", func() bool {
			if s.response.StatusCode == http.StatusServiceUnavailable { // the one before has not left yet
				s = e.dial(t, "/", auth...)
			}
			return s.response.StatusCode != http.StatusServiceUnavailable
		})
		if s.response.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%d", s.response.StatusCode)
		}
		if rest, err := io.ReadAll(s.Reader); len(rest) != 0 {
			t.Errorf("%d bytes, %v", len(rest), err)
		}
		testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
	}
}

// A client that takes nothing, and a frame that does not end, keep no tunnel open
// beyond its token, and the client's own direction ends with it.
func TestTunnelIsCutBehindABlockedReader(t *testing.T) {
	for name, send := range map[string]func(net.Conn) error{
		"client takes nothing": func(c net.Conn) error {
			_, err := c.Write(append([]byte{0x82, 126, 0xff, 0xff}, make([]byte, 65535)...))
			return err
		},
		"endless frame": func(c net.Conn) error {
			time.Sleep(20 * time.Millisecond)
			_, err := c.Write(make([]byte, 10))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: switching("websocket", func(conn net.Conn, _ *bufio.ReadWriter) {
				if name == "endless frame" {
					_, _ = conn.Write([]byte{0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0})
				}
				go func() {
					_, _ = io.Copy(io.Discard, conn) // the client's direction
					close(gone)
				}()
				var err error
				for err == nil {
					err = send(conn)
				}
				<-gone
			})})
			s := e.dial(t, "/ws", bearerOf(e.token(t))...)
			time.Sleep(300 * time.Millisecond) // buffers fill
			e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
			select {
			case <-gone:
			case <-time.After(20 * time.Second):
				t.Error("the back end still hears the client")
			}
			s.Close()
		})
	}
}

// An upload may take longer than the wait for the first byte: while it flows the
// back end is not late. Afterwards it is.
func TestUploadIsNotTheUpstreamsDelay(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	e := mustEdge(t, edgeOptions{routes: public(", timeout: 600ms"), handler: func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/never" {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		fmt.Fprint(w, n)
	}})
	for path, want := range map[string]int{"/": 200, "/never": 504} {
		body, feed := io.Pipe()
		go func() {
			for range 8 {
				_, _ = feed.Write([]byte("piece"))
				time.Sleep(120 * time.Millisecond)
			}
			feed.Close()
		}()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// No carrier's token goes further than the gateway where a back end would log it,
// whichever carrier decided.
func TestEveryCarrierIsScrubbed(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, report_only: true, auth: {token_from: [header, \"query:tok\"]}}]\n"
	e := mustEdge(t, edgeOptions{routes: routes})
	e.get(t, "GET", "/?tok=query-secret&a=1", bearerOf(e.token(t))...)
	e.get(t, "GET", "/?tok=query-secret&tok=query-secret&a=1")
	for _, r := range e.requests() {
		if strings.Contains(r.RequestURI, "query-secret") || !strings.Contains(r.RequestURI, "a=1") {
			t.Errorf("the back end saw %s", r.RequestURI)
		}
	}
	if len(e.requests()) != 2 {
		t.Errorf("%d requests", len(e.requests()))
	}
}
