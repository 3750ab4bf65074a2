package console

import (
	"errors"
	"net/http"
)

func (v *visit) showLogin(status int, fault string) error {
	return v.show("login", status, &page{Title: "Log in", Data: fault})
}

// login takes an admin token, if the API says whose it is. What cannot be told is no
// log-in: the page says so, and the token of the configuration needs no store.
func login(v *visit) error {
	token := v.field("token")
	if token == "" {
		return v.showLogin(http.StatusUnprocessableEntity, "Paste the admin token.")
	}
	var who struct{ ID, Name, Role string }
	err := v.callAs(token, http.MethodGet, endpoint("whoami"), nil, &who)
	var refused *refusal
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		return err
	case refused.Status == http.StatusUnauthorized:
		return v.showLogin(http.StatusUnprocessableEntity, "That is not an admin token of this system, or it is no longer good.")
	default:
		return v.showLogin(refused.Status, refused.Error())
	}
	v.console.sessions.begin(v.w, v.r, &session{token: token, id: who.ID, name: who.Name, role: who.Role})
	v.console.Log.Info("somebody logged in to the console", "name", who.Name, "role", who.Role, "remote", v.r.RemoteAddr)
	return v.redirect("/")
}

func start(v *visit) error { return v.redirect("/") }

func logout(v *visit) error {
	v.console.sessions.end(v.w, v.r)
	return v.redirect("/")
}
