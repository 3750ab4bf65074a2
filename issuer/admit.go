package issuer

import (
	"tollgate/internal/problem"
	"tollgate/keys/token"
)

// bearerOrCookie rows need what bearer rows need, as drf-jwt reads it: a token in a
// cookie will do.
const bearerOrCookie authenticator = "bearer or cookie as in drf-jwt"

// admit says who may call a row: nil, or the refusal.
func (i *Issuer) admit(r row, c *call) *problem.Refusal {
	if i.foreign(c.r) {
		return problem.ForeignOrigin()
	}
	switch r.auth {
	case anonymous, published:
		return nil
	case bearerOrCookie:
		return i.identifyDRF(c)
	}
	refusal := i.identify(c)
	if refusal != nil && refusal.Reason == token.ReasonMissing && r.auth == bearerOrLogin {
		return nil
	}
	if refusal == nil || r.auth != bearerOrRefresh {
		return refusal
	}
	return i.byRefreshCookie(c, refusal)
}

// byRefreshCookie takes the refresh cookie where there is no access token, or none
// that is still good: a browser must be able to log out then too. A header's token is
// never rescued by a cookie. It returns nil, or what is answered in place of a caller.
func (i *Issuer) byRefreshCookie(c *call, refusal *problem.Refusal) *problem.Refusal {
	if i.Cookies.Refresh == "" || refusal.Reason != token.ReasonMissing && refusal.Reason != token.ReasonExpired {
		return refusal
	}
	if header, refused := problem.Bearer(c.r.Header, i.Schemes); header != "" || refused != nil {
		return refusal
	}
	raw, refused := problem.Cookie(c.r.Header, i.Cookies.Refresh)
	if refused != nil {
		return refused
	}
	if raw == "" {
		return refusal
	}
	id, unfit, err := i.check(c, raw, refreshType)
	switch {
	case err == nil:
		c.caller = id
		return nil
	case unfit != nil && unfit.Reason == token.ReasonUnavailable:
		return problem.OfToken(unfit, nil, nil)
	}
	return refusal
}

// identifyDRF finds out who calls a row of drf-jwt's: header before impersonation
// cookie before the other one. The first that is there decides alone.
func (i *Issuer) identifyDRF(c *call) *problem.Refusal {
	raw, other, refusal := problem.DRF.Bearer(c.r.Header, i.Schemes)
	for _, name := range []string{i.Cookies.Impersonation, i.Cookies.Access} {
		if raw != "" || other || refusal != nil || name == "" {
			continue
		}
		if raw, refusal = problem.Cookie(c.r.Header, name); raw != "" {
			c.carrier = name
		}
	}
	if refusal != nil {
		return refusal
	}
	if raw == "" {
		return problem.Missing()
	}
	return i.recognise(c, raw, problem.DRF)
}
