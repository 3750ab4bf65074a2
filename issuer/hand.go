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

// bye answers to whoever ended his own session.
func (i *Issuer) bye(c *call, status int, body any) error {
	i.Cookies.clear(c.w.Header())
	c.record.Decision = telemetry.Allow
	if body == nil {
		c.w.Header().Set("Cache-Control", "no-store")
		c.w.WriteHeader(status)
		return nil
	}
	return c.reply(status, body)
}
