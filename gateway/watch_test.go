package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// silent is a back end that reads on and never answers; gone tells that it was
// let go.
func silent(gone chan<- struct{}) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		gone <- struct{}{}
	}
}

// mustEdgeH2C is an edge in front of a back end of HTTP/2, with a front of its own.
func mustEdgeH2C(t *testing.T, o edgeOptions, backend http.Handler) (*edge, string, *http.Transport) {
	t.Helper()
	behind := mustH2C(t, backend)
	if o.routes == "" {
		o.routes = "version: 1\nupstreams: {app: {urls: [\"H2C\"], http2: true}}\nroutes: [{name: all, match: {path: /}, upstream: app, timeout: 0s}]\n"
	}
	o.routes = strings.ReplaceAll(o.routes, "H2C", behind.URL)
	e := mustEdge(t, o)
	front := mustH2C(t, telemetry.Handler(NewPublic(e.gateway, nil), telemetry.Options{Metrics: e.Metrics}))
	client := &http.Transport{Protocols: h2c()}
	t.Cleanup(client.CloseIdleConnections)
	return e, front.URL, client
}

// mustStream sends a call whose client keeps saying something, and returns where
// its answer comes.
func mustStream(t *testing.T, client http.RoundTripper, url, token, media string) <-chan *http.Response {
	t.Helper()
	out, in := io.Pipe()
	t.Cleanup(func() { _ = in.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, out)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", media)
	go func() {
		for {
			if _, err := io.WriteString(in, "\x00\x00\x00\x00\x01x"); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	answer := make(chan *http.Response, 1)
	go func() {
		res, err := client.RoundTrip(req)
		if err != nil {
			close(answer)
			return
		}
		answer <- res
	}()
	return answer
}

func mustAnswer(t *testing.T, answer <-chan *http.Response) *http.Response {
	t.Helper()
	select {
	case res := <-answer:
		if res == nil {
			t.Fatal("no answer")
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	case <-time.After(20 * time.Second):
		t.Fatal("the upload has no end")
	}
	return nil
}

// A call that only its client speaks in ends with its token, though there is no
// answer yet: by revocation and by expiry.
func TestCallWithoutAnAnswerEndsWithItsToken(t *testing.T) {
	begun, gone := make(chan struct{}), make(chan struct{}, 1)
	e, url, client := mustEdgeH2C(t, edgeOptions{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		silent(gone)(w, r)
	}))
	for name, c := range map[string]struct {
		token string
		end   func()
	}{
		"revoked": {e.token(t, withJTI("doomed")), func() { e.gateway.Apply(record(revocation.KindJTI, "doomed")) }},
		"expired": {"", func() {}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.token == "" { // 5 s of the leeway of 10 are left
				c.token = e.token(t, func(c map[string]any) { c["exp"] = time.Now().Unix() - 5 })
			}
			answer := mustStream(t, client, url, c.token, "application/grpc+proto; x")
			<-begun
			if n := e.gateway.OpenStreams(); n != 1 {
				t.Fatalf("%d streams", n)
			}
			c.end()
			res := mustAnswer(t, answer)
			if res.StatusCode != 200 || res.Header.Get("Grpc-Status") != "16" || res.Header.Get("Content-Type") != "application/grpc" {
				t.Errorf("%d %v", res.StatusCode, res.Header)
			}
			if rest, err := io.ReadAll(res.Body); len(rest) != 0 || err != nil {
				t.Errorf("%q %v", rest, err)
			}
			select {
			case <-gone:
			case <-time.After(20 * time.Second):
				t.Error("the back end still serves the call")
			}
			testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
		})
	}
}

// One entry throughout: the call that is answered in the meantime is found under
// the place that it took before, and ends with a trailer.
func TestCallKeepsItsPlaceWhenItIsAnswered(t *testing.T) {
	begin := make(chan struct{})
	e, url, client := mustEdgeH2C(t, edgeOptions{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-begin
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "X-One, X-Two")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	answer := mustStream(t, client, url, e.token(t), "application/grpc")
	testkit.MustAwait(t, "indexed", func() bool { return e.gateway.OpenStreams() == 1 })
	close(begin)
	res := mustAnswer(t, answer)
	if n := e.gateway.OpenStreams(); n != 1 {
		t.Fatalf("%d entries", n)
	}
	e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
	if rest, err := io.ReadAll(res.Body); len(rest) != 0 || err != nil || res.Trailer.Get("Grpc-Status") != "16" {
		t.Errorf("%q %v %v", rest, err, res.Trailer)
	}
	testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
}

// The end that comes while the answer's head is on its way leaves neither an open
// stream nor an answer that looks whole.
func TestEndMeetsTheAnswer(t *testing.T) {
	var e *edge
	e, url, client := mustEdgeH2C(t, edgeOptions{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		go e.gateway.Apply(record(revocation.KindJTI, r.Header.Get("X-Token-Jti")))
		w.Header().Set("Content-Type", "application/grpc")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	for n := range 50 {
		res := mustAnswer(t, mustStream(t, client, url, e.token(t, withJTI(fmt.Sprint("n", n))), "application/grpc"))
		_, err := io.ReadAll(res.Body)
		if status := res.Header.Get("Grpc-Status") + res.Trailer.Get("Grpc-Status"); err != nil || status != "16" {
			t.Fatalf("%d: %d status %q %v", n, res.StatusCode, status, err)
		}
	}
	testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
}

// An upload that nobody announced the end of is a stream in the other direction,
// over HTTP/1.1 too, and while the client is silent; one of a known length is not.
func TestUploadWithoutAnEndEndsWithItsToken(t *testing.T) {
	gone := make(chan struct{}, 1)
	e := mustEdge(t, edgeOptions{handler: silent(gone)})
	raw := e.token(t)
	dial := func(framing string) net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n1\r\nx\r\n", raw, framing)
		return c
	}
	known := dial("Content-Length: 100000") // more than is read before the back end hears of it
	c := dial("Transfer-Encoding: chunked")
	testkit.MustAwait(t, "one indexed, two served", func() bool { return e.gateway.OpenStreams() == 1 && len(e.requests()) == 2 })
	e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 401 || !strings.Contains(string(body), "revoked") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	<-gone
	known.Close()
	<-gone
}

// What is answered whole leaves the index with its answer; what the client goes on
// sending after it does not.
func TestAnsweredUploadsLeaveTheIndex(t *testing.T) {
	e, url, client := mustEdgeH2C(t, edgeOptions{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Whole") != "" { // else the answer may be there before the upload's end was read
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(w, "beginning")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	res := mustAnswer(t, mustStream(t, client, url, e.token(t), "text/plain"))
	testkit.MustAwait(t, "indexed", func() bool { return e.gateway.OpenStreams() == 1 })
	e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
	if text, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("a part passes for the whole: %q", text)
	}
	testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
	out, in := io.Pipe()
	go func() { _, _ = io.WriteString(in, "all"); in.Close() }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL, out)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.token(t))
	req.Header.Set("X-Whole", "yes")
	if res, err = http.DefaultTransport.RoundTrip(req); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	defer res.Body.Close()
	testkit.MustAwait(t, "no stream", func() bool { return e.gateway.OpenStreams() == 0 })
}

// gRPC over HTTP/1.1 is none: its client is refused as everybody is. A token that
// is revoked before the call is tied to it gets no further.
func TestLateRefusalSpeaksTheClientsProtocol(t *testing.T) {
	for version, want := range map[int]int{1: 401, 2: 200} {
		var asked int
		state := func(*revocation.Token) revocation.Verdict {
			if asked++; asked > 1 {
				return revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}
			}
			return revocation.Verdict{State: revocation.Clear}
		}
		e, url, client := mustEdgeH2C(t, edgeOptions{check: state}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached the back end") }))
		var through http.RoundTripper = client
		if version == 1 {
			url, through = e.URL, http.DefaultTransport
		}
		res := mustAnswer(t, mustStream(t, through, url, e.token(t), "application/grpc"))
		if res.StatusCode != want || (res.Header.Get("Grpc-Status") == "16") != (want == 200) {
			t.Errorf("HTTP/%d: %d %v", version, res.StatusCode, res.Header)
		}
	}
}

// The limit on a silent body is no obstacle to the end.
func TestSilentUploadEndsBehindTheServersLimit(t *testing.T) {
	gone := make(chan struct{}, 1)
	e := mustEdge(t, edgeOptions{handler: silent(gone)})
	s := server.New(server.Config{BodyIdleTimeout: time.Hour, ShutdownTimeout: time.Second})
	s.Add("front", "127.0.0.1:0", e.gateway)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}()
	c, err := net.Dial("tcp", s.Addr("front").String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n", e.token(t))
	testkit.MustAwait(t, "indexed", func() bool { return e.gateway.OpenStreams() == 1 && len(e.requests()) == 1 })
	e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 401 {
		t.Errorf("%v %v", res, err)
	}
	<-gone
}

// An upload that has come to its end, with an answer that is no stream behind it,
// is a request that was let through: its answer comes whole.
func TestAnswerOfAFinishedUploadComesWhole(t *testing.T) {
	read, ended := make(chan struct{}), make(chan struct{})
	e, url, client := mustEdgeH2C(t, edgeOptions{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "beginning, ")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
		close(read)
		<-ended
		_, _ = io.WriteString(w, "end")
	}))
	out, in := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, out)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.token(t))
	res, err := client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n := e.gateway.OpenStreams(); n != 1 {
		t.Errorf("%d streams while the upload goes on", n)
	}
	_ = in.Close()
	<-read
	e.gateway.Apply(record(revocation.KindJTI, "jti-1"))
	close(ended)
	if text, err := io.ReadAll(res.Body); err != nil || string(text) != "beginning, end" {
		t.Errorf("%q %v", text, err)
	}
}

// An upload may take longer than its token lives; a call and an event stream may
// not.
func TestUploadOutlivesItsToken(t *testing.T) {
	gone := make(chan struct{}, 1)
	e := mustEdge(t, edgeOptions{handler: silent(gone)})
	raw := e.token(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", raw)
	testkit.MustAwait(t, "indexed", func() bool { return e.gateway.OpenStreams() == 1 && len(e.requests()) == 1 })
	e.gateway.Expire()
	if n := e.gateway.OpenStreams(); n != 1 {
		t.Errorf("%d streams: the upload ended with the token's life", n)
	}
	select {
	case <-gone:
		t.Error("the back end lost the upload")
	default:
	}
	_ = c.Close()
	<-gone
}
