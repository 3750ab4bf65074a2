package gateway

import (
	"net/netip"
	"testing"
)

const forwardRoutes = `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - {name: shop, match: {hosts: [shop.example], path: /api/}, upstream: app, identity_headers: {X-Tenant: tenant}}
  - {name: admin, match: {hosts: [shop.example], path: /api/admin}, upstream: app, auth: {scopes: [admin]}}
  - {name: pages, match: {hosts: [shop.example], path: /}, upstream: app, auth: {mode: none}}
  - {name: write, match: {hosts: [shop.example], path: /write, methods: [POST]}, upstream: app}
`

// Another proxy asks: the answer is that of the proxy's own pipeline for the
// request that is meant, and never that of another route.
func TestForwardAuth(t *testing.T) {
	loopback := TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}
	e := mustEdge(t, edgeOptions{routes: forwardRoutes, trusted: loopback})
	auth := []string{"Authorization", "Bearer " + e.token(t)}
	forwarded := func(method, uri string, more ...string) []string {
		return append([]string{"X-Forwarded-Method", method, "X-Forwarded-Uri", uri, "X-Forwarded-Host", "shop.example"}, more...)
	}
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"Traefik, Caddy", "GET", "/auth/verify", forwarded("POST", "/api/x?y=1", auth...), 200},
		{"without a token", "GET", "/auth/verify", forwarded("GET", "/api/x"), 401},
		{"public page", "GET", "/auth/verify", forwarded("GET", "/index.html"), 200},
		{"the stricter route decides", "GET", "/auth/verify", forwarded("GET", "/api/admin", auth...), 403},
		{"its path in another spelling", "GET", "/auth/verify", forwarded("GET", "/api/%61dmin", auth...), 403},
		{"an ambiguous path", "GET", "/auth/verify", forwarded("GET", "/public/..%2fapi/admin", auth...), 400},
		{"dot segments", "GET", "/auth/verify", forwarded("GET", "/x/../api/admin", auth...), 400},
		{"no route", "GET", "/auth/verify", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api", "X-Forwarded-Host", "other.example"}, 404},
		{"a method that the route does not take", "GET", "/auth/verify", forwarded("GET", "/write", auth...), 405},
		{"a method that it takes, asked by GET", "GET", "/auth/verify", forwarded("POST", "/write", auth...), 200},
		{"nginx", "GET", "/auth/verify", []string{"X-Original-Method", "GET", "X-Original-URI", "/api/x", "Host", "shop.example", auth[0], auth[1]}, 200},
		{"nginx, whole URL", "GET", "/auth/verify", []string{"X-Original-Method", "GET", "X-Original-URL", "https://shop.example/api/x", "Host", "gate", auth[0], auth[1]}, 200},
		{"Envoy", "POST", "/auth/verify/api/x?y=1", append([]string{"Host", "shop.example"}, auth...), 200},
		{"Envoy, the stricter route", "DELETE", "/auth/verify/api/admin/x", append([]string{"Host", "shop.example"}, auth...), 403},
		{"two ways that disagree", "GET", "/auth/verify/index.html", forwarded("GET", "/api/x", auth...), 400},
		{"two headers that disagree", "GET", "/auth/verify", forwarded("GET", "/api/x", "X-Original-Uri", "/index.html"), 400},
		{"one header twice", "GET", "/auth/verify", forwarded("GET", "/api/x", "X-Forwarded-Uri", "/index.html"), 400},
		{"nothing", "GET", "/auth/verify", nil, 400},
		{"no method", "GET", "/auth/verify", []string{"X-Forwarded-Uri", "/api/x"}, 400},
		{"no target", "GET", "/auth/verify", []string{"X-Forwarded-Method", "GET"}, 400},
		{"not a path", "GET", "/auth/verify", forwarded("GET", "api/x"), 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := e.get(t, c.method, c.path, c.headers...)
			if res.StatusCode != c.status {
				t.Errorf("%d %s, want %d", res.StatusCode, body, c.status)
			}
		})
	}
	if n := len(e.requests()); n != 0 {
		t.Errorf("%d questions reached the back end", n)
	}
}

// The answer has every identity header of the route, empty where there is nothing
// to say: the asking proxy copies them over what the client sent.
func TestForwardAuthAnswersEveryHeader(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: forwardRoutes, trusted: TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}})
	question := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Host", "shop.example", "X-User-Id", "forged", "X-Forwarded-Uri"}
	res, _ := e.get(t, "GET", "/auth/verify", append(question, "/api/x", "Authorization", "Bearer "+e.token(t))...)
	for name, want := range map[string]string{"X-User-Id": "42", "X-Token-Subject": "42", "X-Token-Jti": "jti-1", "X-Token-Scope": "read write", "X-Tenant": ""} {
		if got := res.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want one %q", name, got, want)
		}
	}
	res, _ = e.get(t, "GET", "/auth/verify", append(question, "/index.html")...)
	for _, name := range []string{"X-User-Id", "X-Token-Subject", "X-Token-Jti", "X-Token-Scope"} {
		if got := res.Header.Values(name); len(got) != 1 || got[0] != "" {
			t.Errorf("public page: %s: %q, want one empty", name, got)
		}
	}
}

func TestForwardAuthIsForTrustedProxiesOnly(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: forwardRoutes})
	res, body := e.get(t, "GET", "/auth/verify", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/index.html", "X-Forwarded-Host", "shop.example")
	if res.StatusCode != 403 || !contains(body, "TOLLGATE_TRUSTED_PROXIES") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
