package issuer

import (
	"errors"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
)

const drfBadCredentials = "Unable to log in with provided credentials." //nolint:gosec // an answer, not a credential

// drfObtain is the log-in of drf-jwt: one token, which gives access and is refreshed.
func (i *Issuer) drfObtain(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	credentials, err := body.texts(i.LoginField, "password")
	if err != nil {
		return err
	}
	if err := i.throttle(c, credentials[0]); err != nil { // before anything is hashed
		return err
	}
	ctx := c.r.Context()
	birth, err := i.Revocations.Now(ctx) // before the user is read: see obtain
	if err != nil {
		i.Metrics.Login(telemetry.LoginUnavailable)
		return err
	}
	u, err := i.Users.Authenticate(ctx, credentials[0], credentials[1])
	if err != nil {
		i.auditFailure(c, "login", credentials[0], err)
		return i.drfLoginFailed(err)
	}
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
	return i.drfHand(c, raw, pair.Access)
}

// drfLoginFailed counts a failed log-in and words it as drf-jwt does.
func (i *Issuer) drfLoginFailed(err error) error {
	err = i.loginFailed(err)
	if f, ok := errors.AsType[*fault](err); ok && f.detail == badCredentials {
		return drfFault("", drfBadCredentials)
	}
	return err
}
