package issuer

import (
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// logoutActing is the log-out of somebody who acts as another user. What he ends is
// his acting: the sessions are the other's, whatever the body says of "all". His own
// log-in goes on, unless the body has a refresh token of it, which is what a front end
// that keeps its tokens sends when its user leaves.
func (i *Issuer) logoutActing(c *call, body fields) error {
	var own *token.Identity
	if v, sent := body["refresh_token"]; sent && v != nil {
		var err error
		if own, err = i.actorsRefreshToken(c, body); err != nil {
			return err
		}
	}
	if err := i.end(c, c.caller, telemetry.SourceLogout); err != nil {
		return err
	}
	i.audit(c, "impersonation ended", "impersonation.end", c.caller.SID, i.named(c.r.Context(), c.caller.Actor), i.named(c.r.Context(), c.caller.Subject))
	out := map[string]string{"status": "OK, goodbye"}
	if own != nil {
		if err := i.end(c, own, telemetry.SourceLogout); err != nil {
			return err
		}
		return i.bye(c, out)
	}
	i.Cookies.expire(c.w.Header(), i.Cookies.Impersonation)
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, out)
}

// actorsRefreshToken reads the refresh token of the body, which must be of the log-in
// from which its holder acts. Nil: that log-in is over already.
func (i *Issuer) actorsRefreshToken(c *call, body fields) (*token.Identity, error) {
	raw, err := body.texts("refresh_token")
	if err != nil {
		return nil, err
	}
	id, refused, err := i.check(c, raw[0], refreshType)
	i.noteToken(c, c.caller) // the line is about who called
	own := func(t *token.Identity) bool { return t.Subject == c.caller.Actor && t.SID == c.caller.ActorSID }
	switch {
	case err == nil && own(id):
		return id, nil
	case err == nil:
		return nil, notValid(token.ReasonClaim, invalid)
	case refused != nil && refused.Token != nil && own(refused.Token) && (refused.Reason == token.ReasonRevoked || refused.Reason == token.ReasonExpired):
		return nil, nil
	}
	return nil, err
}
