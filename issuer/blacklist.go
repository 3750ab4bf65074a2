package issuer

import (
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/keys/token"
)

// blacklist ends the session of a refresh token: it and every access token that
// was minted beside it.
func (i *Issuer) blacklist(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	raw, err := c.textOrCookie(body, "refresh", i.Cookies.Refresh)
	if err != nil {
		return err
	}
	id, _, err := i.check(c, raw, refreshType)
	if err != nil {
		return err
	}
	state, err := i.peek(c, id)
	if err != nil {
		return err
	}
	if state == session.Spent || state == session.Ended {
		return notValid(token.ReasonRevoked, blacklisted)
	}
	if err := i.end(c, id, telemetry.SourceBlacklist); err != nil {
		return err
	}
	if c.cookie {
		return i.bye(c, struct{}{})
	}
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, struct{}{})
}
