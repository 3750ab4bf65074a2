package gateway

import (
	"net/http"
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
	table := g.table.Load()
	if refusedMethod(asked.Method) {
		table.cors.apply(w.Header(), asked.Request)
		noRoute(w, asked.Request, record, methods)
		return
	}
	at, err := readTarget(asked.Request)
	if err != nil {
		table.cors.apply(w.Header(), asked.Request)
		badTarget(w, err)
		return
	}
	route, allow := table.Match(asked.Host, at.path, asked.Method)
	if asked.ambiguous(table, at, route) {
		malformed(w, http.StatusBadRequest, "forward_auth", errTwoWays.Error())
		return
	}
	x := &exchange{route: route, table: table, record: record, gateway: g, asked: true}
	if g.vouchPreflight(w, asked.Request, x, at) {
		return
	}
	if route == nil {
		table.cors.apply(w.Header(), asked.Request)
		noRoute(w, asked.Request, record, allow)
		return
	}
	record.Route = route.Name
	route.CORS.apply(w.Header(), asked.Request)
	if !table.permits(route, asked.Host, at, asked.Method) {
		badTarget(w, errPath)
		return
	}
	if !route.takesOverride(asked.Header) {
		noRoute(w, asked.Request, record, route.Methods)
		return
	}
	if refusal := g.admit(asked.Request, x); refusal != nil {
		g.refuse(w, record, refusal)
		return
	}
	g.vouch(w, x)
}

// vouchPreflight answers where a browser asks before a cross-origin request of a
// listed origin: it sends no credential then, by design, and takes a refusal for
// the answer to everything. The back end gets this OPTIONS from nobody; with a
// credential, or with a header by which it could go for another method, it is a
// request like any other.
func (g *Gateway) vouchPreflight(w http.ResponseWriter, r *http.Request, x *exchange, at target) bool {
	if !isPreflight(r) || overrides(r.Header) {
		return false
	}
	method := r.Header.Get("Access-Control-Request-Method")
	route, _ := x.table.Match(r.Host, at.path, method)
	if route == nil || !x.table.permits(route, r.Host, at, method) {
		return false
	}
	if cred, refusal := g.take(r, route.Carriers); refusal != nil || cred.raw != "" {
		return false
	}
	if !route.CORS.answer(w.Header(), r, route.takes()) {
		return false
	}
	x.route, x.record.Route = route, route.Name
	if refusal := g.throttle(r, route, nil); refusal != nil {
		g.refuse(w, x.record, refusal)
		return true
	}
	x.record.Decision = telemetry.Allow
	g.vouch(w, x)
	return true
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
