package issuer

import (
	"errors"
	"fmt"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// drfRefresh exchanges a token that has not expired for a later one of the same line.
// Nothing is spent: the token that was presented lives on to its own end. The line
// ends at orig_iat + the session's longest life.
func (i *Issuer) drfRefresh(c *call) error {
	raw, err := i.drfPresented(c)
	if err != nil {
		return err
	}
	id, err := i.drfCheck(c, raw)
	if err != nil {
		i.Metrics.Refresh(refreshResult(err))
		return err
	}
	ctx := c.r.Context()
	u, err := i.drfUser(ctx, id)
	if err != nil {
		i.Metrics.Refresh(drfRefreshResult(err))
		return err
	}
	if err := i.drfSamePassword(c, id, u); err != nil {
		return err
	}
	chain, err := i.drfChainOf(id)
	if err != nil {
		i.Metrics.Refresh(telemetry.RefreshInvalid)
		return err
	}
	pair, err := i.Sessions.Renew(ctx, id.SID, id.JTI, session.ForSubject(id.Subject), session.Checked())
	if err != nil {
		return i.drfRefreshFailed(c, err)
	}
	out, err := i.sign(ctx, c, u, pair, accessType, pair.Access, i.drfClaims(u, &chain))
	if err != nil {
		i.Metrics.Refresh(telemetry.RefreshUnavailable)
		return err
	}
	i.Metrics.Issued(telemetry.TokenAccess, telemetry.GrantRefresh)
	i.Metrics.Refresh(telemetry.RefreshRotated)
	c.record.JTI = pair.Access.JTI
	return i.drfHand(c, out, pair.Access)
}

// drfSamePassword ends the line of a user who has another password than when it began.
func (i *Issuer) drfSamePassword(c *call, id *token.Identity, u users.User) error {
	if i.Claims.samePassword(id, u) {
		return nil
	}
	if err := i.Sessions.End(c.r.Context(), id.SID, passwordChanged, actor(id)); err != nil {
		i.Metrics.Refresh(telemetry.RefreshUnavailable)
		return fmt.Errorf("end session: %w", err)
	}
	i.Metrics.Refresh(telemetry.RefreshEnded)
	return drfFault(token.ReasonRevoked, "The user's password has been changed.")
}

// drfChainOf reads where the line of a token began, and whether it may go on.
func (i *Issuer) drfChainOf(id *token.Identity) (drfChain, error) {
	iat, ok := id.Number(origIATClaim)
	if !ok || i.DRF.NoRefresh {
		return drfChain{}, drfFault("", "orig_iat field not found in token.")
	}
	if id.SID == "" || id.Actor != "" { // none that these endpoints have handed out
		return drfChain{}, drfFault("", "Invalid token.")
	}
	jti, ok := id.Text(origJTIClaim)
	if !ok {
		jti = id.JTI
	}
	if jti == "" && i.DRF.TokenID == TokenIDRequire {
		return drfChain{}, drfFault("", "orig_jti or jti field not found in token.")
	}
	// Before the record is looked at, which may be gone.
	if i.Now().After(time.Unix(int64(iat), 0).Add(i.Sessions.MaxTTL())) {
		return drfChain{}, drfFault(token.ReasonExpired, refreshExpired)
	}
	return drfChain{int64(iat), jti}, nil
}

const refreshExpired = "Refresh has expired."

func (i *Issuer) drfRefreshFailed(c *call, err error) error {
	f, ok := errors.AsType[*fault](i.refreshFailed(c, err)) // counts and logs
	switch {
	case !ok:
		return err
	case errors.Is(err, session.ErrExpired):
		return drfFault(token.ReasonExpired, refreshExpired)
	case errors.Is(err, session.ErrEnded):
		return drfFault(token.ReasonRevoked, problem.DRFMessage(&token.Refusal{Reason: token.ReasonRevoked}))
	}
	return drfFault(f.reason, "Invalid token.")
}

// drfRefreshResult counts a user who is gone as an end, and all else as an outage.
func drfRefreshResult(err error) string {
	if _, ok := errors.AsType[*fault](err); ok {
		return telemetry.RefreshEnded
	}
	return telemetry.RefreshUnavailable
}
