package console

import (
	"errors"
	"net/http"
)

func (v *visit) showLogin(status int, fault string) error {
	return v.show("login", status, &page{Title: "Log in", Data: fault})
}

// login takes an admin token, if the API takes it. A token that may do less than
// others is refused a page later, by the API, where it may not.
func login(v *visit) error {
	token := v.field("token")
	if token == "" {
		return v.showLogin(http.StatusUnprocessableEntity, "Paste the admin token.")
	}
	err := v.callAs(token, http.MethodGet, endpoint("edges"), nil, nil)
	var refused *refusal
	if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
		return v.showLogin(http.StatusUnprocessableEntity, "That is not an admin token of this system.")
	}
	if err != nil && (refused == nil || refused.Status != http.StatusForbidden && refused.Status < 500) {
		return err
	}
	v.console.sessions.begin(v.w, v.r, token)
	v.console.Log.Info("somebody logged in to the console", "remote", v.r.RemoteAddr)
	return v.redirect("/")
}

func logout(v *visit) error {
	v.console.sessions.end(v.w, v.r)
	return v.redirect("/")
}
