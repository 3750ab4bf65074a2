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
// straddles them was born before the cut-off.
func (i *Issuer) password(c *call) error {
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
	switch known, err := i.Users.Authenticate(ctx, i.loginName(u), texts[0]); {
	case errors.Is(err, users.ErrCredentials), err == nil && known.ID != u.ID:
		i.Metrics.Login(telemetry.LoginFailure)
		i.auditFailure(c, "password.change", i.loginName(u), users.ErrCredentials)
		return fieldFault("old_password", "Your old password was entered incorrectly. Please enter it again.")
	case err != nil:
		return i.loginFailed(err)
	}
	if err := i.replacePassword(ctx, c, u, texts[1]); err != nil {
		return err
	}
	birth, err := i.Revocations.Now(ctx)
	if err != nil {
		return err
	}
	i.note(c, by(store.Line{Action: "password.change", Kind: "user", Target: u.Username}, c.caller))
	if u, err = i.account(ctx, c.caller); err != nil { // its password has another version now
		return err
	}
	out, pair, err := i.begin(ctx, c, u, birth, c.caller.TokenType == slidingType)
	if err != nil {
		return err
	}
	c.record.Decision = telemetry.Allow
	return i.hand(c, out, pair)
}

// replacePassword writes the new hash and then ends the sessions. A write of which
// nobody knows whether it happened ends them too: the caller logs in again, with
// whichever password it is.
func (i *Issuer) replacePassword(ctx context.Context, c *call, u users.User, password string) error {
	written := i.SetPassword(ctx, u.Username, password)
	switch {
	case errors.Is(written, users.ErrInvalid):
		return fieldFault("new_password", "This password cannot be used: "+strings.TrimPrefix(written.Error(), users.ErrInvalid.Error()+": ")+".")
	case written != nil && !errors.Is(written, users.ErrUnavailable):
		return written // nothing was written
	}
	// The client may go, and time may run out: what was begun is ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := i.Sessions.EndAll(ctx, u.ID, passwordChanged, actor(c.caller))
	if err == nil {
		i.Metrics.Revoked(string(revocation.KindSubject), telemetry.SourcePassword)
	} else {
		i.Log.Error("a password was changed and the sessions from before it may live on: end them when Redis is back",
			"sub", u.ID, "request_id", c.record.RequestID, "error", err)
	}
	return errors.Join(written, err)
}

// account reads the caller's own record.
func (i *Issuer) account(ctx context.Context, caller *token.Identity) (users.User, error) {
	u, err := i.Users.ByID(ctx, caller.Subject)
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

func accountFault(detail, code string) *fault {
	return &fault{http.StatusUnauthorized, map[string]string{"detail": detail, "code": code}, true, token.ReasonClaim, detail}
}

func fieldFault(name, message string) *fault {
	return &fault{status: http.StatusBadRequest, detail: name + " refused", body: map[string][]string{name: {message}}}
}
