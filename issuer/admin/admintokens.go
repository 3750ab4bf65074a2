package admin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/issuer/store"
)

type adminTokenBody struct {
	Name      string     `json:"name"`
	Role      Role       `json:"role"`
	ExpiresAt *time.Time `json:"expires_at"` // absent: never
}

type adminTokenItem struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	State     string     `json:"state"` // live, expired or revoked
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt *time.Time `json:"expires_at"`   // null: never
	LastUsed  *time.Time `json:"last_used_at"` // to the minute; null: never
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	RevokedBy string     `json:"revoked_by,omitempty"`
	// Token stands in the answer that makes it, and never again.
	Token string `json:"token,omitempty"`
}

func adminTokenOf(t *store.AdminToken, raw string) adminTokenItem {
	item := adminTokenItem{
		ID: t.ID, Name: t.Name, Role: t.Role, State: "live", CreatedAt: t.Created.UTC(), CreatedBy: t.CreatedBy, ExpiresAt: timeOrNil(t.Expires),
		LastUsed: timeOrNil(t.Used), RevokedAt: timeOrNil(t.Revoked), RevokedBy: t.RevokedBy, Token: raw,
	}
	switch {
	case !t.Revoked.IsZero():
		item.State = "revoked"
	case !t.Expires.IsZero() && !t.Expires.After(time.Now()):
		item.State = "expired"
	}
	return item
}

func noAdminTokens() error {
	return &problem.Details{Status: http.StatusNotFound, Code: "not_here", Detail: "This process keeps no admin tokens."}
}

func (a *Admin) listAdminTokens(c echo.Context) error {
	if a.AdminTokens == nil {
		return noAdminTokens()
	}
	found, err := a.AdminTokens.List(c.Request().Context())
	if err != nil {
		return err
	}
	out := page[adminTokenItem]{Items: []adminTokenItem{}}
	for _, t := range found {
		out.Items = append(out.Items, adminTokenOf(t, ""))
	}
	return c.JSON(http.StatusOK, out)
}

// addAdminToken makes a token. It stands in the answer alone.
func (a *Admin) addAdminToken(c echo.Context) error {
	if a.AdminTokens == nil {
		return noAdminTokens()
	}
	var body adminTokenBody
	if err := read(c, &body); err != nil {
		return err
	}
	if err := legible(named{"name", body.Name}); err != nil {
		return err
	}
	who := whoOf(c.Request().Context())
	switch {
	case body.Role.rank() == 0:
		return badBody("The member role is one of viewer, operator, admin.")
	case !who.Role.may(body.Role):
		return needs(body.Role, who)
	case strings.EqualFold(body.Name, bootstrap):
		return badBody("The name bootstrap is that of TOLLGATE_ADMIN_TOKEN.")
	}
	t := store.AdminToken{Name: body.Name, Role: string(body.Role), CreatedBy: who.Name}
	if body.ExpiresAt != nil {
		t.Expires = *body.ExpiresAt
	}
	made, raw, err := a.AdminTokens.Create(c.Request().Context(), t)
	if err != nil {
		return err
	}
	about(c.Request().Context(), "admin_token", made.ID)
	a.Log.Info("an admin token was made", "id", made.ID, "role", made.Role, "actor", actorOf(c))
	return c.JSON(http.StatusCreated, adminTokenOf(made, raw))
}

func (a *Admin) revokeAdminToken(c echo.Context) error {
	if a.AdminTokens == nil {
		return noAdminTokens()
	}
	id := param(c, "id")
	if id == bootstrap {
		return badBody("The bootstrap token is the value of TOLLGATE_ADMIN_TOKEN: it is changed there.")
	}
	t, err := a.AdminTokens.Revoke(c.Request().Context(), id, actorOf(c))
	if err != nil {
		return unsettledToken(err)
	}
	a.Log.Info("an admin token was revoked", "id", id, "actor", actorOf(c))
	return c.JSON(http.StatusOK, adminTokenOf(t, ""))
}

func unsettledToken(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return unsettled(err, "Whether the admin token is revoked is not known.")
	}
	return err
}
