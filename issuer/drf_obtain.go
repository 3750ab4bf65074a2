package issuer

import (
	"errors"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
)

const drfBadCredentials = "Unable to log in with provided credentials." //nolint:gosec // an answer, not a credential

// drfObtain is the log-in of drf-jwt: one token, which gives access and is refreshed.
func (i *Issuer) drfObtain(c *call) error {
	u, birth, err := i.prove(c, i.drfLoginFailed)
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	first := i.drfClaims(u, nil)
	if err := i.fitsWith(u, i.drfClaims(u, &drfChain{1, "00000000-0000-0000-0000-000000000000"})); err != nil {
		return err
	}
	pair, err := i.Sessions.StartSolo(ctx, session.Start{
		Birth: birth, Subject: u.ID, Username: u.Username, Address: address(c), Agent: c.r.UserAgent(),
	}, session.Solo{UUID: true, Renews: !i.DRF.NoRefresh})
	if err != nil {
		return i.drfLoginFailed(err)
	}
	if !i.DRF.NoRefresh {
		first[origIATClaim] = pair.Access.IssuedAt.Unix()
	}
	raw, err := i.sign(ctx, c, u, pair, accessType, pair.Access, first)
	if err != nil {
		i.Metrics.Login(telemetry.LoginUnavailable)
		return err
	}
	i.Metrics.Issued(telemetry.TokenAccess, telemetry.GrantPassword)
	i.Metrics.Login(telemetry.LoginSuccess)
	i.recordLogin(ctx, c, u)
	i.loggedIn(c, u, pair.SID)
	c.record.Subject, c.record.JTI = pair.Subject, pair.Access.JTI
	raw = i.drfKeep(c, raw, pair.Access)
	i.stopActing(c)
	return i.drfShow(c, raw, pair.Access, i.userObject(u))
}

// drfLoginFailed counts a failed log-in and words it as drf-jwt does.
func (i *Issuer) drfLoginFailed(err error) error {
	err = i.loginFailed(err)
	if f, ok := errors.AsType[*fault](err); ok && f.detail == badCredentials {
		return drfFault("", drfBadCredentials)
	}
	return err
}
