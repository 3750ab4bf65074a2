package issuer

import (
	"context"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

// logIn is a log-in by name and password, for a pair of tokens or a sliding one.
func (i *Issuer) logIn(c *call, sliding bool) error {
	u, birth, err := i.prove(c, i.loginFailed)
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	out, pair, err := i.begin(ctx, c, u, birth, sliding)
	if err != nil {
		return err
	}
	i.Metrics.Login(telemetry.LoginSuccess)
	i.recordLogin(ctx, c, u)
	i.loggedIn(c, u, pair.SID)
	c.record.Decision = telemetry.Allow
	return i.welcome(c, out, pair)
}

// prove takes name and password from a body and returns whose they are, with the birth
// that a session of theirs has from now on. Failed counts and words a refusal.
func (i *Issuer) prove(c *call, failed func(error) error) (users.User, int64, error) {
	body, err := c.readFields()
	if err != nil {
		return users.User{}, 0, err
	}
	credentials, err := body.texts(i.LoginField, "password")
	if err != nil {
		return users.User{}, 0, err
	}
	if err := i.throttle(c, credentials[0]); err != nil { // before anything is hashed
		return users.User{}, 0, err
	}
	ctx := c.r.Context()
	// The session's birth is taken before the user record is read: a cut-off that
	// falls in between (a changed password, a disabled user) then covers it.
	birth, err := i.Revocations.Now(ctx)
	if err != nil {
		i.Metrics.Login(telemetry.LoginUnavailable)
		return users.User{}, 0, err
	}
	u, err := i.Users.Authenticate(ctx, credentials[0], credentials[1])
	if err != nil {
		i.auditAttempt(c, "login", credentials[0], err)
		return users.User{}, 0, failed(err)
	}
	return u, birth, nil
}

// begin starts a session for a user who has proved who he is, and signs its tokens.
func (i *Issuer) begin(ctx context.Context, c *call, u users.User, birth int64, sliding bool) (tokens, session.Pair, error) {
	// Claims that can never be signed are found before a session begins: it would
	// stand for as long as its tokens, which nobody has.
	if err := i.Claims.fits(u, i.room()); err != nil {
		return tokens{}, session.Pair{}, err
	}
	start := session.Start{Birth: birth, Subject: u.ID, Username: u.Username, Address: address(c), Agent: c.r.UserAgent()}
	begin, mint := i.Sessions.Start, i.mintPair
	if sliding {
		begin, mint = i.Sessions.StartSliding, i.mintSliding
	}
	pair, err := begin(ctx, start)
	if err != nil {
		return tokens{}, session.Pair{}, i.loginFailed(err)
	}
	out, err := mint(ctx, c, u, pair, telemetry.GrantPassword)
	if err != nil {
		i.Metrics.Login(telemetry.LoginUnavailable)
		return tokens{}, session.Pair{}, err
	}
	out.User = i.userObject(u)
	return out, pair, nil
}

func (i *Issuer) mintPair(ctx context.Context, c *call, u users.User, p session.Pair, grant string) (tokens, error) {
	return i.mint(ctx, c, u, p, true, grant)
}

// userObject is what a log-in tells of the user beside the tokens: the attributes of
// ResponseUserFields, null where the user has none. A password is no attribute.
func (i *Issuer) userObject(u users.User) map[string]any {
	if len(i.ResponseUserFields) == 0 {
		return nil
	}
	out := map[string]any{}
	for _, name := range i.ResponseUserFields {
		out[name], _ = u.Attribute(name)
	}
	return out
}

// recordLogin dates the log-in where that is asked for. The log-in does not depend on
// it.
func (i *Issuer) recordLogin(ctx context.Context, c *call, u users.User) {
	if i.RecordLogin == nil {
		return
	}
	if err := i.RecordLogin(ctx, u.ID); err != nil {
		i.Log.Warn("a log-in was not recorded in the user's last_login", "sub", u.ID, "request_id", c.record.RequestID, "error", err)
	}
}

// clip keeps a name that a client made up to the length that a user's may have.
func clip(name string) string {
	if runes := []rune(name); len(runes) > 150 {
		return string(runes[:150]) + "…"
	}
	return name
}
