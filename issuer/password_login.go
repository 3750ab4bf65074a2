package issuer

import (
	"errors"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/users"
)

// passwordAtLogin changes the password of somebody who has no token, because it has to
// be changed before there can be a log-in: name and old password prove who calls, and
// are refused, counted and audited as a log-in's. The new one has to be another.
func (i *Issuer) passwordAtLogin(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	if _, named := body[i.LoginField]; !named || i.ChangeAtLogin == nil {
		refusal := problem.Missing()
		c.record.Decision, c.record.Reason, c.record.Error = telemetry.Deny, string(refusal.Reason), string(refusal.Fault)
		refusal.Scheme = i.Schemes[0]
		refusal.Write(c.w)
		return nil
	}
	texts, err := body.texts(i.LoginField, "old_password", "new_password")
	if err != nil {
		return err
	}
	if texts[1] == texts[2] { // whatever the old one is
		return fieldFault("new_password", "The new password is the old one.")
	}
	if err := i.throttle(c, texts[0]); err != nil { // before anything is hashed
		return err
	}
	ctx := c.r.Context()
	u, err := i.ChangeAtLogin(ctx, texts[0], texts[1], texts[2])
	if errors.Is(err, users.ErrUnsettled) { // who it is stands in the record, if it can be read
		return i.unsettled(c, texts[0], err)
	}
	if err != nil {
		i.auditAttempt(c, "password.change", texts[0], err)
	}
	if err := i.settle(ctx, c, u.ID, "user:"+u.ID, err); err != nil {
		return err
	}
	i.Metrics.Login(telemetry.LoginSuccess)
	return i.renewed(ctx, c, u.ID, false)
}

// unsettled answers a change without a token of which nobody knows whether it was
// written. Sessions cannot be ended without the user's id, and somebody who must change
// the password has none: they were ended when that was asked for.
func (i *Issuer) unsettled(c *call, name string, err error) error {
	i.Log.Error("a password was changed at the log-in, or was not: its user's sessions from before may live on",
		"username", clip(name), "request_id", c.record.RequestID, "error", err)
	return err
}
