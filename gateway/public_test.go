package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
)

// A row is met in every spelling of its path, so that no spelling is a way past
// it to a back end; what is no row's goes on.
func TestRowsAreMetInEverySpelling(t *testing.T) {
	rest := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	p := NewPublic(rest, nil)
	row := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	p.Echo().RouteNotFound("/api/token/", row)
	p.Echo().RouteNotFound("/.well-known/jwks.json", row)
	for path, want := range map[string]int{
		"/api/token/": 204, "/api/%74oken/": 204, "/%61pi/token/": 204, "/.well-known/jwks%2ejson": 204, "/%2Ewell-known/jwks.json": 204,
		"/api/token/x": 418, "/api/%74oken/x": 418, "/API/token/": 418, "/x": 418, "/api/token%2F": 418, "/api//token/": 418, "/api/./token/": 400,
	} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

// So is one whose last segment may be anything.
func TestRowsWithAParameter(t *testing.T) {
	p := NewPublic(NotFound(), nil)
	for _, path := range []string{"/id/token", "/id/sessions/:sid", "/id/sessions/:sid/"} {
		p.Echo().RouteNotFound(path, func(c echo.Context) error { return c.NoContent(http.StatusTeapot) })
	}
	for path, want := range map[string]int{
		"/id/token": 418, "/id/%74oken": 418, "/id/sessions/x": 418, "/id/%73essions/x": 418, "/id/sessions/%78": 418, "/%69d/sessions/x/": 418,
		"/id/sessions/x/y": 404, "/id/%73essions/x/y": 404, "/id/%73essions": 404, "/%69d/tokens": 404,
	} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

// In front of the routes too, where what is no row's does not go by Echo.
func TestRowsBeforeRoutes(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	for _, odd := range []bool{false, true} {
		p := NewPublic(e.gateway, nil)
		rows := map[string]int{"/id/token": 418, "/id/%74oken": 418, "/id/x/": 418, "/id/%78": 418, "/other": http.StatusUnauthorized}
		paths := []string{"/id/token", "/id/:one", "/id/:one/"}
		if odd {
			paths = append(paths, "/a/:b/c", "/d/*")
			rows["/a/x/c"], rows["/d/x/y"] = 418, 418
		}
		for _, path := range paths {
			p.Echo().RouteNotFound(path, func(c echo.Context) error { return c.NoContent(http.StatusTeapot) })
		}
		for path, want := range rows {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			if w.Code != want {
				t.Errorf("%s: %d, want %d", path, w.Code, want)
			}
		}
	}
}

// TestRefusedMethodsOfRows: TRACE and CONNECT of a row's path are the row's to refuse, for it
// knows its methods; one that hands on what is not for its host hands on nothing to a back end.
func TestRefusedMethodsOfRows(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {mode: none}}]\n"})
	p := NewPublic(e.gateway, nil)
	p.Echo().RouteNotFound("/api/token/", func(c echo.Context) error {
		c.Response().Header().Set("Allow", "POST")
		return c.NoContent(http.StatusMethodNotAllowed)
	})
	p.Echo().RouteNotFound("/elsewhere/", echo.WrapHandler(p.Rest()))
	for _, method := range []string{http.MethodTrace, http.MethodConnect} {
		for path, allow := range map[string]string{"/api/token/": "POST", "/api/%74oken/": "POST", "/elsewhere/": "", "/x": "", "/api/./token/": ""} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Method = method
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != allow || w.Header().Get("Connection") != "close" {
				t.Errorf("%s %s: %d %v, want Allow %q", method, path, w.Code, w.Header(), allow)
			}
		}
	}
	if n := len(e.requests()); n != 0 {
		t.Errorf("%d requests reached the back end", n)
	}
}
