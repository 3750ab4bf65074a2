package admin

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// openAPI describes every row. That it is true is held by the suites: the test kit
// compares every request and answer of theirs with it.
//
//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of the admin API, OpenAPI 3.1 as YAML.
func OpenAPI() []byte { return append([]byte(nil), openAPI...) }

// showOpenAPI serves the description (media type: RFC 9512).
func (a *Admin) showOpenAPI(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", openAPI)
}
