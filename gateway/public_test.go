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
