package issuer

import (
	"errors"
	"net"
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

const badCredentials = "No active account found with the given credentials" //nolint:gosec // an answer, not a credential

// obtain is the log-in: name and password for a pair of tokens.
func (i *Issuer) obtain(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	credentials, err := body.texts(i.LoginField, "password")
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	// The session's birth is taken before the user record is read: a cut-off that
	// falls in between (a changed password, a disabled user) then covers it.
	birth, err := i.Revocations.Now(ctx)
	if err != nil {
		i.Metrics.Login(telemetry.LoginUnavailable)
		return err
	}
	u, err := i.Users.Authenticate(ctx, credentials[0], credentials[1])
	if err != nil {
		return i.loginFailed(err)
	}
	// Claims that can never be signed are found before a session begins: it would
	// stand for as long as its tokens, which nobody has.
	if err := i.Claims.fits(u, i.MaxTokenBytes); err != nil {
		return err
	}
	pair, err := i.Sessions.Start(ctx, session.Start{
		Birth: birth, Subject: u.ID, Username: u.Username, Address: peer(c.r), Agent: c.r.UserAgent(),
	})
	if err != nil {
		return i.loginFailed(err)
	}
	out, err := i.mint(ctx, c, u, pair, true, telemetry.GrantPassword)
	if err != nil {
		i.Metrics.Login(telemetry.LoginUnavailable)
		return err
	}
	i.Metrics.Login(telemetry.LoginSuccess)
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, out)
}

func (i *Issuer) loginFailed(err error) error {
	switch {
	case errors.Is(err, users.ErrMustChange): // before the next, which it also is
		i.Metrics.Login(telemetry.LoginFailure)
		return mustChange()
	case errors.Is(err, users.ErrCredentials), errors.Is(err, session.ErrEnded):
		i.Metrics.Login(telemetry.LoginFailure)
		return unauthorized(badCredentials)
	case errors.Is(err, users.ErrBusy):
		i.Metrics.Login(telemetry.LoginBusy)
	default:
		i.Metrics.Login(telemetry.LoginUnavailable)
	}
	return err
}

// peer is the client's address without its port.
func peer(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
