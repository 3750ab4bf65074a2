package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
)

// forwardAuthPath is where another proxy asks whether a request may pass.
const forwardAuthPath = "/auth/verify"

// isForwardAuth reports whether a path belongs to forward-auth: the path itself
// and everything below.
func isForwardAuth(path string) bool {
	rest, found := strings.CutPrefix(path, forwardAuthPath)
	return found && (rest == "" || rest[0] == '/')
}

// forwardAuth answers for nginx (auth_request), Traefik, Caddy and Envoy: 200 with
// the identity of the caller, or the refusal that the proxy's own pipeline would
// have given. What is asked about comes from headers that anybody could write, so
// only trusted proxies may ask.
func (g *Gateway) forwardAuth(w http.ResponseWriter, r *http.Request) {
	record := telemetry.From(w)
	record.Route = "forward-auth"
	if !g.trusted.Trusts(r.RemoteAddr) {
		record.Decision, record.Error = telemetry.Deny, "untrusted"
		problem.WriteDetail(w, http.StatusForbidden, forwardAuthPath+" answers proxies named in TOLLGATE_TRUSTED_PROXIES only.")
		return
	}
	asked, err := askedAbout(r)
	if err != nil {
		malformed(w, http.StatusBadRequest, "forward_auth", err.Error())
		return
	}
	if refusedMethod(asked.Method) {
		noRoute(w, asked, record, methods)
		return
	}
	table := g.table.Load()
	at, err := readTarget(asked)
	if err != nil {
		badTarget(w, err)
		return
	}
	route, allow := table.Match(asked.Host, at.path, asked.Method)
	if route == nil {
		noRoute(w, asked, record, allow)
		return
	}
	record.Route = route.Name
	route.CORS.apply(w.Header(), asked)
	if !table.permits(route, asked.Host, at, asked.Method) {
		badTarget(w, errPath)
		return
	}
	if !route.takesOverride(asked.Header) {
		noRoute(w, asked, record, route.Methods)
		return
	}
	x := &exchange{route: route, table: table, record: record, gateway: g}
	if refusal := g.admit(asked, x); refusal != nil {
		g.refuse(w, record, refusal)
		return
	}
	g.vouch(w, x)
}

// vouch answers with the identity. Every header of the route is there, empty where
// the claim is absent: the asking proxy copies it over whatever the client sent.
func (g *Gateway) vouch(w http.ResponseWriter, x *exchange) {
	h := w.Header()
	for _, header := range x.route.Identity {
		h[header.Name] = []string{""}
		if x.identity == nil {
			continue
		}
		if value, ok := header.value(x.identity); ok {
			h[header.Name] = []string{value}
		}
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// badQuestion is what a question lacks, in words for whoever configures the asking
// proxy.
type badQuestion string

func (q badQuestion) Error() string { return string(q) }

const (
	errNoTarget = badQuestion("Which request is meant? Send X-Forwarded-Method and X-Forwarded-Uri, or X-Original-Method and " +
		"X-Original-URI, or append its path to " + forwardAuthPath + ".")
	errTwoWays = badQuestion("The headers about the original request disagree or come twice.")
)

// askedAbout builds the request that a proxy asks about: method, target and host
// from its headers, everything else from the question itself, which carries the
// client's headers.
func askedAbout(r *http.Request) (*http.Request, error) {
	method, err := oneOf(r.Header, "X-Forwarded-Method", "X-Original-Method")
	if err != nil {
		return nil, err
	}
	uri, err := oneOf(r.Header, "X-Forwarded-Uri", "X-Original-Uri", "X-Original-Url")
	if err != nil {
		return nil, err
	}
	host, err := oneOf(r.Header, "X-Forwarded-Host")
	if err != nil {
		return nil, err
	}
	suffix, literal := strings.CutPrefix(r.RequestURI, forwardAuthPath)
	path, _, _ := strings.Cut(suffix, "?")
	switch {
	case !literal:
		return nil, errNoTarget
	case uri == "" && (path == "" || path == "/" && method != ""):
		return nil, errNoTarget
	case uri == "":
		// Envoy appends the path and keeps the method: both are the request's own.
		// Whoever appends the path to a GET of its own names the method.
		if method != "" && method != r.Method && r.Method != http.MethodGet {
			return nil, errTwoWays
		}
		uri = suffix
		if method == "" {
			method = r.Method
		}
	case path != "" && path != "/":
		return nil, errTwoWays
	case method == "":
		return nil, errNoTarget
	}
	return original(r, method, uri, host)
}

// original returns the request that was meant. A whole URL (nginx's $request_uri
// is none, others send one) gives its path and query.
func original(r *http.Request, method, uri, host string) (*http.Request, error) {
	u, err := url.ParseRequestURI(uri)
	if err != nil || !strings.HasPrefix(u.Path, "/") || !isToken(method) {
		return nil, errNoTarget
	}
	if u.Scheme != "" {
		if !isWebURL(u) {
			return nil, errNoTarget
		}
		if host != "" && canonicalHost(host) != canonicalHost(u.Host) {
			return nil, errTwoWays
		}
		host = u.Host
		uri = strings.TrimPrefix(uri, u.Scheme+"://"+u.Host)
		u.Scheme, u.Host = "", ""
	}
	asked := r.WithContext(r.Context())
	asked.Method, asked.URL, asked.RequestURI = method, u, uri
	if host != "" {
		asked.Host = host
	}
	return asked, nil
}

// oneOf returns the value of the headers that say one thing; they must agree.
func oneOf(h http.Header, names ...string) (string, error) {
	found := ""
	for _, name := range names {
		values := h[http.CanonicalHeaderKey(name)]
		if len(values) > 1 || len(values) == 1 && found != "" && values[0] != found {
			return "", errTwoWays
		}
		if len(values) == 1 {
			found = values[0]
		}
	}
	return found, nil
}
