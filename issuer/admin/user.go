package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"tollgate/issuer/users"
	"tollgate/revocation"
)

// userChange is the body of a PATCH: what is not there stays as it is.
type userChange struct {
	Email       *string         `json:"email"`
	Attributes  json.RawMessage `json:"attributes"` // replaced as a whole
	IsActive    *bool           `json:"is_active"`
	IsStaff     *bool           `json:"is_staff"`
	IsSuperuser *bool           `json:"is_superuser"`
	Password    *string         `json:"password"`
	MustChange  *bool           `json:"must_change_password"`
	// EndSessions asks for what another password, is_active false and
	// must_change_password bring about by themselves.
	EndSessions bool `json:"end_sessions"`
}

func (a *Admin) showUser(c echo.Context) error {
	if a.Users == nil {
		return a.noUsers()
	}
	u, err := a.Users.ByName(c.Request().Context(), param(c, "name"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, userOf(u))
}

// changeUser writes the change first and the cut-off after it. A log-in in between
// took its birth before it read the record: with the old record its birth is before
// the cut-off, which refuses it.
func (a *Admin) changeUser(c echo.Context) error {
	if a.Users == nil {
		return a.noUsers()
	}
	var body userChange
	if err := read(c, &body); err != nil {
		return err
	}
	patch := users.Patch{
		Email: body.Email, IsActive: body.IsActive, IsStaff: body.IsStaff, IsSuperuser: body.IsSuperuser,
		Password: body.Password, MustChange: body.MustChange,
	}
	if len(body.Attributes) > 0 && string(body.Attributes) != "null" {
		attributes, err := users.DecodeAttributes(body.Attributes)
		if err != nil {
			return badBody("The member attributes has the wrong type: an object is expected.")
		}
		patch.Attributes = attributes
	}
	if body.Email != nil {
		if err := legible(named{"email", *body.Email}); err != nil {
			return err
		}
	}
	ctx := c.Request().Context()
	if err := a.mayChange(ctx, param(c, "name"), &body, patch.Attributes); err != nil {
		return err
	}
	u, err := a.Users.Update(ctx, param(c, "name"), patch)
	if err != nil {
		return err
	}
	if body.EndSessions || patch.EndsSessions() {
		if err := a.cutOff(ctx, u, whyEnded(patch)); err != nil {
			return err
		}
	}
	a.Log.Info("a user was changed", "sub", u.ID, "password", patch.Password != nil, "active", u.IsActive, "actor", actorOf(c))
	return c.JSON(http.StatusOK, userOf(u))
}

// removeUser disables the user before anything else: should the cut-off fail, the
// user is still there to be removed again, and nobody can log in meanwhile.
func (a *Admin) removeUser(c echo.Context) error {
	if a.Users == nil {
		return a.noUsers()
	}
	ctx, name, off := c.Request().Context(), param(c, "name"), false
	if err := a.mayRemove(ctx, name); err != nil {
		return err
	}
	u, err := a.Users.Update(ctx, name, users.Patch{IsActive: &off})
	if err != nil {
		return err
	}
	if err := a.cutOff(ctx, u, "the user was removed"); err != nil {
		return err
	}
	if err := a.Users.Remove(ctx, name); err != nil {
		return err
	}
	a.Log.Info("a user was removed", "sub", u.ID, "actor", actorOf(c))
	return c.NoContent(http.StatusNoContent)
}

// cutOff ends every session that the user has up to now.
func (a *Admin) cutOff(ctx context.Context, u users.User, why string) error {
	if a.Sessions == nil {
		return absent("sessions")
	}
	if _, err := a.Sessions.EndAll(ctx, u.ID, why, actorFrom(ctx)); err != nil {
		return err
	}
	a.Metrics.Revoked(string(revocation.KindSubject), sourceFrom(ctx))
	return nil
}

func whyEnded(p users.Patch) string {
	switch {
	case p.IsActive != nil && !*p.IsActive:
		return "the user was disabled"
	case p.Password != nil:
		return "the password was changed"
	case p.MustChange != nil && *p.MustChange:
		return "the password has to be changed"
	}
	return "ended by an administrator"
}
