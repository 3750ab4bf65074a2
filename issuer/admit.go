package issuer

import "tollgate/internal/problem"

// bearerOrCookie rows need what bearer rows need, as drf-jwt reads it: a token in a
// cookie will do.
const bearerOrCookie authenticator = "bearer or cookie"

// admit says who may call a row: nil, or the refusal.
func (i *Issuer) admit(r row, c *call) *problem.Refusal {
	if i.foreign(c.r) {
		return problem.ForeignOrigin()
	}
	switch r.auth {
	case bearer:
		return i.identify(c)
	case bearerOrCookie:
		return i.identifyDRF(c)
	}
	return nil
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
