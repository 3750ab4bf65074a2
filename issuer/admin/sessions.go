package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/issuer/session"
	"tollgate/revocation"
)

type sessionItem struct {
	SID         string     `json:"sid"`
	Subject     string     `json:"subject"`
	Username    string     `json:"username"`
	Address     string     `json:"address"`
	Agent       string     `json:"agent"`
	State       string     `json:"state"`
	Generation  int64      `json:"generation"`
	CreatedAt   time.Time  `json:"created_at"`
	LastRefresh *time.Time `json:"last_refresh"`
	ExpiresAt   *time.Time `json:"expires_at"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Actor       string     `json:"actor,omitempty"`
	// Impersonator is the user who acts in the subject's name.
	Impersonator string `json:"impersonator,omitempty"`
	// Tokens are those of which a record is kept, the newest first.
	Tokens []mintedItem `json:"tokens,omitempty"`
	// Refreshes are its refresh tokens, the current one and the last that were spent, the
	// newest first; of one session alone.
	Refreshes []refreshedItem `json:"refreshes,omitempty"`
}

type refreshedItem struct {
	Generation int64      `json:"generation"`
	JTI        string     `json:"jti"`
	IssuedAt   time.Time  `json:"issued_at"`
	SpentAt    *time.Time `json:"spent_at"` // null: it is the current one
	Address    string     `json:"address"`  // of who got it
	Agent      string     `json:"agent"`
}

type mintedItem struct {
	Type       string    `json:"type"`
	JTI        string    `json:"jti"`
	Generation int64     `json:"generation"`
	IssuedAt   time.Time `json:"issued_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

func sessionOf(s session.Session) sessionItem {
	var tokens []mintedItem
	for _, m := range s.Minted {
		kind := "access"
		if m.Refresh {
			kind = "refresh"
		}
		tokens = append(tokens, mintedItem{kind, m.JTI, m.Generation, m.IssuedAt.UTC(), m.ExpiresAt.UTC()})
	}
	return sessionItem{
		SID: s.SID, Subject: s.Subject, Username: s.Username, Address: s.Address, Agent: s.Agent, State: s.State,
		Generation: s.Generation, CreatedAt: s.Created.UTC(), LastRefresh: timeOrNil(s.LastRefresh),
		ExpiresAt: timeOrNil(s.ExpiresAt), EndedAt: timeOrNil(s.EndedAt), Reason: s.Reason, Actor: s.Actor, Tokens: tokens, Impersonator: s.Impersonator,
	}
}

// wholeOf is sessionOf with its line.
func wholeOf(s session.Session) sessionItem {
	out := sessionOf(s)
	for _, r := range s.Line {
		out.Refreshes = append(out.Refreshes, refreshedItem{r.Generation, r.JTI, r.IssuedAt.UTC(), timeOrNil(r.SpentAt), r.Address, r.Agent})
	}
	return out
}

func (a *Admin) listSessions(c echo.Context) error {
	if a.Sessions == nil {
		return absent("sessions")
	}
	most := 100
	if err := limit(c, &most); err != nil {
		return err
	}
	ctx, out := c.Request().Context(), page[sessionItem]{Items: []sessionItem{}}
	subject, cursor := c.QueryParam("subject"), c.QueryParam("cursor")
	if subject != "" && cursor != "" {
		return badBody("The parameter cursor does not go with subject: those sessions come all at once.")
	}
	var found []session.Session
	var err error
	jti := c.QueryParam("jti")
	switch {
	case jti != "" && subject != "":
		return badBody("The parameters subject and jti do not go together.")
	case jti != "":
		found, err = a.sessionByJTI(ctx, jti)
	case subject != "":
		found, err = a.Sessions.List(ctx, subject) // all of them, the newest first
	default:
		found, out.Next, err = a.Sessions.All(ctx, most, cursor)
	}
	if err != nil {
		return atPlace(err, "cursor")
	}
	for _, s := range found {
		out.Items = append(out.Items, sessionOf(s))
	}
	return c.JSON(http.StatusOK, out)
}

// sessionByJTI finds the session of a refresh token, spent or not. Of access tokens no
// index is kept: what they are good for is over in minutes, and their sid is in them.
func (a *Admin) sessionByJTI(ctx context.Context, jti string) ([]session.Session, error) {
	sid, err := a.Sessions.ByJTI(ctx, jti)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	one, err := a.Sessions.Get(ctx, sid)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	return []session.Session{one}, err
}

func (a *Admin) showSession(c echo.Context) error {
	if a.Sessions == nil {
		return absent("sessions")
	}
	s, err := a.Sessions.Get(c.Request().Context(), param(c, "sid"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, wholeOf(s))
}

func (a *Admin) endSession(c echo.Context) error {
	if a.Sessions == nil {
		return absent("sessions")
	}
	ctx, sid := c.Request().Context(), param(c, "sid")
	s, err := a.Sessions.Get(ctx, sid)
	if err != nil {
		return err
	}
	if err := a.Sessions.End(ctx, sid, "ended by an administrator", actorOf(c)); err != nil {
		return err
	}
	a.Metrics.Revoked(string(revocation.KindSession), sourceOf(c))
	a.Log.Info("a session was ended", "sid", sid, "sub", s.Subject, "actor", actorOf(c))
	if s, err = a.Sessions.Get(ctx, sid); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, wholeOf(s))
}

func (a *Admin) endSessions(c echo.Context) error {
	if a.Sessions == nil {
		return absent("sessions")
	}
	r, err := a.Sessions.EndAll(c.Request().Context(), param(c, "sub"), "ended by an administrator", actorOf(c))
	if err != nil {
		return err
	}
	a.Metrics.Revoked(string(revocation.KindSubject), sourceOf(c))
	a.Log.Info("a subject's sessions were ended", "sub", r.Subject, "id", r.ID, "actor", actorOf(c))
	return c.JSON(http.StatusOK, itemOf(r))
}
