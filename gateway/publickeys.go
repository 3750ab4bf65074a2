package gateway

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// keysPath is where verifiers look for the keys of an issuer.
const keysPath = "/.well-known/jwks.json"

// MountKeys serves a key set at /.well-known/jwks.json: an edge hands out the keys
// of the issuer that it belongs to, so that they can be had while the issuer is
// down. On a host that is not one of hosts the path is an ordinary one; no hosts
// are all of them.
func (p *Public) MountKeys(set http.Handler, hosts []string) {
	handler := set
	if len(hosts) > 0 {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host := r.Host
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			if slices.Contains(hosts, strings.TrimSuffix(strings.ToLower(host), ".")) {
				set.ServeHTTP(w, r)
				return
			}
			p.rest.ServeHTTP(w, r)
		})
	}
	p.echo.RouteNotFound(keysPath, echo.WrapHandler(handler))
}
