package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const corsRoutes = `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
defaults: {cors: {origins: ["https://app.example"]}}
routes:
  - {name: all, match: {path: /}, upstream: app}
  - {name: read, match: {path: /read, methods: [GET]}, upstream: app}
  - {name: none, match: {path: /none}, upstream: app, cors: {origins: []}}
`

// A page of a listed origin can read our refusals, and asks before it sends a
// token; nobody else gets a word.
func TestCORS(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: corsRoutes})
	ask := []string{"Origin", "https://app.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization, x-request-id"}
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		origin             string
	}{
		{"refusal", "GET", "/", []string{"Origin", "https://app.example"}, 401, "https://app.example"},
		{"answer", "GET", "/", []string{"Origin", "https://app.example", "Authorization", "Bearer " + e.token(t)}, 200, "https://app.example"},
		{"foreign origin", "GET", "/", []string{"Origin", "https://evil.example"}, 401, ""},
		{"no origin", "GET", "/", nil, 401, ""},
		{"preflight", "OPTIONS", "/", ask, 204, "https://app.example"},
		{"preflight of a foreign origin", "OPTIONS", "/", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "GET"}, 401, ""},
		{"preflight of a route without CORS", "OPTIONS", "/none", ask, 401, ""},
		{"preflight where OPTIONS is no method of the route", "OPTIONS", "/read/x", ask, 204, "https://app.example"},
		{"OPTIONS that is no preflight", "OPTIONS", "/", []string{"Origin", "https://app.example"}, 401, "https://app.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(e.requests())
			res, body := e.get(t, c.method, c.path, c.headers...)
			if res.StatusCode != c.status || res.Header.Get("Access-Control-Allow-Origin") != c.origin {
				t.Errorf("%d %s allow %q, want %d %q", res.StatusCode, body, res.Header.Get("Access-Control-Allow-Origin"), c.status, c.origin)
			}
			if c.origin != "" && (res.Header.Get("Access-Control-Allow-Credentials") != "true" || !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin")) {
				t.Errorf("headers %v", res.Header)
			}
			if c.status == 204 && (res.Header.Get("Access-Control-Allow-Headers") != "authorization, x-request-id" || len(e.requests()) != before) {
				t.Errorf("preflight headers %v, %d requests upstream", res.Header, len(e.requests())-before)
			}
		})
	}
}

// Where the gateway speaks, the back end's own CORS headers would make two of
// each, which a browser takes for none.
func TestCORSReplacesTheUpstreams(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: corsRoutes, handler: corsHandler})
	res, _ := e.get(t, "GET", "/", "Origin", "https://app.example", "Authorization", "Bearer "+e.token(t))
	if got := res.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "https://app.example" {
		t.Errorf("%q", got)
	}
	res, _ = e.get(t, "GET", "/none", "Origin", "https://app.example", "Authorization", "Bearer "+e.token(t))
	if got := res.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "*" {
		t.Errorf("without a rule of ours the upstream's stands: %q", got)
	}
}

func TestCORSFaults(t *testing.T) {
	for _, origin := range []string{"*", "app.example", "https://app.example/", "https://*.example", "HTTPS://app.example", "https://u@app.example", "null", ""} {
		if _, err := NewCORS([]string{origin}); err == nil {
			t.Errorf("%q was accepted", origin)
		}
	}
}

// A refusal that no route gives can be read by pages of listed origins too, and by
// nobody else's.
func TestRefusalsWithoutARouteCarryCORS(t *testing.T) {
	e := mustEdge(t, edgeOptions{trusted: loopback, routes: strings.Replace(corsRoutes, "path: /}", "path: /, hosts: [h]}", 1)})
	for _, c := range []struct {
		name, method, path string
		status             int
	}{
		{"no route", "GET", "/x", 404}, {"method", "POST", "/read", 405}, {"path", "GET", "/read/%2f", 400}, {"nobody's method", "TRACE", "/", 405},
		{"a question: path", "GET", "/auth/verify/read/%2f", 400}, {"a question: no route", "GET", "/auth/verify/x", 404}, {"a question: method", "POST", "/auth/verify/read", 405},
	} {
		for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": ""} {
			res, _ := e.get(t, c.method, c.path, "Origin", origin)
			got := res.Header.Values("Access-Control-Allow-Origin")
			if res.StatusCode != c.status || strings.Join(got, "|") != want || !strings.Contains(res.Header.Get("Vary"), "Origin") {
				t.Errorf("%s of %s: %d %q, want %d", c.name, origin, res.StatusCode, got, c.status)
			}
		}
	}
	front := httptest.NewServer(NewPublic(NotFound(), e.gateway.Table().cors))
	defer front.Close()
	e.URL = front.URL
	for path, status := range map[string]int{"/x": 404, "/x/../y": 400} {
		if res, _ := e.get(t, "GET", path, "Origin", "https://app.example"); res.StatusCode != status || res.Header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("without routes, %s: %d %v", path, res.StatusCode, res.Header)
		}
	}
}

// What the back end lets pages read stays readable beside what we add.
func TestCORSMergesWhatIsExposed(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: corsRoutes, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Access-Control-Expose-Headers"] = []string{"X-Total, x-request-id", "Link,X Y"}
		w.Header().Set("Access-Control-Allow-Headers", "theirs")
	}})
	for origin, want := range map[string]string{"https://app.example": "Retry-After, WWW-Authenticate, X-Request-Id, X-Total, Link", "https://evil.example": ""} {
		res, _ := e.get(t, "GET", "/", append(bearerOf(e.token(t)), "Origin", origin)...)
		if got := strings.Join(res.Header.Values("Access-Control-Expose-Headers"), "|"); got != want || res.Header.Get("Access-Control-Allow-Headers") != "" {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}
