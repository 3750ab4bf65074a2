package gateway

import (
	"net/http"
	"testing"

	"tollgate/internal/problem"
)

// The refresh cookie is the issuer's: no back end gets it, on a route with a token or
// without, whatever else stands in the header and however often it comes.
func TestRefreshCookieStaysHere(t *testing.T) {
	e := mustEdge(t, edgeOptions{
		routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app}, " +
			"{name: open, match: {path: /open/}, upstream: app, auth: {mode: none}}]\n",
		defaults: Defaults{Cookie: "access", RefreshCookie: "refresh"},
	})
	for path, cookie := range map[string]string{
		"/": "a=1; refresh=secret; access=" + e.token(t), "/open/": "refresh=secret; a=1; refresh=secret",
	} {
		if res, body := e.get(t, http.MethodGet, path, "Cookie", cookie); res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	for _, r := range e.requests() {
		if value, _ := problem.Cookie(r.Header, "refresh"); value != "" || contains(r.Header.Get("Cookie"), "secret") {
			t.Errorf("the back end of %s got %q", r.URL.Path, r.Header["Cookie"])
		}
		if value, _ := problem.Cookie(r.Header, "a"); value != "1" {
			t.Errorf("the back end of %s lost another cookie: %q", r.URL.Path, r.Header["Cookie"])
		}
	}
	if n := len(e.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}
