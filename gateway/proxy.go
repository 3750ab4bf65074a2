package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"time"

	"tollgate/gateway/upstream"
	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
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
	x := exchangeOf(r)
	asked := x.asking()
	res, err := x.route.Upstream.RoundTrip(r)
	if err != nil {
		x.unanswered(asked, r, err)
		return nil, err
	}
	x.answeredBy(asked, res.StatusCode)
	return res, nil
}

// proxy forwards the request and holds the wait for the first byte within the
// route's timeout.
func (g *Gateway) proxy(w http.ResponseWriter, r *http.Request, x *exchange) {
	if x.direct(r) {
		g.short(w, r, x)
		return
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), exchangeKey{}, x))
	defer cancel(nil)
	if x.route.Timeout > 0 {
		x.timer = time.AfterFunc(x.route.Timeout, func() { cancel(errFirstByte) })
		defer x.timer.Stop()
	}
	if x.tunnel = isWebSocket(r.Header) && x.route.WebSocket; x.tunnel {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { x.conn = info.Conn }})
		defer x.leave()
	} else {
		// An upgrade is opened by a route that names it, never by a client's wish.
		delete(r.Header, "Upgrade")
	}
	r = r.WithContext(ctx)
	x.in, x.answer = r, w.Header()
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = clientBody{r.Body, x}
	}
	defer g.release(x)
	if x.ends() && flowsIn(r) {
		if refusal := g.early(w, x, cancel); refusal != nil {
			g.refuseLate(w, x, refusal)
			return
		}
	}
	if r.ProtoMajor == 2 && !isCall(mediaType(r.Header)) { // who reads a call's messages may be busy with one for long
		w = &patient{ResponseWriter: w, limit: g.patience}
	}
	g.reverse.ServeHTTP(w, r)
}

func rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.In)
	out := pr.Out
	out.Host = ""
	if x.route.PreserveHost {
		out.Host = pr.In.Host
	}
	for name := range out.Trailer { // announced by the client, sent after the body
		if !plainName(name) || x.table.strip.holds(name) || isForwarding(name) {
			delete(out.Trailer, name)
		}
	}
	x.outgoing(pr.In, out)
	h := out.Header
	for _, list := range x.also() {
		for _, f := range list {
			h[f.Name] = []string{f.Value}
		}
	}
	x.record.Ask(x.route.Upstream.Name(), h)
	if _, sent := pr.In.Header["User-Agent"]; !sent {
		out.Header["User-Agent"] = nil // net/http would add its own name
	}
}

// outgoing removes from a request what the back end must not see, or what the client has
// no right to say. What the back end is told in its place comes from [exchange.also]. The
// fields that Connection names were removed before. Out may be the same request as in.
func (x *exchange) outgoing(in, out *http.Request) {
	if p := x.route.StripPrefix; p != "" {
		stripPrefix(out, p)
	}
	h := out.Header
	x.table.strip.strip(h)
	x.forwarded = x.gateway.trusted.forward(in, h)
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
}

// also returns the fields that are added to the header that outgoing has left, which
// holds none of these names: about the client, the request id, and the identity. If the
// route has X-Request-Id among its identity headers, the claim's value is sent and not
// our id.
func (x *exchange) also() (also [2][]upstream.Field) {
	var identity []upstream.Field
	if x.identity != nil {
		identity = identityValues(x.route.Identity, x.identity).fields
	}
	for i, name := range forwardingNames() {
		x.own[i] = upstream.Field{Name: name, Value: x.forwarded[i]}
	}
	own := x.own[:forwardings]
	if !slices.ContainsFunc(identity, func(f upstream.Field) bool { return f.Name == "X-Request-Id" }) {
		own = append(own, upstream.Field{Name: "X-Request-Id", Value: x.record.RequestIDHeader()[0]})
	}
	return [2][]upstream.Field{own, identity}
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
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.switched = res.Body
	}
	if res.StatusCode == http.StatusSwitchingProtocols && (!x.tunnel || !isWebSocket(res.Header)) {
		return errUnasked
	}
	guessNothing(x.answer, res.Header)
	delete(res.Header, "X-Request-Id") // ours stands in the answer already
	if x.answer["X-Request-Id"] == nil {
		// It does not: httputil clears the header of the answer behind each 1xx.
		x.answer["X-Request-Id"] = x.record.RequestIDHeader()
		x.route.CORS.apply(x.answer, x.in)
	}
	if x.route.CORS != nil {
		x.route.CORS.expose(x.answer, res.Header["Access-Control-Expose-Headers"])
		stripCORS(res.Header)
	}
	if res.StatusCode == http.StatusSwitchingProtocols && x.credential.from.kind == inSubprotocol && x.credential.raw != "" &&
		res.Header.Get("Sec-Websocket-Protocol") == "" {
		// A browser that offered subprotocols wants one of them chosen, and the back
		// end was not told of this one.
		res.Header.Set("Sec-Websocket-Protocol", subprotocolName)
	}
	if x.ends() && (isStream(res) || x.unfinished()) {
		return x.gateway.watch(res, x)
	}
	if x.stream != nil { // answered by what is no stream: nothing is left to end
		x.gateway.release(x)
	}
	if tunnelled, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		res.Body = &tunnel{ReadWriteCloser: tunnelled, conn: x.conn, gone: make(chan struct{})}
	} else if broke := x.gateway.brokenCall(x); broke != nil {
		res.Body = &streamBody{ReadCloser: res.Body, res: res, broke: broke}
	}
	return nil
}

// leave closes what a 101 has opened. The proxy does that itself, but not when it finds
// fault with the switch that was let through to it.
func (x *exchange) leave() {
	if x.switched != nil {
		_ = x.switched.Close()
	}
}

// errUnasked is a 101 to a request that asked for no WebSocket, or to another
// protocol. Left to the proxy it would hold its connection for ever.
var errUnasked = errors.New("the upstream switched protocols unasked")

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
	if errors.Is(err, io.EOF) {
		b.x.uploaded.Store(true)
	} else if err != nil {
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
	g.failed(w, r, exchangeOf(r), err)
}

func (g *Gateway) failed(w http.ResponseWriter, r *http.Request, x *exchange, err error) {
	var late *refusedLate
	if !errors.As(err, &late) && errors.Is(context.Cause(r.Context()), errTokenOver) {
		late = refusedBy(x.stream.why())
	}
	if late != nil {
		g.refuseLate(w, x, late.refusal)
		return
	}
	f := classify(r, err)
	x.record.Decision, x.record.Error = telemetry.Error, f.class
	if f.upstream {
		g.metrics.UpstreamError(x.route.Upstream.Name(), f.class)
		if f.class != telemetry.UpstreamCanceled {
			x.log().Warn("upstream failed", "route", x.route.Name, "upstream", x.route.Upstream.Name(), "class", f.class,
				"request_id", x.record.RequestID, "error", err)
		}
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	problem.WriteDetail(w, f.status, f.detail)
}
