package issuer_test

import (
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

// With log-in by e-mail the member of the body has that name, as with Django's
// USERNAME_FIELD, and no other will do.
func TestLoginByEmail(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.LoginField = "email"
		held := c.Users.(*users.Redis)
		c.Users = held.With(users.Settings{LoginByEmail: true})
	}})
	k.MustUser(t, users.New{Username: "alice", Email: "Alice@example.com"})
	k.Post(t, "/api/token/", map[string]any{"email": " alice@EXAMPLE.com ", "password": issuerkit.Password}).Must(t, 200)
	k.Post(t, "/api/token/", map[string]any{"email": "alice", "password": issuerkit.Password}).Must(t, 401)
	a := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 400)
	if want := `{"email":["This field is required."]}`; a.Body != want {
		t.Errorf("body %s, want %s", a.Body, want)
	}
}

func TestPasswordThatMustChange(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "alice", MustChange: true})
	a := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 401)
	want := `{"detail":"The password has to be changed before logging in.","code":"password_change_required"}`
	if a.Body != want || a.Header.Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("%s %v", a.Body, a.Header)
	}
	a = k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": "wrong"}).Must(t, 401)
	if want := `{"detail":"No active account found with the given credentials"}`; a.Body != want {
		t.Errorf("with a wrong password: %s", a.Body)
	}
}
