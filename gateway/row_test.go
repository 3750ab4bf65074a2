package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
)

// The way past Echo never takes a request that Echo would have given to a row,
// whatever its path is made of.
func TestShortcutTakesNoRow(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	for _, rows := range [][]string{{"/api/users/:name", "/api/token/", "/t/:id/"}, {"/api/:a", "/api/:a/"}, {"/x/:a/y"}, {"/:a"}, {"/files/*", "/"}} {
		p := NewPublic(e.gateway, nil)
		row := ""
		for _, path := range rows {
			p.Echo().Any(path, func(c echo.Context) error {
				row = c.Path()
				return c.NoContent(http.StatusNoContent)
			})
		}
		taken := 0
		for _, path := range []string{
			"/", "/api", "/api/", "/api/users", "/api/users/", "/api/users/a", "/api/users/a/", "/api/users/a/b", "/api/users/a/b/c/", "/api/users/a%2fb",
			"/api/users/%61", "/api/users/%61/b", "/api/users/%20/", "/api/%75sers/a", "/api/%75sers/a/b", "/api/token", "/api/token/", "/api/%74oken/", "/x/1/y",
			"/x/%31/y", "/x/1/y/", "/t/1", "/t/1/", "/t/", "/t//", "/t/1/2/", "/files", "/files/", "/files/a/b", "/a", "/%61", "/a/b",
		} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			at, err := readTarget(r)
			if err != nil {
				continue // refused before
			}
			row = ""
			p.echo.ServeHTTP(httptest.NewRecorder(), p.plain(r, at))
			if row == "" {
				continue
			}
			taken++
			if !p.mayBeRow(r, at) {
				t.Errorf("%v: %s is %s by Echo", rows, path, row)
			}
		}
		if taken == 0 {
			t.Errorf("%v: no path is a row's", rows)
		}
	}
}
