package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/issuer/users"
)

type userBody struct {
	Username    string         `json:"username"`
	Password    string         `json:"password"`
	ID          string         `json:"id"`
	Email       string         `json:"email"`
	Attributes  map[string]any `json:"attributes"`
	IsActive    *bool          `json:"is_active"` // default true
	IsStaff     bool           `json:"is_staff"`
	IsSuperuser bool           `json:"is_superuser"`
	MustChange  bool           `json:"must_change_password"`
}

type userItem struct {
	ID          string         `json:"id"`
	Username    string         `json:"username"`
	Email       string         `json:"email"`
	Attributes  map[string]any `json:"attributes"`
	IsActive    bool           `json:"is_active"`
	IsStaff     bool           `json:"is_staff"`
	IsSuperuser bool           `json:"is_superuser"`
	MustChange  bool           `json:"must_change_password"`
	CreatedAt   time.Time      `json:"created_at"`
	LastLogin   *time.Time     `json:"last_login"`
}

func userOf(u users.User) userItem {
	attributes := u.Attributes
	if attributes == nil {
		attributes = map[string]any{}
	}
	return userItem{
		ID: u.ID, Username: u.Username, Email: u.Email, Attributes: attributes, IsActive: u.IsActive, IsStaff: u.IsStaff,
		IsSuperuser: u.IsSuperuser, MustChange: u.MustChange, CreatedAt: u.Created.UTC(), LastLogin: timeOrNil(u.LastLogin),
	}
}

// noUsers says why there are no users to speak of in this process.
func (a *Admin) noUsers() error {
	if a.Sessions == nil {
		return absent("users")
	}
	return &problem.Details{
		Status: http.StatusNotFound, Code: "not_here",
		Detail: "The users are not kept here: they are in the file or behind the back end that TOLLGATE_USERS names.",
	}
}

func (a *Admin) addUser(c echo.Context) error {
	if a.Users == nil {
		return a.noUsers()
	}
	var body userBody
	if err := read(c, &body); err != nil {
		return err
	}
	if err := a.mayAdd(c.Request().Context(), &body); err != nil {
		return err
	}
	if err := legible(named{"username", body.Username}, named{"id", body.ID}, named{"email", body.Email}); err != nil {
		return err
	}
	u, err := a.Users.Add(c.Request().Context(), users.New{
		Username: body.Username, Password: body.Password, ID: body.ID, Email: body.Email, Attributes: body.Attributes,
		IsActive: body.IsActive == nil || *body.IsActive, IsStaff: body.IsStaff, IsSuperuser: body.IsSuperuser, MustChange: body.MustChange,
	})
	if err != nil {
		return err
	}
	about(c.Request().Context(), "user", u.Username)
	a.Log.Info("a user was added", "sub", u.ID, "actor", actorOf(c))
	return c.JSON(http.StatusCreated, userOf(u))
}

func (a *Admin) listUsers(c echo.Context) error {
	if a.Users == nil {
		return a.noUsers()
	}
	most := 100
	if err := limit(c, &most); err != nil {
		return err
	}
	found, next, err := a.Users.List(c.Request().Context(), most, c.QueryParam("cursor"))
	if err != nil {
		return atPlace(err, "cursor")
	}
	out := page[userItem]{Items: []userItem{}, Next: next}
	for _, u := range found {
		out.Items = append(out.Items, userOf(u))
	}
	return c.JSON(http.StatusOK, out)
}
