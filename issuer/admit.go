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

// letGo takes tokens that are over out of the browser that logs out with them, and is refused
// for that: a page cannot do it itself. They stay beside a header's token, and while the
// refresh token among them is good.
func (i *Issuer) letGo(r row, c *call, refusal *problem.Refusal) {
	over := refusal.Reason == token.ReasonExpired || refusal.Reason == token.ReasonRevoked
	switch {
	case r.name == "issuer:drf_logout" && over:
		i.Cookies.expire(c.w.Header(), c.carrier)
	case r.name == "issuer:logout" && (over || refusal.Reason == token.ReasonMissing):
		if header, _ := problem.Bearer(c.r.Header, i.Schemes); header != "" {
			return
		}
		access, _ := problem.Cookie(c.r.Header, i.Cookies.Access)
		refresh, _ := problem.Cookie(c.r.Header, i.Cookies.Refresh)
		if refresh != "" {
			if _, unfit, err := i.check(c, refresh, refreshType); err == nil || unfit == nil || unfit.Reason == token.ReasonUnavailable {
				return
			}
		}
		if access != "" || refresh != "" {
			i.Cookies.clear(c.w.Header())
		}
	}
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
