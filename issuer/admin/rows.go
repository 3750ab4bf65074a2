package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// row is one endpoint of the admin API. No field has a usable zero value.
type row struct {
	method    string
	path      string
	bodyLimit int64 // bytes
	timeout   time.Duration
	handle    func(a *Admin, c echo.Context) error
}

// rows is the table of the admin API. Each row needs an admin token; of which role
// stands in access.go.
func (a *Admin) rows() []row {
	const v1 = "/admin/v1"
	return []row{
		{http.MethodPost, v1 + "/revocations", jsonBody, usualWait + longestWait, (*Admin).revoke},
		{http.MethodGet, v1 + "/revocations", jsonBody, usualWait, (*Admin).listRevocations},
		{http.MethodGet, v1 + "/revocations/:id", jsonBody, usualWait, (*Admin).showRevocation},
		{http.MethodDelete, v1 + "/revocations/:id", jsonBody, usualWait, (*Admin).undoRevocation},
		{http.MethodPost, v1 + "/recover", jsonBody, usualWait, (*Admin).recover},
		{http.MethodPost, v1 + "/recover/check", jsonBody, usualWait, (*Admin).checkRecover},
		{http.MethodGet, v1 + "/sessions", jsonBody, usualWait, (*Admin).listSessions},
		{http.MethodGet, v1 + "/sessions/:sid", jsonBody, usualWait, (*Admin).showSession},
		{http.MethodDelete, v1 + "/sessions/:sid", jsonBody, usualWait, (*Admin).endSession},
		{http.MethodDelete, v1 + "/subjects/:sub/sessions", jsonBody, usualWait, (*Admin).endSessions},
		{http.MethodGet, v1 + "/keys", jsonBody, usualWait, (*Admin).listKeys},
		{http.MethodPost, v1 + "/keys/rotate", jsonBody, usualWait, (*Admin).rotateKeys},
		{http.MethodPost, v1 + "/keys/:kid/retire", jsonBody, usualWait, (*Admin).retireKey},
		{http.MethodPost, v1 + "/keys/:kid/revoke", jsonBody, usualWait, (*Admin).revokeKey},
		{http.MethodGet, v1 + "/edges", jsonBody, usualWait, (*Admin).listEdges},
		{http.MethodGet, v1 + "/status", jsonBody, usualWait, (*Admin).showStatus},
		{http.MethodGet, v1 + "/settings", jsonBody, usualWait, (*Admin).listSettings},
		{http.MethodGet, v1 + "/upstreams", jsonBody, usualWait, (*Admin).listUpstreams},
		{http.MethodGet, v1 + "/routes", jsonBody, usualWait, (*Admin).listRoutes},
		{http.MethodPost, v1 + "/routes/reload", jsonBody, usualWait, (*Admin).reloadRoutes},
		{http.MethodPost, v1 + "/routes/check", jsonBody, usualWait, (*Admin).checkRoute},
		{http.MethodGet, v1 + "/users", jsonBody, usualWait, (*Admin).listUsers},
		{http.MethodPost, v1 + "/users", jsonBody, usualWait, (*Admin).addUser},
		{http.MethodGet, v1 + "/clients", jsonBody, usualWait, (*Admin).listClients},
		{http.MethodPost, v1 + "/clients", jsonBody, usualWait, (*Admin).addClient},
		{http.MethodPatch, v1 + "/clients/:id", jsonBody, usualWait, (*Admin).changeClient},
		{http.MethodDelete, v1 + "/clients/:id", jsonBody, usualWait, (*Admin).removeClient},
		{http.MethodPost, v1 + "/tokens", jsonBody, usualWait, (*Admin).issueToken},
		{http.MethodPost, v1 + "/tokens/explain", jsonBody, usualWait, (*Admin).explainToken},
		{http.MethodGet, v1 + "/users/:name", jsonBody, usualWait, (*Admin).showUser},
		{http.MethodPatch, v1 + "/users/:name", jsonBody, usualWait, (*Admin).changeUser},
		{http.MethodDelete, v1 + "/users/:name", jsonBody, usualWait, (*Admin).removeUser},
		{http.MethodPost, v1 + "/user-imports", importBody, importWait, (*Admin).importUsers},
		{http.MethodGet, v1 + "/openapi.yaml", jsonBody, usualWait, (*Admin).showOpenAPI},
		{http.MethodGet, v1 + "/whoami", jsonBody, usualWait, (*Admin).whoAmI},
		{http.MethodGet, v1 + "/admin-tokens", jsonBody, usualWait, (*Admin).listAdminTokens},
		{http.MethodPost, v1 + "/admin-tokens", jsonBody, usualWait, (*Admin).addAdminToken},
		{http.MethodDelete, v1 + "/admin-tokens/:id", jsonBody, usualWait, (*Admin).revokeAdminToken},
		{http.MethodGet, v1 + "/audit", jsonBody, exportWait, (*Admin).listAudit},
	}
}
