package console

import (
	"net/http"
	"slices"
)

// The roles of admin tokens, as the API names them. What a role may is the API's to
// say; a page only leaves out what would be refused.
const (
	roleOperator = "operator"
	roleAdmin    = "admin"
)

func rank(role string) int { return slices.Index([]string{"viewer", roleOperator, roleAdmin}, role) }

// may reports whether the log-in has the role or more.
func (s *session) may(role string) bool { return s != nil && rank(s.role) >= rank(role) }

// leastOf is the role that a page or form needs, beyond a log-in; empty: any.
func leastOf(pattern string) string {
	switch pattern {
	case "POST /sessions/confirm", "POST /sessions/revoke", "GET /sessions/everywhere", "POST /sessions/everywhere",
		"POST /revocations", "POST /revocations/{id}/undo", "GET /check", "POST /check", "POST /users", "POST /users/disable", "POST /users/active":
		return roleOperator
	case "POST /keys/rotate", "POST /keys/{kid}/retire", "GET /keys/{kid}/revoke", "POST /keys/{kid}/revoke", "POST /routes/reload",
		"GET /admin-tokens", "POST /admin-tokens", "GET /admin-tokens/{id}/revoke", "POST /admin-tokens/{id}/revoke":
		return roleAdmin
	}
	return ""
}

// refuseRole is what the API says to a role that may not. The form of a page that was
// not shown is sent all the same, so that the API refuses and audits it.
func (v *visit) refuseRole(r row) error {
	least := leastOf(r.pattern)
	if least == "" || v.session == nil || v.session.may(least) || v.r.Method != http.MethodGet {
		return nil
	}
	return &refusal{
		Status: http.StatusForbidden, Title: "Not with this token", Code: "role",
		Detail: "This page needs the role " + least + "; you are logged in with the role " + v.session.role + ".",
	}
}
