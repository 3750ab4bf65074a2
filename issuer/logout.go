package issuer

import (
	"fmt"
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// logout ends the session of the refresh token in the body, or that of the
// access token it is called with, or with "all" every session of the caller. Whoever
// acts as another user ends that alone: see logoutActing.
func (i *Issuer) logout(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	if c.caller.Actor != "" {
		return i.logoutActing(c, body)
	}
	if body.truth("all") {
		if _, err := i.Sessions.EndAll(c.r.Context(), c.caller.Subject, "logout all", actor(c.caller)); err != nil {
			return err
		}
		i.Metrics.Revoked(string(revocation.KindSubject), telemetry.SourceLogout)
		i.note(c, by(store.Line{Action: "session.end_all", Kind: "subject", Target: c.caller.Subject, Detail: telemetry.SourceLogout}, c.caller))
		return i.bye(c, map[string]string{"status": "OK, goodbye, all refresh tokens blacklisted"})
	}
	ending := c.caller
	if v, sent := body["refresh_token"]; sent && v != nil {
		if ending, err = i.ownRefreshToken(c, body); err != nil {
			return err
		}
	}
	if ending != nil {
		if err := i.end(c, ending, telemetry.SourceLogout); err != nil {
			return err
		}
	}
	out := map[string]string{"status": "OK, goodbye"}
	if ending != nil && ending.SID == c.caller.SID {
		return i.bye(c, out)
	}
	c.record.Decision = telemetry.Allow // another device's session: the caller goes on
	return c.reply(http.StatusOK, out)
}

// ownRefreshToken reads the refresh token of the body, and returns the token whose
// session is to end. It must be the caller's own. One that is over already is no
// fault: nil, there is nothing left to end; unless it is of the session that the
// caller is logged in with, which lives on by a later one.
func (i *Issuer) ownRefreshToken(c *call, body fields) (*token.Identity, error) {
	raw, err := body.texts("refresh_token")
	if err != nil {
		return nil, err
	}
	caller := c.caller
	id, refused, err := i.check(c, raw[0], refreshType)
	i.noteToken(c, caller) // the line is about who called
	if refused != nil && refused.Token != nil && refused.Token.Subject == caller.Subject &&
		(refused.Reason == token.ReasonRevoked || refused.Reason == token.ReasonExpired) {
		if refused.Token.SID == caller.SID {
			return caller, nil
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if id.Subject != caller.Subject {
		return nil, notValid(token.ReasonClaim, invalid)
	}
	return id, nil
}

// end ends the session of a token, or revokes the token where it has none.
func (i *Issuer) end(c *call, id *token.Identity, source string) error {
	ctx := c.r.Context()
	if id.SID == "" {
		if err := i.revokeOne(ctx, id, source, actor(id)); err != nil {
			return err
		}
		i.ended(c, id, source)
		return nil
	}
	if err := i.Sessions.End(ctx, id.SID, source, actor(id)); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	i.Metrics.Revoked(string(revocation.KindSession), source)
	i.ended(c, id, source)
	return nil
}

// actor names a user in revocations and lists, and who acts as him.
func actor(id *token.Identity) string {
	if id.Actor != "" {
		return "user:" + id.Actor + " as user:" + id.Subject
	}
	return "user:" + id.Subject
}
