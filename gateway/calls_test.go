package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// mustH2C starts a server of HTTP/2 with prior knowledge.
func mustH2C(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = h2c()
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func h2c() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// calls is a gRPC back end: it answers the first message, and then ends the call
// (/early) or waits for more.
func calls(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/grpc+proto")
	p := make([]byte, 5)
	if _, err := io.ReadFull(r.Body, p); err != nil {
		return
	}
	_, _ = w.Write(p)
	_ = http.NewResponseController(w).Flush()
	if r.URL.Path == "/early" {
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "9")
		return
	}
	<-r.Context().Done()
}

// A call has two halves. That its client keeps its own open must not hold up the
// end of the other: neither the back end's status nor that of a revocation, nor
// the end of other streams.
func TestCallsEndWhileTheClientCouldSayMore(t *testing.T) {
	backend := mustH2C(t, http.HandlerFunc(calls))
	state := &changing{gone: map[string]bool{}}
	e := mustEdge(t, edgeOptions{check: state.check, routes: fmt.Sprintf(
		"version: 1\nupstreams: {app: {urls: [%q], http2: true}}\nroutes: [{name: all, match: {path: /}, upstream: app}]\n", backend.URL)})
	front := mustH2C(t, telemetry.Handler(NewPublic(e.gateway, nil), telemetry.Options{Metrics: e.Metrics}))
	client := &http.Transport{Protocols: h2c()}
	t.Cleanup(client.CloseIdleConnections)
	begin := func(path, jti string) (*http.Response, *io.PipeWriter) {
		t.Helper()
		out, in := io.Pipe()
		t.Cleanup(func() { _ = in.Close() })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+path, out)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+e.token(t, withJTI(jti)))
		go func() { _, _ = io.WriteString(in, "hello") }()
		res, err := client.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		return res, in
	}
	wantStatus := func(res *http.Response, want string) {
		t.Helper()
		rest := make(chan string, 1)
		go func() {
			text, err := io.ReadAll(res.Body)
			rest <- fmt.Sprint(string(text), " ", err, " ", res.Trailer.Get("Grpc-Status"))
		}()
		select {
		case got := <-rest:
			if got != " <nil> "+want {
				t.Errorf("%q, want an end with status %s", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the call has no end")
		}
	}
	early, _ := begin("/early", "early")
	wantStatus(early, "9")

	var doomed []*http.Response
	for n := range 3 {
		res, _ := begin("/stay", fmt.Sprintf("doomed-%d", n))
		doomed = append(doomed, res)
	}
	spared, _ := begin("/stay", "spared")
	testkit.MustAwait(t, "four streams", func() bool { return e.gateway.OpenStreams() == 4 })
	for n := range doomed {
		jti := fmt.Sprintf("doomed-%d", n)
		state.revoke(jti)
		e.gateway.Apply(record(revocation.KindJTI, jti))
	}
	for _, res := range doomed {
		wantStatus(res, "16")
	}
	testkit.MustAwait(t, "one stream", func() bool { return e.gateway.OpenStreams() == 1 })
	if got := spared.Trailer.Get("Grpc-Status"); got != "" {
		t.Errorf("the call that was spared ended with %q", got)
	}
}

// A back end that breaks a call off leaves the client a status, with a token and
// without; a client that does not speak gRPC sees what happened.
func TestBrokenCallHasAStatus(t *testing.T) {
	e, url, client := mustEdgeH2C(t, edgeOptions{routes: "version: 1\nupstreams: {app: {urls: [\"H2C\"], http2: true}}\nroutes:\n" +
		"  - {name: all, match: {path: /}, upstream: app}\n  - {name: open, match: {path: /open}, upstream: app, auth: {mode: none}}\n"},
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			_, _ = w.Write([]byte("\x00\x00\x00\x00\x01x"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
	for _, path := range []string{"/", "/open"} {
		res := mustAnswer(t, mustStream(t, client, url+path, e.token(t), "application/grpc"))
		text, err := io.ReadAll(res.Body)
		if res.StatusCode != 200 || err != nil || len(text) != 6 || res.Trailer.Get("Grpc-Status") != "14" {
			t.Errorf("%s: %d %q %v %v", path, res.StatusCode, text, err, res.Trailer)
		}
	}
	res := mustAnswer(t, mustStream(t, client, url+"/open", e.token(t), "text/plain"))
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("a broken answer passes for a whole one")
	}
}

// What is a stream is told by the media type, however its parameters are written.
func TestWhatIsAStream(t *testing.T) {
	for media, want := range map[string]bool{
		"text/event-stream": true, "text/event-stream; charset": true, "Text/Event-Stream ;charset=utf-8": true, "text/event-stream;;": true,
		"application/grpc": true, "application/grpc+proto; x=\"": true, "application/grpc-web": true, "application/grpc-web-text+proto": true,
		"": false, "text/plain": false, "text/event-streams": false, "application/grpcx": false, "application/grpc-webx": false, "x; text/event-stream": false,
	} {
		if got := isStream(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {media}}}); got != want {
			t.Errorf("%q: %t", media, got)
		}
	}
}
