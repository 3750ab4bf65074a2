package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// exchange is what the proxy needs to know of the request that it forwards.
type exchange struct {
	route    *Route
	identity *token.Identity // nil on a public route, or without a token on an optional one
	record   *telemetry.Record
	timer    *time.Timer // ends the wait for the first byte
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

var (
	errFirstByte = errors.New("the upstream did not begin to answer in time")
	errNoBody    = errors.New("the client's body could not be read")
)

// newProxy returns the proxy behind all routes. Rewrite, unlike Director, runs
// after the hop-by-hop headers were removed: no Connection header can take away
// what is set here.
func (g *Gateway) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		Transport:      g.transport,
		ModifyResponse: modifyResponse,
		ErrorHandler:   g.proxyError,
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
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
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = clientBody{r.Body}
	}
	g.reverse.ServeHTTP(w, r)
}

func (g *Gateway) rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.In)
	target := x.route.Upstream.pick()
	out := pr.Out
	if p := x.route.StripPrefix; p != "" {
		stripPrefix(out, p)
	}
	out.URL.Scheme, out.URL.Host = target.Scheme, target.Host
	if base := strings.TrimSuffix(target.EscapedPath(), "/"); base != "" {
		out.URL.RawPath = base + out.URL.EscapedPath()
		out.URL.Path = strings.TrimSuffix(target.Path, "/") + out.URL.Path
	}
	out.Host = target.Host
	if x.route.PreserveHost {
		out.Host = pr.In.Host
	}
	h := out.Header
	// Upgrades are opened by a route that names them, never by a client's wish.
	// ReverseProxy has put them back after it removed the hop-by-hop headers.
	delete(h, "Upgrade")
	delete(h, "Connection")
	out.Trailer = nil
	g.strip.strip(h)
	g.trusted.forward(pr.In, h)
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
// form has the same prefix, since the path is known to be unambiguous; where a
// client escaped a letter of the prefix itself the escaped form is dropped, and
// net/url writes it anew.
func stripPrefix(r *http.Request, prefix string) {
	prefix = strings.TrimSuffix(prefix, "/")
	rest, found := strings.CutPrefix(r.URL.Path, prefix)
	if !found || rest != "" && rest[0] != '/' {
		return
	}
	raw, _ := strings.CutPrefix(r.URL.EscapedPath(), prefix)
	r.URL.Path, r.URL.RawPath = "/"+strings.TrimPrefix(rest, "/"), ""
	if raw != rest && strings.HasPrefix(raw, "/") {
		r.URL.RawPath = raw
	}
}

// modifyResponse runs when the head of the answer is there.
func modifyResponse(res *http.Response) error {
	x := exchangeOf(res.Request)
	if x.timer != nil {
		x.timer.Stop()
	}
	delete(res.Header, "X-Request-Id") // ours stands in the answer already
	return nil
}

// proxyError tells the classes of failure apart. What the client sees names no
// host and no cause; the log line has both.
func (g *Gateway) proxyError(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	status, class, detail := classify(r, err)
	x.record.Decision = "error"
	x.record.Error = class
	if class != classClientBody {
		g.metrics.UpstreamError(x.route.Upstream.Name, class)
	}
	if class != classClientBody && class != classClientGone {
		g.log.Warn("upstream failed", "route", x.route.Name, "upstream", x.route.Upstream.Name, "class", class,
			"request_id", x.record.RequestID, "error", err)
	}
	problem.WriteDetail(w, status, detail)
}

// statusClientGone is nginx's number for a client that left; it is seen in the
// log only.
const statusClientGone = 499

// The classes of failure; those of the upstream are metric labels.
const (
	classClientBody = "client_body"
	classClientGone = telemetry.UpstreamCanceled
)

func classify(r *http.Request, err error) (status int, class, detail string) {
	var op *net.OpError
	switch {
	case errors.Is(context.Cause(r.Context()), errFirstByte):
		return http.StatusGatewayTimeout, telemetry.UpstreamTimeout, "The upstream did not answer in time."
	case r.Context().Err() != nil:
		return statusClientGone, classClientGone, "The request was given up."
	case errors.Is(err, errNoBody):
		return http.StatusBadRequest, classClientBody, "The request body could not be read."
	case errors.As(err, &op) && op.Op == "dial":
		if op.Timeout() {
			return http.StatusGatewayTimeout, telemetry.UpstreamTimeout, "The upstream could not be reached in time."
		}
		return http.StatusBadGateway, telemetry.UpstreamConnect, "The upstream could not be reached."
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusBadGateway, telemetry.UpstreamReset, "The upstream broke the connection off."
	}
	return http.StatusBadGateway, telemetry.UpstreamProtocol, "The upstream gave no valid answer."
}

// clientBody marks errors of the client's own body, so that a malformed one is
// the client's 400 and not the upstream's 502.
type clientBody struct{ io.ReadCloser }

func (b clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.Join(errNoBody, err)
	}
	return n, err
}

// buffers lends the copy buffers of the proxy.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
