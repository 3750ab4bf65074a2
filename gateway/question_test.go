package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var loopback = TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}

// A page of another origin opens no WebSocket with the user's cookie, though the
// proxy that asks has dropped the header of its own connection; one of ours does,
// and one of our http twin does not.
func TestForeignTunnelIsSeenThroughAProxy(t *testing.T) {
	e := mustEdge(t, edgeOptions{trusted: loopback, routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\n" +
		"routes: [{name: all, match: {path: /}, upstream: app, websocket: true, origins: [\"https://friend.example\", \"http://old.example\"], auth: {token_from: [\"cookie:access\"]}}]\n"})
	cookie := "access=" + e.token(t)
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"a page is read from anywhere", []string{"Origin", "https://evil.example"}, 200},
		{"key", []string{"Origin", "https://evil.example", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}, 403},
		{"version", []string{"Origin", "https://evil.example", "Sec-WebSocket-Version", "13"}, 403},
		{"mode", []string{"Origin", "https://evil.example", "Sec-Fetch-Mode", "websocket"}, 403},
		{"upgrade without connection", []string{"Origin", "https://evil.example", "Upgrade", "websocket"}, 403},
		{"null", []string{"Origin", "null", "Sec-WebSocket-Version", "13"}, 403},
		{"the origin was lost", []string{"Sec-Fetch-Site", "cross-site", "Sec-WebSocket-Version", "13"}, 403},
		{"no browser", []string{"Sec-WebSocket-Version", "13"}, 200},
		{"ours", []string{"Origin", "https://shop.example", "Sec-WebSocket-Version", "13"}, 200},
		{"listed", []string{"Origin", "https://friend.example", "Sec-WebSocket-Version", "13"}, 200},
		{"our http twin, of a site that is not known to be https", []string{"Origin", "http://shop.example", "Sec-WebSocket-Version", "13"}, 200},
		{"our http twin", []string{"Origin", "http://shop.example", "Sec-WebSocket-Version", "13", "X-Forwarded-Proto", "https"}, 403},
		{"our http twin, Traefik", []string{"Origin", "http://shop.example", "Sec-WebSocket-Version", "13", "X-Forwarded-Proto", "wss"}, 403},
		{"a listed http origin", []string{"Origin", "http://old.example", "Sec-WebSocket-Version", "13", "X-Forwarded-Proto", "https"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := e.get(t, "GET", "/auth/verify", append([]string{"Cookie", cookie, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/ws", "X-Forwarded-Host", "shop.example"}, c.headers...)...)
			if res.StatusCode != c.status {
				t.Errorf("%d %s, want %d", res.StatusCode, body, c.status)
			}
		})
	}
	twin := []string{"Cookie", cookie, "Host", "shop.example", "Origin", "http://shop.example", "X-Forwarded-Proto", "https"}
	if res, _ := e.get(t, "POST", "/", twin...); res.StatusCode != 403 {
		t.Errorf("a form of our http twin: %d", res.StatusCode)
	}
	if res, _ := e.get(t, "GET", "/", twin...); res.StatusCode != 200 {
		t.Errorf("a link of our http twin: %d", res.StatusCode)
	}
	url := []string{"Cookie", cookie, "Origin", "http://shop.example", "X-Original-Method", "POST", "X-Original-Url", "https://shop.example/x"}
	if res, _ := e.get(t, "GET", "/auth/verify", url...); res.StatusCode != 403 {
		t.Errorf("a whole URL names its scheme: %d", res.StatusCode)
	}
}

// A browser's preflight is answered where the route has CORS, with nobody's
// identity; whatever else could be done under its name is not.
func TestForwardAuthPreflight(t *testing.T) {
	e := mustEdge(t, edgeOptions{trusted: loopback, routes: corsRoutes})
	ask := []string{"X-Forwarded-Method", "OPTIONS", "X-Forwarded-Host", "shop.example", "X-User-Id", "forged", "Access-Control-Request-Method", "GET"}
	app := slices.Concat(ask, []string{"Origin", "https://app.example"})
	app, ask = slices.Clip(app), slices.Clip(ask)
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"listed", append(app, "X-Forwarded-Uri", "/x"), 200},
		{"where OPTIONS is no method of the route", append(app, "X-Forwarded-Uri", "/read"), 200},
		{"foreign", append(ask, "Origin", "https://evil.example", "X-Forwarded-Uri", "/x"), 401},
		{"no CORS", append(app, "X-Forwarded-Uri", "/none"), 401},
		{"with a bad token", append(app, "X-Forwarded-Uri", "/x", "Authorization", "Bearer x.y.z"), 401},
		{"for another method", append(app, "X-Forwarded-Uri", "/x", "X-HTTP-Method-Override", "DELETE"), 401},
		{"for another method, in another spelling", append(app, "X-Forwarded-Uri", "/x", "X_HTTP_Method_Override", "DELETE"), 401},
		{"a method that the route does not take", append(ask[:6:6], "Origin", "https://app.example", "Access-Control-Request-Method", "DELETE", "X-Forwarded-Uri", "/read"), 405},
		{"not OPTIONS", append(app[2:len(app):len(app)], "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/x"), 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := e.get(t, "GET", "/auth/verify", c.headers...)
			if res.StatusCode != c.status {
				t.Fatalf("%d %s, want %d", res.StatusCode, body, c.status)
			}
			if c.status != 200 {
				return
			}
			if h := res.Header; h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("Access-Control-Allow-Methods") == "" {
				t.Errorf("%v", h)
			}
			for _, name := range []string{"X-User-Id", "X-Token-Subject", "X-Token-Jti", "X-Token-Scope"} {
				if got := res.Header[name]; len(got) != 1 || got[0] != "" {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

// Of the forms in which a proxy asks one counts; what a client adds in the headers
// of another replaces nothing.
func TestFormsOfAQuestionDoNotMix(t *testing.T) {
	e := mustEdge(t, edgeOptions{trusted: loopback, routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes:\n" +
		"  - {name: open, match: {hosts: [open.example], path: /}, upstream: app, auth: {mode: none}}\n" +
		"  - {name: open-twin, match: {hosts: [twin.example, alias.example], path: /}, upstream: app, auth: {mode: none}}\n" +
		"  - {name: shut, match: {hosts: [shut.example], path: /}, upstream: app}\n" +
		"  - {name: write, match: {hosts: [shut.example], path: /r, methods: [GET]}, upstream: app, auth: {mode: none}}\n"})
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"Envoy", "GET", "/auth/verify/x", []string{"Host", "shut.example"}, 401},
		{"Envoy, the client's host", "GET", "/auth/verify/x", []string{"Host", "shut.example", "X-Forwarded-Host", "open.example"}, 400},
		{"Envoy, the same host", "GET", "/auth/verify/x", []string{"Host", "open.example", "X-Forwarded-Host", "OPEN.example:80"}, 200},
		{"Envoy, the client's method", "DELETE", "/auth/verify/r", []string{"Host", "shut.example", "X-Forwarded-Method", "GET"}, 400},
		{"Envoy, the client's method, of a GET", "GET", "/auth/verify/r", []string{"Host", "shut.example", "X-Original-Method", "POST"}, 400},
		{"Envoy, the same method", "GET", "/auth/verify/r", []string{"Host", "shut.example", "X-Forwarded-Method", "GET"}, 200},
		{"Envoy, the client's target of /", "GET", "/auth/verify/", []string{"Host", "shut.example", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/r"}, 400},
		{"nginx", "GET", "/auth/verify", []string{"Host", "shut.example", "X-Original-Method", "GET", "X-Original-URI", "/x"}, 401},
		{"nginx, the client's host", "GET", "/auth/verify", []string{"Host", "shut.example", "X-Original-Method", "GET", "X-Original-URI", "/x", "X-Forwarded-Host", "open.example"}, 400},
		{"nginx, the same host", "GET", "/auth/verify", []string{"Host", "open.example", "X-Original-Method", "GET", "X-Original-URI", "/x", "X-Forwarded-Host", "open.example"}, 200},
		{"nginx, the client's host, under a name that nobody has", "GET", "/auth/verify", []string{"Host", "none.example", "X-Original-Method", "GET", "X-Original-URI", "/x", "X-Forwarded-Host", "open.example"}, 400},
		{"nginx, another host of the same route", "GET", "/auth/verify", []string{"Host", "alias.example", "X-Original-Method", "GET", "X-Original-URI", "/x", "X-Forwarded-Host", "twin.example"}, 200},
		{"nginx, a host where the method has no route", "GET", "/auth/verify", []string{"Host", "shut.example", "X-Original-Method", "POST", "X-Original-URI", "/r", "X-Forwarded-Host", "open.example"}, 400},
		{"nginx, the client's method", "GET", "/auth/verify", []string{"Host", "open.example", "X-Forwarded-Method", "GET", "X-Original-URI", "/x"}, 400},
		{"Traefik, the call's own host", "GET", "/auth/verify", []string{"Host", "open.example", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/x", "X-Forwarded-Host", "shut.example"}, 401},
		{"Traefik, the client's own form", "GET", "/auth/verify", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/x", "X-Forwarded-Host", "shut.example", "X-Original-Url", "https://open.example/x"}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			if res, body := e.get(t, c.method, c.path, c.headers...); res.StatusCode != c.status {
				t.Errorf("%d %s, want %d", res.StatusCode, strings.TrimSpace(body), c.status)
			}
		})
	}
}

// The client's address is the proxy's word about it, however it puts that.
func TestRealIPBehindATrustedProxy(t *testing.T) {
	for _, c := range []struct {
		trusted TrustedProxies
		headers []string
		want    string
	}{
		{loopback, []string{"X-Forwarded-For", "198.51.100.7, 203.0.113.9"}, "203.0.113.9"},
		{loopback, []string{"X-Forwarded-For", "203.0.113.9, 127.0.0.2"}, "203.0.113.9"},
		{loopback, []string{"X-Forwarded-For", "203.0.113.9", "X-Real-Ip", "203.0.113.10"}, "203.0.113.10"},
		{loopback, nil, "127.0.0.1"},
		{nil, []string{"X-Forwarded-For", "203.0.113.9"}, "127.0.0.1"},
	} {
		e := mustEdge(t, edgeOptions{trusted: c.trusted, routes: public("")})
		e.get(t, http.MethodGet, "/", c.headers...)
		if got := e.requests()[0].Header["X-Real-Ip"]; len(got) != 1 || got[0] != c.want {
			t.Errorf("%v: %q, want %s", c.headers, got, c.want)
		}
	}
}
