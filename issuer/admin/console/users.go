package console

import (
	"net/http"
	"time"
)

// user is somebody who may log in, as the API shows it.
type user struct {
	ID          string         `json:"id"`
	Username    string         `json:"username"`
	Email       string         `json:"email"`
	Attributes  map[string]any `json:"attributes"`
	IsActive    bool           `json:"is_active"`
	IsStaff     bool           `json:"is_staff"`
	IsSuperuser bool           `json:"is_superuser"`
	CreatedAt   time.Time      `json:"created_at"`
	LastLogin   *time.Time     `json:"last_login"`
}

type usersData struct {
	Items []user
	Next  string
}

func listUsers(v *visit) error {
	var found list[user]
	if err := v.call(http.MethodGet, query(endpoint("users"), "cursor", v.field("cursor"), "limit", "50"), nil, &found); err != nil {
		return err
	}
	d := usersData{Items: found.Items}
	if found.Next != "" {
		d.Next = query("/users", "cursor", found.Next)
	}
	return v.show("users", http.StatusOK, &page{Title: "Users", Nav: "/users", Data: d, Twin: twin{
		Command: "tollgate users list", Curl: v.curl(http.MethodGet, endpoint("users"), ""),
	}})
}

func addUser(v *visit) error {
	name := v.field("username")
	body := map[string]any{
		"username": name, "password": v.r.PostForm.Get("password"), "id": v.field("id"), "email": v.field("email"),
		"is_staff": v.field("staff") != "",
	}
	if err := v.call(http.MethodPost, endpoint("users"), body, nil); err != nil {
		return v.back("/users", err)
	}
	return v.done("/users", "%s can log in.", name)
}

// confirmDisable shows what ends with somebody's log-ins, and does nothing.
func confirmDisable(v *visit) error {
	name := v.r.PostForm.Get("username") // as in switchUser
	if name == "" {
		return v.back("/users", nobodyNamed())
	}
	var u user
	if err := v.call(http.MethodGet, endpoint("users", name), nil, &u); err != nil {
		return v.back("/users", err)
	}
	d, err := v.endingOf(u.ID)
	if err != nil {
		return v.back("/users", err)
	}
	d.Name, d.Back = name, "/users"
	return v.show("disable", http.StatusOK, &page{Title: "Disable a user", Nav: "/users", Data: d, Twin: twin{
		Command: "tollgate users disable " + value(name), Curl: v.curl(http.MethodPatch, endpoint("users", name), `{"is_active":false}`),
	}})
}

func toUsers(v *visit) error { return v.redirect("/users") }

func nobodyNamed() error {
	return &refusal{Status: http.StatusUnprocessableEntity, Detail: "Nothing was done: no user was named."}
}

// switchUser lets somebody log in again, or no longer: the API ends the sessions of
// whom it disables.
func switchUser(v *visit) error {
	// Not by path: a browser takes a name of two dots for a step up.
	name, active := v.r.PostForm.Get("username"), v.field("active") == "true"
	if name == "" {
		return v.back("/users", nobodyNamed())
	}
	if err := v.call(http.MethodPatch, endpoint("users", name), map[string]bool{"is_active": active}, nil); err != nil {
		return v.back("/users", err)
	}
	if active {
		return v.done("/users", "%s can log in again.", name)
	}
	return v.done("/users", "%s can no longer log in, and every session up to now has ended.", name)
}
