package issuer

import (
	"context"
	"errors"
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/keys/token"
	"tollgate/revocation"
)

const (
	blacklisted = "Token is blacklisted"
	invalid     = "Token is invalid"
	noAccount   = "No active account found for the given token."
)

// refresh hands out the next pair of a session, or the standing one again when
// its answer may not have arrived.
func (i *Issuer) refresh(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	raw, err := c.textOrCookie(body, "refresh", i.Cookies.Refresh)
	if err != nil {
		return err
	}
	out, pair, err := i.renew(c, raw)
	if err != nil {
		return err
	}
	c.record.Decision = telemetry.Allow
	i.Cookies.set(c.w.Header(), out, pair)
	shown := i.Cookies.body(out)
	if err := c.reply(http.StatusOK, refreshed{shown.Access, shown.Refresh}); err != nil {
		return err // not delivered: the token that was presented may come again
	}
	i.delivered(c, pair)
	return nil
}

// renew spends a refresh token; more is about the access token alone. Its answer is to
// be followed by delivered.
func (i *Issuer) renew(c *call, raw string, more ...moreClaims) (tokens, session.Pair, error) {
	id, _, err := i.check(c, raw, refreshType)
	if err != nil {
		i.Metrics.Refresh(refreshResult(err))
		return tokens{}, session.Pair{}, err
	}
	generation, ok := id.Number(generationClaim)
	if !ok || id.SID == "" {
		i.Metrics.Refresh(telemetry.RefreshInvalid)
		return tokens{}, session.Pair{}, notValid(token.ReasonMalformed, invalid)
	}
	ctx := c.r.Context()
	// The claims are read anew, so that a refresh carries what holds now. Reading
	// before rotating: a user who is gone costs no generation.
	u, err := i.refresher(ctx, id)
	if err != nil {
		return tokens{}, session.Pair{}, err
	}
	pair, err := i.Sessions.Rotate(ctx, id.SID, int64(generation), id.JTI, session.ForSubject(id.Subject), session.Checked(), session.From(address(c), c.r.UserAgent()))
	if err != nil {
		return tokens{}, session.Pair{}, i.refreshFailed(c, err)
	}
	out, err := i.mint(ctx, c, u, pair, i.Rotate, telemetry.GrantRefresh, more...)
	if err != nil {
		i.Metrics.Refresh(telemetry.RefreshUnavailable)
		return tokens{}, session.Pair{}, err
	}
	i.Metrics.Refresh(rotated(pair))
	return out, pair, nil
}

func rotated(p session.Pair) string {
	if p.Replay {
		return telemetry.RefreshReplayed
	}
	return telemetry.RefreshRotated
}

// delivered notes that the answer left for the client. Until then a replay of
// the token that was presented is taken for a lost answer, not for theft.
func (i *Issuer) delivered(c *call, p session.Pair) {
	if err := http.NewResponseController(c.w).Flush(); err != nil {
		return
	}
	// The answer has left: this has time of its own.
	ctx := store.WithBudget(context.WithoutCancel(c.r.Context()), i.RedisTime)
	if err := i.Sessions.Delivered(ctx, p.SID, p.Generation); err != nil {
		i.Log.Warn("a refresh was not marked delivered; its predecessor can be replayed for up to ten minutes",
			"request_id", c.record.RequestID, "error", err)
	}
}

func refreshResult(err error) string {
	var f *fault
	if errors.As(err, &f) {
		switch f.reason {
		case token.ReasonRevoked:
			return telemetry.RefreshEnded
		case token.ReasonExpired:
			return telemetry.RefreshExpired
		}
		return telemetry.RefreshInvalid
	}
	return telemetry.RefreshUnavailable
}

func (i *Issuer) refreshFailed(c *call, err error) error {
	switch {
	case errors.Is(err, session.ErrReuse):
		i.Metrics.Refresh(telemetry.RefreshReuse)
		i.Metrics.Revoked(string(revocation.KindSession), telemetry.SourceReuse)
		i.Log.Warn("a spent refresh token came back: its session was ended",
			"sub", c.record.Subject, "jti", c.record.JTI, "remote", c.record.Remote, "request_id", c.record.RequestID)
		i.note(c, store.Line{
			Action: "refresh.reuse", Actor: "user:" + c.record.Subject, ActorID: c.record.Subject, Kind: "jti", Target: c.record.JTI,
			Outcome: store.OutcomeRefused, Detail: telemetry.SourceReuse,
		})
		return notValid(token.ReasonRevoked, blacklisted)
	case errors.Is(err, session.ErrEnded):
		i.Metrics.Refresh(telemetry.RefreshEnded)
		return notValid(token.ReasonRevoked, blacklisted)
	case errors.Is(err, session.ErrLost):
		i.Metrics.Refresh(telemetry.RefreshLost)
		i.Log.Warn("the store has no record of a session whose refresh token is genuine: the store lost it, the user logs in again",
			"sub", c.record.Subject, "jti", c.record.JTI, "request_id", c.record.RequestID)
		return notValid(token.ReasonRevoked, invalid)
	case errors.Is(err, session.ErrExpired):
		i.Metrics.Refresh(telemetry.RefreshExpired)
		return notValid(token.ReasonExpired, "Token is expired")
	}
	i.Metrics.Refresh(telemetry.RefreshUnavailable)
	return err
}
