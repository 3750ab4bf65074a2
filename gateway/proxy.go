package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// newProxy returns the proxy behind all routes. Rewrite, unlike Director, runs
// after the hop-by-hop headers were removed: no Connection header can take away
// what is set here.
func (g *Gateway) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        rewrite,
		Transport:      transport{},
		ModifyResponse: modifyResponse,
		ErrorHandler:   g.proxyError,
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}

// transport sends a request to the upstream of its route.
type transport struct{}

// RoundTrip implements http.RoundTripper.
func (transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return exchangeOf(r).route.Upstream.RoundTrip(r)
}

// proxy forwards the request and holds the wait for the first byte within the
// route's timeout.
func (g *Gateway) proxy(w http.ResponseWriter, r *http.Request, x *exchange) {
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), exchangeKey{}, x))
	defer cancel(nil)
	if x.route.Timeout > 0 {
		x.timer = time.AfterFunc(x.route.Timeout, func() { cancel(errFirstByte) })
		defer x.timer.Stop()
	}
	if x.tunnel = isWebSocket(r.Header) && x.route.WebSocket; x.tunnel {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { x.conn = info.Conn }})
	} else {
		// An upgrade is opened by a route that names it, never by a client's wish.
		delete(r.Header, "Upgrade")
	}
	r = r.WithContext(ctx)
	x.in, x.answer = r, w.Header()
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = clientBody{r.Body, x}
	}
	g.reverse.ServeHTTP(w, r)
}

func rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.In)
	out := pr.Out
	if p := x.route.StripPrefix; p != "" {
		stripPrefix(out, p)
	}
	out.Host = ""
	if x.route.PreserveHost {
		out.Host = pr.In.Host
	}
	h := out.Header
	x.table.strip.strip(h)
	for name := range out.Trailer { // announced by the client, sent after the body
		if _, ours := x.table.strip[foldName(name)]; ours || !plainName(name) || isForwarding(name) {
			delete(out.Trailer, name)
		}
	}
	x.gateway.trusted.forward(pr.In, h)
	for _, c := range x.route.Carriers {
		// Whichever decided: none of them is the back end's business.
		credential{from: c}.scrub(out)
	}
	if name := x.table.private; name != "" {
		problem.WithoutCookie(h, name)
	}
	if x.route.DropAuthorization {
		delete(h, "Authorization")
	}
	if x.identity != nil {
		setIdentity(h, x.route.Identity, x.identity)
	}
	h["X-Request-Id"] = []string{x.record.RequestID}
	if _, sent := pr.In.Header["User-Agent"]; !sent {
		h["User-Agent"] = nil // net/http would add its own name
	}
}

// stripPrefix cuts whole segments from the path in both of its forms. The escaped
// form is cut by its slashes: a client may have escaped letters of the prefix, and
// what is left of its escapes must stay as it is.
func stripPrefix(r *http.Request, prefix string) {
	prefix = strings.TrimSuffix(prefix, "/")
	rest, found := strings.CutPrefix(r.URL.Path, prefix)
	if !found || rest != "" && rest[0] != '/' {
		return
	}
	raw := r.URL.EscapedPath()
	for range strings.Count(prefix, "/") {
		_, raw, _ = strings.Cut(raw[1:], "/")
		raw = "/" + raw
	}
	r.URL.Path, r.URL.RawPath = "/"+strings.TrimPrefix(rest, "/"), raw
}

// modifyResponse runs when the head of the answer is there.
func modifyResponse(res *http.Response) error {
	x := exchangeOf(res.Request)
	if x.answered.Store(true); x.timer != nil {
		x.timer.Stop()
	}
	if res.StatusCode == http.StatusSwitchingProtocols && (!x.tunnel || !isWebSocket(res.Header)) {
		return errUnasked
	}
	delete(res.Header, "X-Request-Id") // ours stands in the answer already
	if x.answer["X-Request-Id"] == nil {
		// It does not: httputil clears the header of the answer behind each 1xx.
		x.answer["X-Request-Id"] = []string{x.record.RequestID}
		x.route.CORS.apply(x.answer, x.in)
	}
	if x.route.CORS != nil {
		stripCORS(res.Header)
	}
	if res.StatusCode == http.StatusSwitchingProtocols && x.credential.from.kind == inSubprotocol && x.credential.raw != "" &&
		res.Header.Get("Sec-Websocket-Protocol") == "" {
		// A browser that offered subprotocols wants one of them chosen, and the back
		// end was not told of this one.
		res.Header.Set("Sec-Websocket-Protocol", subprotocolName)
	}
	if x.identity != nil && !x.route.KeepStreams && isStream(res) {
		return x.gateway.watch(res, x)
	}
	if tunnelled, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		res.Body = &tunnel{ReadWriteCloser: tunnelled, conn: x.conn, leave: func() {}, gone: make(chan struct{})}
	}
	return nil
}

// errUnasked is a 101 to a request that asked for no WebSocket, or to another
// protocol. Left to the proxy it would hold its connection for ever.
var errUnasked = errors.New("the upstream switched protocols unasked")

// watch ties a stream to its token.
func (g *Gateway) watch(res *http.Response, x *exchange) error {
	st := &stream{identity: x.identity, policy: &x.route.Policy}
	leave := func() { g.streams.remove(st) }
	var ended func(token.Reason)
	if tunnelled, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		t := &tunnel{ReadWriteCloser: tunnelled, conn: x.conn, leave: leave, gone: make(chan struct{})}
		res.Body, ended = t, t.end
	} else {
		b := &streamBody{ReadCloser: res.Body, res: res, leave: leave}
		res.Body, ended = b, b.end
	}
	st.end = func(why token.Reason) {
		g.log.Info("a stream was ended with its token", "route", x.route.Name, "reason", why, "sub", x.identity.Subject,
			"jti", x.identity.JTI, "request_id", x.record.RequestID)
		ended(why)
	}
	// After its registration, with what is known by then.
	if refusal := g.streams.add(res.Request.Context(), st); refusal != nil {
		return &refusedLate{refusal}
	}
	return nil
}

// refusedLate is a token that was revoked between its verdict and the answer.
type refusedLate struct{ refusal *token.Refusal }

func (e *refusedLate) Error() string { return e.refusal.Error() }

// clientBody marks errors of the client's own body, so that a malformed one is
// the client's 400 and not the upstream's 502. While it flows the back end is not
// late: the wait for the first byte begins anew with each piece.
type clientBody struct {
	io.ReadCloser
	x *exchange
}

// Read implements io.Reader.
func (b clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.flowing()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.Join(errClientBody, err)
	}
	return n, err
}

// buffers lends the copy buffers of the proxy.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// proxyError answers what could not be proxied. What the client sees names no
// host and no cause; the log line has both.
func (g *Gateway) proxyError(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	var late *refusedLate
	if errors.As(err, &late) {
		g.refuse(w, x.record, g.refusal(late.refusal, x))
		return
	}
	f := classify(r, err)
	x.record.Decision, x.record.Error = telemetry.Error, f.class
	if f.upstream {
		g.metrics.UpstreamError(x.route.Upstream.Name(), f.class)
		if f.class != telemetry.UpstreamCanceled {
			g.log.Warn("upstream failed", "route", x.route.Name, "upstream", x.route.Upstream.Name(), "class", f.class,
				"request_id", x.record.RequestID, "error", err)
		}
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	problem.WriteDetail(w, f.status, f.detail)
}
