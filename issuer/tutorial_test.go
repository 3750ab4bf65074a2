package issuer_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

// TestTutorial is the front end of the widely read SimpleJWT tutorial, word for word:
// its curl commands with another base URL, and the answers that it prints.
func TestTutorial(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		for _, name := range []string{"username", "email", "is_staff"} {
			c.Claims.Custom = append(c.Claims.Custom, issuer.CustomClaim{Claim: name, Attribute: name})
		}
	}})
	k.MustUser(t, users.New{Username: "admin", Email: "admin@example.com", Password: "yourpassword", IsStaff: true})
	curl := func(path, data string, headers ...string) issuerkit.Answer {
		t.Helper()
		h := http.Header{"Content-Type": {"application/json"}}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			h.Set(name, value)
		}
		return k.Send(t, issuerkit.Request{Method: "POST", Path: path, Header: h, Body: data})
	}
	obtain := func() (refresh, access string) {
		t.Helper()
		a := curl("/api/token/", `{"username": "admin", "password": "yourpassword"}`).Must(t, 200)
		m := a.Map(t)
		if !strings.HasPrefix(a.Body, `{"refresh":"eyJ`) || len(m) != 2 {
			t.Fatalf("Output for this command should look like this: %s", a.Body)
		}
		return m["refresh"].(string), m["access"].(string)
	}

	// Testing Django SimpleJWT token_obtain_pair endpoint
	old, _ := obtain()
	m := curl("/api/token/refresh/", `{"refresh": "`+old+`"}`).Must(t, 200).Map(t)
	if m["access"] == nil || m["refresh"] == nil || len(m) != 2 {
		t.Errorf("The output again should be an object with both access and refresh keys: %v", m)
	}
	// "Now run the same command again with the old refresh token": whoever reads on
	// takes longer than the grace for it.
	k.Advance(2 * issuerkit.Grace)
	want(t, curl("/api/token/refresh/", `{"refresh": "`+old+`"}`), 401, `{"detail":"Token is blacklisted","code":"token_not_valid"}`)

	// Custom Claims in Django Simple JWT
	old, access := obtain()
	claims := issuerkit.Claims(t, access)
	if claims["username"] != "admin" || claims["email"] != "admin@example.com" || claims["is_staff"] != true {
		t.Errorf("custom claims %v", claims)
	}

	// Django JWT Authentication Logout
	want(t, curl("/api/logout/", `{"refresh_token": "`+old+`"}`, "Authorization: Bearer "+access), 200, `{"status":"OK, goodbye"}`)
	want(t, curl("/api/token/refresh/", `{"refresh": "`+old+`"}`), 401, blacklisted)

	// Logout all devices (blacklist all refresh tokens)
	elsewhere, _ := obtain()
	_, access = obtain()
	want(t, curl("/api/logout/", `{"all": "1"}`, "Authorization: Bearer "+access), 200, `{"status":"OK, goodbye, all refresh tokens blacklisted"}`)
	want(t, curl("/api/token/refresh/", `{"refresh": "`+elsewhere+`"}`), 401, blacklisted)

	// Pro tip: after a user resets their password, force re-authentication everywhere.
	elsewhere, _ = obtain()
	_, access = obtain()
	k.Logs.Secret("yournewpassword")
	curl("/api/password/", `{"old_password": "yourpassword", "new_password": "yournewpassword"}`, "Authorization: Bearer "+access).Must(t, 200)
	want(t, curl("/api/token/refresh/", `{"refresh": "`+elsewhere+`"}`), 401, blacklisted)
}
