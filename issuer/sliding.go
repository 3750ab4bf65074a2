package issuer

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

const (
	slidingType     = "sliding"
	refreshExpClaim = "refresh_exp"
)

// obtainSliding is the log-in for one sliding token.
func (i *Issuer) obtainSliding(c *call) error { return i.logIn(c, true) }

func (i *Issuer) mintSliding(ctx context.Context, c *call, u users.User, p session.Pair, grant string) (tokens, error) {
	raw, err := i.sign(ctx, c, u, p, slidingType, p.Access)
	if err != nil {
		return tokens{}, err
	}
	i.Metrics.Issued(telemetry.TokenSliding, grant)
	c.record.Subject, c.record.JTI = p.Subject, p.Access.JTI
	return tokens{Token: raw}, nil
}

// refreshSliding exchanges a sliding token that has not expired for one with a later
// exp: same jti, same refresh_exp. The one that came stays valid until its own exp.
func (i *Issuer) refreshSliding(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	raw, err := c.textOrCookie(body, "token", i.Cookies.Access)
	if err != nil {
		return err
	}
	id, _, err := i.check(c, raw, slidingType)
	if err != nil {
		i.Metrics.Refresh(refreshResult(err))
		return err
	}
	if _, ok := id.Number(refreshExpClaim); !ok {
		i.Metrics.Refresh(telemetry.RefreshInvalid)
		return notValid(token.ReasonMalformed, "Token has no 'refresh_exp' claim")
	}
	ctx := c.r.Context()
	u, err := i.refresher(ctx, id)
	if err != nil {
		return err
	}
	pair, err := i.Sessions.Slide(ctx, id.SID, id.JTI, session.ForSubject(id.Subject), session.Checked())
	if errors.Is(err, session.ErrExpired) {
		i.Metrics.Refresh(telemetry.RefreshExpired)
		return notValid(token.ReasonExpired, "Token 'refresh_exp' claim has expired")
	}
	if err != nil {
		return i.refreshFailed(c, err)
	}
	out, err := i.mintSliding(ctx, c, u, pair, telemetry.GrantRefresh)
	if err != nil {
		i.Metrics.Refresh(telemetry.RefreshUnavailable)
		return err
	}
	i.Metrics.Refresh(telemetry.RefreshRotated)
	c.record.Decision = telemetry.Allow
	return i.hand(c, out, pair)
}

// refresher reads the user of a token that is to be refreshed, so that the new one
// carries what holds now, and refuses whoever is gone, disabled, or has another
// password than when the session began.
func (i *Issuer) refresher(ctx context.Context, id *token.Identity) (users.User, error) {
	u, err := i.Users.ByID(ctx, id.Subject)
	switch {
	case errors.Is(err, users.ErrNotFound), err == nil && !u.IsActive:
		i.Metrics.Refresh(telemetry.RefreshEnded)
		return u, unauthorized(noAccount)
	case err != nil:
		i.Metrics.Refresh(telemetry.RefreshUnavailable)
		return u, err
	case !i.Claims.samePassword(id, u):
		if err := i.Sessions.End(ctx, id.SID, passwordChanged, actor(id)); err != nil {
			i.Metrics.Refresh(telemetry.RefreshUnavailable)
			return u, fmt.Errorf("end session: %w", err)
		}
		i.Metrics.Refresh(telemetry.RefreshEnded)
		return u, &fault{http.StatusUnauthorized, map[string]string{"detail": "The user's password has been changed."}, true, token.ReasonRevoked, passwordChanged}
	}
	return u, nil
}
