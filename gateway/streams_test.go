package gateway

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

const streamRoutes = `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - {name: all, match: {path: /}, upstream: app}
  - {name: ws, match: {path: /ws}, upstream: app, websocket: true}
  - {name: kept, match: {path: /kept}, upstream: app, websocket: true, close_streams: false}
`

// streaming is a back end with an event stream and a WebSocket that says hello
// and then echoes bytes.
func streaming(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/sse" {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, "data: hello\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return
	}
	if r.Header.Get("Upgrade") == "" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = conn.Write([]byte{0x81, 5, 'h', 'e', 'l', 'l', 'o'})
	if strings.HasSuffix(r.URL.Path, "/half") {
		_, _ = conn.Write([]byte{0x81, 100, 'x'}) // a frame that does not end
	}
	_, _ = io.Copy(conn, buffered)
}

// socket is a WebSocket client on a raw connection.
type socket struct {
	net.Conn
	*bufio.Reader
	response *http.Response
}

func (s *socket) Read(p []byte) (int, error) { return s.Reader.Read(p) }

func (e *edge) dial(t *testing.T, path string, headers ...string) *socket {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", path)
	for i := 0; i+1 < len(headers); i += 2 {
		fmt.Fprintf(c, "%s: %s\r\n", headers[i], headers[i+1])
	}
	fmt.Fprint(c, "\r\n")
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &socket{c, r, res}
}

// wantHello reads the back end's first frame.
func (s *socket) wantHello(t *testing.T) {
	t.Helper()
	hello := make([]byte, 7)
	if _, err := io.ReadFull(s.Reader, hello); err != nil || string(hello[2:]) != "hello" {
		t.Fatalf("%q %v", hello, err)
	}
}

// wantClosed reads a close frame with its code and reason, then the end.
func (s *socket) wantClosed(t *testing.T, reason string) {
	t.Helper()
	head := make([]byte, 4)
	if _, err := io.ReadFull(s.Reader, head); err != nil {
		t.Fatalf("no close frame: %v", err)
	}
	text := make([]byte, int(head[1])-2)
	if _, err := io.ReadFull(s.Reader, text); err != nil {
		t.Fatal(err)
	}
	if code := binary.BigEndian.Uint16(head[2:]); head[0] != 0x88 || code != 4401 || string(text) != "token "+reason {
		t.Errorf("frame %x code %d text %q", head[0], code, text)
	}
	if n, err := s.Reader.Read(head); err == nil {
		t.Errorf("%d bytes after the close frame", n)
	}
}

// revocations that a test writes while streams are open.
type changing struct {
	mu   sync.Mutex
	gone map[string]bool // jti or sid
}

func (c *changing) check(t *revocation.Token) revocation.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone[t.JTI] || c.gone[t.SID] {
		return revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}
	}
	return revocation.Verdict{State: revocation.Clear}
}

func (c *changing) revoke(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone[id] = true
}

func withJTI(jti string) func(map[string]any) { return func(c map[string]any) { c["jti"] = jti } }

func record(kind revocation.Kind, id string) []revocation.Record {
	return []revocation.Record{{Digest: revocation.DigestOf(issuerName, kind, id), Kind: kind, Cut: time.Now().UnixMicro()}}
}

// A WebSocket and an event stream end when the feed names their token, each in its
// own way; another token's go on.
func TestStreamsEndWithTheirToken(t *testing.T) {
	state := &changing{gone: map[string]bool{}}
	e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming, check: state.check})
	doomed, spared := bearerOf(e.token(t, withJTI("doomed"))), bearerOf(e.token(t, withJTI("spared")))
	a, b := e.dial(t, "/ws", doomed...), e.dial(t, "/ws", spared...)
	a.wantHello(t)
	b.wantHello(t)
	ended := make(chan string, 1)
	go func() {
		res, err := getStream(e.URL+"/sse", doomed)
		if err != nil {
			ended <- err.Error()
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		ended <- fmt.Sprint(res.StatusCode, " ", string(body), err)
	}()
	testkit.MustAwait(t, "three streams", func() bool { return e.gateway.OpenStreams() == 3 })
	state.revoke("doomed")
	e.gateway.Apply(record(revocation.KindJTI, "doomed"))
	a.wantClosed(t, "revoked")
	if got := <-ended; got != "200 data: hello\n\n<nil>" {
		t.Errorf("event stream: %q", got)
	}
	if _, err := b.Write([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	echo := make([]byte, 10)
	if _, err := io.ReadFull(b.Reader, echo); err != nil || string(echo) != "still here" {
		t.Errorf("the other stream: %q %v", echo, err)
	}
	testkit.MustAwait(t, "one stream", func() bool { return e.gateway.OpenStreams() == 1 })
	b.Close()
	testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
	if len(e.gateway.streams.byDigest) != 0 {
		t.Errorf("the index still has %d digests", len(e.gateway.streams.byDigest))
	}
}

func bearerOf(token string) []string { return []string{"Authorization", "Bearer " + token} }

func getStream(url string, headers []string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set(headers[0], headers[1])
	return http.DefaultTransport.RoundTrip(req)
}

// Each kind of revocation finds its streams; a cut-off only those born before.
func TestEveryKindFindsItsStreams(t *testing.T) {
	sid := revocation.NewSessionID(time.Now().UnixMicro())
	e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming})
	for name, records := range map[string][]revocation.Record{
		"jti":     record(revocation.KindJTI, "jti-1"),
		"session": record(revocation.KindSession, sid),
		"subject": record(revocation.KindSubject, "42"),
		"key":     record(revocation.KindKey, e.kid),
		"all":     record(revocation.KindAll, ""),
	} {
		t.Run(name, func(t *testing.T) {
			s := e.dial(t, "/ws", bearerOf(e.token(t, func(c map[string]any) { c["sid"] = sid }))...)
			s.wantHello(t)
			testkit.MustAwait(t, "open", func() bool { return e.gateway.OpenStreams() == 1 })
			undone := records[0]
			undone.Cut = 0
			old := records[0]
			old.Cut = 1
			e.gateway.Apply([]revocation.Record{undone})
			if name == "subject" || name == "all" {
				e.gateway.Apply([]revocation.Record{old})
			}
			if e.gateway.OpenStreams() != 1 {
				t.Fatal("ended by what does not concern it")
			}
			e.gateway.Apply(records)
			s.wantClosed(t, "revoked")
			testkit.MustAwait(t, "closed", func() bool { return e.gateway.OpenStreams() == 0 })
		})
	}
}

// Expiry needs no revocation; a route may opt out of all of it.
func TestStreamsEndAtExpiry(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming})
	soon := func(c map[string]any) { c["exp"] = time.Now().Unix() - 5 } // 5 s of the leeway of 10 left
	s, kept := e.dial(t, "/ws", bearerOf(e.token(t, soon))...), e.dial(t, "/kept", bearerOf(e.token(t, soon))...)
	s.wantHello(t)
	kept.wantHello(t)
	s.wantClosed(t, "expired")
	e.gateway.Apply(record(revocation.KindAll, ""))
	if _, err := kept.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if b, err := kept.ReadByte(); err != nil || b != 'x' {
		t.Errorf("the route that opted out: %q %v", b, err)
	}
}

// In the middle of a frame there is no place for a close frame: the tunnel waits
// a moment for the frame's end and is cut then.
func TestNoCloseFrameWithinAFrame(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming})
	s := e.dial(t, "/ws/half", bearerOf(e.token(t))...)
	s.wantHello(t)
	part := make([]byte, 3)
	if _, err := io.ReadFull(s.Reader, part); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
	rest, _ := io.ReadAll(s.Reader)
	if len(rest) != 0 || time.Since(start) > 10*time.Second {
		t.Errorf("%d bytes after %s: %x", len(rest), time.Since(start), rest)
	}
}

// A revocation that arrives between the verdict and the answer is seen by the
// verdict that follows the registration.
func TestRevokedBetweenVerdictAndAnswer(t *testing.T) {
	state := &changing{gone: map[string]bool{}}
	e := mustEdge(t, edgeOptions{routes: streamRoutes, check: state.check, handler: func(w http.ResponseWriter, r *http.Request) {
		state.revoke("jti-1") // after the gateway has let the request through
		streaming(w, r)
	}})
	if s := e.dial(t, "/ws", bearerOf(e.token(t))...); s.response.StatusCode != 401 {
		t.Errorf("%d", s.response.StatusCode)
	}
	if n := e.gateway.OpenStreams(); n != 0 {
		t.Errorf("%d streams open", n)
	}
}

// A handshake that is no WebSocket's in every part opens no tunnel.
func TestMustHold13_HandshakeIsChecked(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming})
	auth := e.token(t)
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"version 12":    {"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426},
		"no version":    {"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426},
		"two keys":      {"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400},
		"short key":     {"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhl\r\n", 400},
		"POST":          {"POST /ws HTTP/1.1\r\nContent-Length: 0\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400},
		"with a body":   {"GET /ws HTTP/1.1\r\nContent-Length: 1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400},
		"h2c beside it": {"GET /ws HTTP/1.1\r\nUpgrade: websocket, h2c\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426},
	} {
		t.Run(name, func(t *testing.T) {
			c1, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c1.Close()
			_ = c1.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprintf(c1, "%sHost: h\r\nConnection: Upgrade\r\nAuthorization: Bearer %s\r\n\r\n", c.request, auth)
			res, err := http.ReadResponse(bufio.NewReader(c1), nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != c.status {
				t.Errorf("%d, want %d", res.StatusCode, c.status)
			}
		})
	}
	for _, r := range e.requests() {
		if r.Header.Get("Upgrade") != "" {
			t.Errorf("an upgrade reached the back end: %v", r.Header)
		}
	}
}

// The subprotocol that carried the token is chosen where the back end chose none:
// a browser ends a connection whose offer was not taken up.
func TestSubprotocolIsAnswered(t *testing.T) {
	e := mustEdge(t, edgeOptions{handler: streaming, routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: ws, match: {path: /}, upstream: app, websocket: true, auth: {token_from: [websocket-protocol]}}]\n"})
	s := e.dial(t, "/ws", "Sec-WebSocket-Protocol", "bearer, "+e.token(t))
	if s.response.StatusCode != 101 || s.response.Header.Get("Sec-WebSocket-Protocol") != "bearer" {
		t.Errorf("%d %v", s.response.StatusCode, s.response.Header)
	}
	if got := e.requests()[0].Header.Get("Sec-WebSocket-Protocol"); got != "" {
		t.Errorf("the back end saw %q", got)
	}
}
