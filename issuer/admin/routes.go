package admin

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"tollgate/gateway"
	"tollgate/internal/problem"
)

// noRoutes says that this process has no routes to speak of.
func noRoutes() error {
	return &problem.Details{
		Status: http.StatusNotFound, Code: "not_here",
		Detail: "This process has no routes: it runs without the gateway role (TOLLGATE_ENABLE_GATEWAY).",
	}
}

func (a *Admin) listRoutes(c echo.Context) error {
	if a.Routes == nil {
		return noRoutes()
	}
	out := page[gateway.Description]{Items: []gateway.Description{}}
	for _, r := range a.Routes().Routes() {
		out.Items = append(out.Items, r.Describe())
	}
	return c.JSON(http.StatusOK, out)
}

func (a *Admin) reloadRoutes(c echo.Context) error {
	if a.Reload == nil {
		return noRoutes()
	}
	if err := a.Reload(c.Request().Context()); err != nil {
		// The text names files, lines and routes, which is what the caller needs;
		// no file of ours holds a secret in itself.
		return &problem.Details{Status: http.StatusUnprocessableEntity, Code: "not_reloaded", Title: "What was in force stays in force", Detail: err.Error()}
	}
	a.Log.Info("routes and trusted issuers were reloaded by the admin API", "actor", actorOf(c))
	return c.NoContent(http.StatusNoContent)
}

type routeQuestion struct {
	Method string `json:"method"`
	URL    string `json:"url"`
}

func (a *Admin) checkRoute(c echo.Context) error {
	if a.Routes == nil {
		return noRoutes()
	}
	var q routeQuestion
	if err := read(c, &q); err != nil {
		return err
	}
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	finding, err := a.Routes().Check(q.Method, q.URL)
	if err != nil {
		return badBody("The member url is a URL or a path: " + err.Error())
	}
	return c.JSON(http.StatusOK, finding)
}
