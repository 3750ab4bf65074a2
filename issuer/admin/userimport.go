package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

const (
	importBody = 1 << 20 // bytes of one batch
	importWait = 30 * time.Second
	maxBatch   = 200 // users
)

// importedUser is a user of an import. Without a hash there is no password, and no
// log-in until one is set.
type importedUser struct {
	ID           string         `json:"id"`
	Username     string         `json:"username"`
	Email        string         `json:"email"`
	PasswordHash string         `json:"password_hash"`
	Attributes   map[string]any `json:"attributes"`
	IsActive     *bool          `json:"is_active"` // default true
	IsStaff      bool           `json:"is_staff"`
	IsSuperuser  bool           `json:"is_superuser"`
	MustChange   bool           `json:"must_change_password"`
	LastLogin    *time.Time     `json:"last_login"`
}

func (u importedUser) user() users.New {
	n := users.New{
		ID: u.ID, Username: u.Username, Email: u.Email, PasswordHash: u.PasswordHash, NoPassword: u.PasswordHash == "",
		Attributes: u.Attributes, IsActive: u.IsActive == nil || *u.IsActive, IsStaff: u.IsStaff, IsSuperuser: u.IsSuperuser, MustChange: u.MustChange,
	}
	if u.LastLogin != nil {
		n.LastLogin = *u.LastLogin
	}
	return n
}

type importQuestion struct {
	Users  []importedUser `json:"users"`
	Update bool           `json:"update"`
	DryRun bool           `json:"dry_run"`
}

type importRefusal struct {
	Index  int    `json:"index"` // of the user in this batch, from 0
	Detail string `json:"detail"`
}

type importAnswer struct {
	Created int             `json:"created"`
	Updated int             `json:"updated"`
	Skipped int             `json:"skipped"`
	Refused []importRefusal `json:"refused"`
	// EmailsUnique says that users log in by e-mail: no two of an import may share one.
	EmailsUnique bool `json:"emails_unique"`
}

// importUsers takes one batch. Each user is created whole or not at all; those
// before one that is refused stay. A dry run tells all that before.
func (a *Admin) importUsers(c echo.Context) error {
	if a.Users == nil {
		return a.noUsers()
	}
	var q importQuestion
	if err := read(c, &q); err != nil {
		return err
	}
	if len(q.Users) > maxBatch {
		return badBody("There are more than 200 users in one batch.")
	}
	ctx := c.Request().Context()
	out := importAnswer{Refused: []importRefusal{}, EmailsUnique: a.Users.EmailsUnique()}
	for i, u := range q.Users {
		if err := legible(named{"username", u.Username}, named{"id", u.ID}, named{"email", u.Email}); err != nil {
			out.Refused = append(out.Refused, importRefusal{i, a.details(err).Detail})
			continue
		}
		r, err := a.Users.Bring(ctx, u.user(), users.Import{Update: q.Update, DryRun: q.DryRun})
		if err != nil {
			return err
		}
		switch r.Outcome {
		case users.Created:
			out.Created++
		case users.Updated:
			out.Updated++
		case users.Skipped:
			out.Skipped++
		default:
			out.Refused = append(out.Refused, importRefusal{i, strings.TrimPrefix(r.Err.Error(), "users: ")})
		}
		if r.Outcome == users.Updated && !q.DryRun && !r.User.IsActive {
			if err := a.endDisabled(ctx, r); err != nil {
				return err
			}
		}
	}
	if !q.DryRun {
		a.Log.Info("users were imported", "created", out.Created, "updated", out.Updated, "skipped", out.Skipped, "refused", len(out.Refused), "actor", actorOf(c))
	}
	return c.JSON(http.StatusOK, out)
}

// endDisabled ends the sessions of a user whom an import disabled, and of one who
// was disabled before but has some: the import that did it may have broken off.
func (a *Admin) endDisabled(ctx context.Context, r users.Imported) error {
	end := r.EndSessions
	if !end && a.Sessions != nil {
		held, err := a.Sessions.List(ctx, r.User.ID)
		if err != nil {
			return err
		}
		end = slices.ContainsFunc(held, func(s session.Session) bool { return s.State == session.StateLive })
	}
	if !end {
		return nil
	}
	return a.cutOff(ctx, r.User, "the user was disabled")
}
