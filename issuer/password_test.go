package issuer_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

const newPassword = "another horse; battery 7% staple"

// change asks for a new password.
func change(t *testing.T, k *issuerkit.Kit, access, old, password string) issuerkit.Answer {
	t.Helper()
	k.Logs.Secret(old, password)
	return k.Post(t, "/api/password/", map[string]any{"old_password": old, "new_password": password}, access)
}

// TestPassword: the caller goes on with a session of its own; every session from
// before is over, and so is the old password.
func TestPassword(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	caller, other, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	sliding := mustSliding(t, k, "alice")
	a := change(t, k, caller.Access, issuerkit.Password, newPassword).Must(t, 200)
	wantHeaders(t, a)
	var next issuerkit.Pair
	a.Into(t, &next)
	ended(t, k, caller, other)
	want(t, slide(t, k, sliding), 401, blacklisted)
	alive(t, k, next, bob)
	if sid := issuerkit.Text(t, next.Access, "sid"); sid == issuerkit.Text(t, caller.Access, "sid") {
		t.Error("the session is the one from before")
	}
	k.MustRefresh(t, next.Refresh)
	want(t, k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}), 401, noAccount)
	k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": newPassword}).Must(t, 200)
	if got := k.Metric(t, `tollgate_revocations_total{kind="subject",source="password"}`); got != "1" {
		t.Errorf("%q revocations counted", got)
	}

	// Whoever calls with a sliding token gets one.
	raw, _ := k.Post(t, "/api/token/sliding/", map[string]any{"username": "alice", "password": newPassword}).Must(t, 200).Map(t)["token"].(string)
	m := change(t, k, raw, newPassword, issuerkit.Password).Must(t, 200).Map(t)
	if after, _ := m["token"].(string); len(m) != 1 || issuerkit.Text(t, after, "token_type") != "sliding" || k.Verify(t, after) != 200 || k.Verify(t, raw) != 400 {
		t.Errorf("to a sliding token: %v", m)
	}
}

// TestPasswordRefuses: what is refused changes nothing.
func TestPasswordRefuses(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	const required = "This field is required."
	for name, row := range map[string]struct {
		fields map[string]any
		status int
		want   string
	}{
		"nothing":       {nil, 400, `{"old_password":["` + required + `"],"new_password":["` + required + `"]}`},
		"blank":         {map[string]any{"old_password": " ", "new_password": nil}, 400, `{"old_password":["This field may not be blank."],"new_password":["This field may not be null."]}`},
		"wrong":         {map[string]any{"old_password": "wrong", "new_password": newPassword}, 400, `{"old_password":["Your old password was entered incorrectly. Please enter it again."]}`},
		"too long":      {map[string]any{"old_password": issuerkit.Password, "new_password": strings.Repeat("x", 4097)}, 400, `{"new_password":["This password cannot be used: password is longer than 4096 bytes."]}`},
		"a null inside": {map[string]any{"old_password": issuerkit.Password, "new_password": "a\x00b"}, 400, `{"new_password":["Null characters are not allowed."]}`},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, k.Post(t, "/api/password/", row.fields, pair.Access), row.status, row.want)
		})
	}
	want(t, k.Post(t, "/api/password/", nil), 401, noCredentials)
	wantRefusedPage(t, change(t, k, pair.Refresh, issuerkit.Password, newPassword), "Token has wrong type", "")
	claims := issuerkit.Claims(t, pair.Access)
	claims["act"] = map[string]any{"sub": "2"} // somebody else's token for the user
	want(t, change(t, k, k.MustForge(t, claims), issuerkit.Password, newPassword), 403, `{"detail":"You do not have permission to perform this action."}`)
	delete(claims, "act")
	claims["client_id"] = "x" // no row takes a client's token for a log-in
	if a := change(t, k, k.MustForge(t, claims), issuerkit.Password, newPassword); a.Status != 403 {
		t.Errorf("a client's token: %d %s", a.Status, a.Body)
	}
	alive(t, k, pair, bob)
	k.MustLogin(t, "alice")
	if err := errors.Join(k.Disable(t.Context(), "alice"), k.Users.Remove(t.Context(), "bob")); err != nil {
		t.Fatal(err)
	}
	want(t, change(t, k, pair.Access, issuerkit.Password, newPassword), 401, `{"detail":"User is inactive","code":"user_inactive"}`)
	want(t, change(t, k, bob.Access, issuerkit.Password, newPassword), 401, `{"detail":"User not found","code":"user_not_found"}`)
	k.Post(t, "/api/password", nil, pair.Access).Must(t, 400)

	// Where nobody can set a password the path is the back end's.
	none := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.ChangePassword = nil }})
	none.Post(t, "/api/password/", nil).Must(t, http.StatusNotFound)
}

// TestPasswordOrder: the hash first, then the cut-off. A log-in with the old password
// that straddles the change does not survive it; a write of which nobody knows whether
// it happened ends the sessions all the same.
func TestPasswordOrder(t *testing.T) {
	var between func()
	var fail error
	k := opened(t, issuerkit.Options{Connections: 2, Issuer: func(c *issuer.Config) {
		set := c.ChangePassword
		c.ChangePassword = func(ctx context.Context, id, password, next string) (users.User, error) {
			if between != nil {
				between()
			}
			if fail != nil {
				return users.User{}, fail
			}
			return set(ctx, id, password, next)
		}
	}})
	pair := k.MustLogin(t, "alice")
	var straddling issuerkit.Pair
	between = func() { between = nil; straddling = k.MustLogin(t, "alice") } // the old hash still stands
	change(t, k, pair.Access, issuerkit.Password, newPassword).Must(t, 200)
	ended(t, k, pair, straddling)

	k.Logs.Secret(newPassword)
	var now issuerkit.Pair
	k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": newPassword}).Must(t, 200).Into(t, &now)
	fail = users.ErrBusy
	a := change(t, k, now.Access, newPassword, issuerkit.Password)
	a.Must(t, 503)
	alive(t, k, now) // nothing was written
	fail = users.ErrUnavailable
	wantUnavailable(t, change(t, k, now.Access, newPassword, issuerkit.Password), unavailable)
	alive(t, k, now) // nor here
	fail = users.ErrUnsettled
	wantUnavailable(t, change(t, k, now.Access, newPassword, issuerkit.Password), unavailable)
	ended(t, k, now)
}

// TestPasswordClaim: tokens are tied to the password as it was; the claim says nothing
// about it, and another hash of the same password changes nothing.
func TestPasswordClaim(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Claims.Password = true }})
	pair, bob, sliding := k.MustLogin(t, "alice"), k.MustLogin(t, "bob"), mustSliding(t, k, "alice")
	values := map[string]bool{}
	for _, raw := range []string{pair.Access, pair.Refresh, sliding, bob.Access} {
		values[issuerkit.Text(t, raw, "hash_password")] = true
	}
	if len(values) != 2 {
		t.Errorf("%d values for two users", len(values))
	}
	next := k.MustRefresh(t, pair.Refresh)
	k.Advance(issuerkit.Grace)
	if err := k.SetPassword(t.Context(), "alice", newPassword); err != nil { // by an administrator, without a cut-off
		t.Fatal(err)
	}
	const changed = `{"detail":"The user's password has been changed."}`
	want(t, refresh(t, k, next.Refresh), 401, changed)
	want(t, slide(t, k, sliding), 401, changed)
	want(t, refresh(t, k, next.Refresh), 401, blacklisted) // the session was ended by it
	ended(t, k, next)
	alive(t, k, bob)
	claims := issuerkit.Claims(t, k.MustRefresh(t, bob.Refresh).Refresh)
	delete(claims, "hash_password") // from before the setting
	want(t, refresh(t, k, k.MustForge(t, claims)), 401, changed)
}
