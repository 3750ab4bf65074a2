package issuer

import (
	"net/http"
	"slices"
	"strings"

	"tollgate/internal/problem"
)

// mounted are the rows that exist: those of the profiles that are named, and those of
// the protocols, which belong to none.
func (i *Issuer) mounted() []row {
	var out []row
	for _, r := range i.rows() {
		if slices.Contains(i.Compat, problem.SimpleJWT) || r.protocol() {
			out = append(out, r)
		}
	}
	if slices.Contains(i.Compat, problem.SimpleJWT) {
		out = append(out, i.impersonateRows(problem.SimpleJWT, i.Prefix+"/token/impersonate", bearer)...)
	}
	if slices.Contains(i.Compat, problem.DRF) {
		out = append(out, i.drfRows()...)
		out = append(out, i.impersonateRows(problem.DRF, "/api-token-impersonate", bearerOrCookie)...)
	}
	return out
}

// protocol reports whether a row is that of a protocol and no profile's.
func (r row) protocol() bool { return r.document() || strings.HasPrefix(r.path, "/oauth/") }

// drfRows are the endpoints of drf-jwt but for impersonation.
func (i *Issuer) drfRows() []row {
	post := []string{http.MethodPost, http.MethodOptions}
	return []row{
		{"issuer:drf_token", "/api-token-auth", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).drfObtain},
		{"issuer:drf_refresh", "/api-token-refresh", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).drfRefresh},
		{"issuer:drf_verify", "/api-token-verify", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).drfVerify},
		{"issuer:drf_logout", "/auth/logout", bothSlashes, post, tokenBody, tokenTimeout, bearerOrCookie, (*Issuer).drfLogout},
	}
}

// impersonateRows are a profile's two endpoints for acting as another user.
func (i *Issuer) impersonateRows(p problem.Profile, path string, auth authenticator) []row {
	post := []string{http.MethodPost, http.MethodOptions}
	name := "issuer:impersonate"
	if p == problem.DRF {
		name = "issuer:drf_impersonate"
	}
	return []row{
		{name, path, bothSlashes, post, tokenBody, tokenTimeout, auth, func(i *Issuer, c *call) error { return i.impersonate(c, p) }},
		{name + "_end", path + "/end", bothSlashes, post, tokenBody, tokenTimeout, anonymous, func(i *Issuer, c *call) error { return i.endImpersonation(c, p) }},
	}
}
