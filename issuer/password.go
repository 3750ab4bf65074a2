package issuer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
	"tollgate/revocation"
)

const passwordChanged = "password changed"

// password gives the caller another password and ends every session of his. The
// answer is a session of its own, begun after: a front end goes on with it as after a
// log-in.
//
// The hash is written first, then the cut-off: a log-in with the old password that
// straddles them was born before the cut-off. It is written only while the old password
// stands: of two changes at once, by the user and by whoever knows the old one, too, the
// later does not undo the first.
func (i *Issuer) password(c *call) error {
	if c.caller == nil {
		return i.passwordAtLogin(c)
	}
	if err := personal(c.caller); err != nil {
		return err
	}
	body, err := c.readFields()
	if err != nil {
		return err
	}
	texts, err := body.texts("old_password", "new_password")
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	u, err := i.account(ctx, c.caller)
	if err != nil {
		return err
	}
	if err := i.throttle(c, i.loginName(u)); err != nil {
		return err
	}
	_, err = i.ChangePassword(ctx, u.ID, texts[0], texts[1])
	if errors.Is(err, users.ErrCredentials) {
		i.Metrics.Login(telemetry.LoginFailure)
		i.auditFailure(c, "password.change", i.loginName(u), "credentials")
		return fieldFault("old_password", "Your old password was entered incorrectly. Please enter it again.")
	}
	if err := i.settle(ctx, c, u.ID, actor(c.caller), err); err != nil {
		return err
	}
	return i.renewed(ctx, c, u.ID, c.caller.TokenType == slidingType)
}

// settle ends the sessions of a user whose password was changed. A change of which
// nobody knows whether it was written ends them too: the caller logs in again, with
// whichever password it is.
func (i *Issuer) settle(ctx context.Context, c *call, id, who string, written error) error {
	switch {
	case errors.Is(written, users.ErrInvalid):
		return fieldFault("new_password", "This password cannot be used: "+strings.TrimPrefix(written.Error(), users.ErrInvalid.Error()+": ")+".")
	case written != nil && !errors.Is(written, users.ErrUnsettled):
		return i.loginFailed(written) // nothing was written
	}
	// The client may go, and time may run out: what was begun is ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := i.Sessions.EndAll(ctx, id, passwordChanged, who)
	if err == nil {
		i.Metrics.Revoked(string(revocation.KindSubject), telemetry.SourcePassword)
	} else {
		i.Log.Error("a password was changed and the sessions from before it may live on: end them when Redis is back",
			"sub", id, "request_id", c.record.RequestID, "error", err)
	}
	return errors.Join(written, err)
}

// renewed answers with the tokens of a session that begins after the cut-off.
func (i *Issuer) renewed(ctx context.Context, c *call, id string, sliding bool) error {
	birth, err := i.Revocations.Now(ctx)
	if err != nil {
		return err
	}
	u, err := i.accountOf(ctx, id) // its password has another version now
	if err != nil {
		return err
	}
	line := store.Line{Action: "password.change", Kind: "user", Target: u.Username, Actor: "user:" + u.ID, ActorID: u.ID}
	if c.caller != nil {
		line = by(line, c.caller)
	}
	i.note(c, line)
	out, pair, err := i.begin(ctx, c, u, birth, sliding)
	if err != nil {
		return err
	}
	c.record.Decision = telemetry.Allow
	return i.hand(c, out, pair)
}

// account reads the caller's own record.
func (i *Issuer) account(ctx context.Context, caller *token.Identity) (users.User, error) {
	return i.accountOf(ctx, caller.Subject)
}

func (i *Issuer) accountOf(ctx context.Context, id string) (users.User, error) {
	u, err := i.Users.ByID(ctx, id)
	switch {
	case errors.Is(err, users.ErrNotFound):
		return u, accountFault("User not found", "user_not_found")
	case err != nil:
		return u, fmt.Errorf("account: %w", err)
	case !u.IsActive:
		return u, accountFault("User is inactive", "user_inactive")
	}
	return u, nil
}

// loginName is what the user logs in with.
func (i *Issuer) loginName(u users.User) string {
	if i.LoginField == "email" {
		return u.Email
	}
	return u.Username
}

// personal refuses tokens that somebody else holds for the user: an impersonator's
// (RFC 8693 section 4.1), or a program's (section 4.3 there).
func personal(caller *token.Identity) error {
	if caller.Has("act") || caller.Has("client_id") {
		return &fault{status: http.StatusForbidden, reason: token.ReasonClaim, detail: "not a token of the user's own",
			body: map[string]string{"detail": "You do not have permission to perform this action."}}
	}
	return nil
}

func accountFault(message, code string) *fault {
	return &fault{http.StatusUnauthorized, detail{message, code}, true, token.ReasonClaim, message}
}

func fieldFault(name, message string) *fault {
	return &fault{status: http.StatusBadRequest, detail: name + " refused", body: map[string][]string{name: {message}}}
}
