package issuer

import (
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
)

// hand answers with tokens: in the body, and where cookies are configured in them.
func (i *Issuer) hand(c *call, out tokens, p session.Pair) error {
	i.Cookies.set(c.w.Header(), out, p)
	return c.reply(http.StatusOK, i.Cookies.body(out))
}

// welcome is hand for a log-in.
func (i *Issuer) welcome(c *call, out tokens, p session.Pair) error {
	i.Cookies.set(c.w.Header(), out, p)
	i.stopActing(c)
	return c.reply(http.StatusOK, i.Cookies.body(out))
}

// stopActing takes the token of an impersonation out of a browser in which somebody
// logs in anew: edges prefer its cookie, and whoever logs in would act as the user whom
// another before him, or he himself, was acting as.
func (i *Issuer) stopActing(c *call) { i.Cookies.expire(c.w.Header(), i.Cookies.Impersonation) }

// bye answers to whoever ended his own session.
func (i *Issuer) bye(c *call, body any) error {
	i.Cookies.clear(c.w.Header())
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, body)
}

// nothing is the answer to a DELETE that was done.
func (i *Issuer) nothing(c *call) error {
	c.record.Decision = telemetry.Allow
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
