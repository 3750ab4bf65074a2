package issuer_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/users"
)

// TestNothingSecretIsLogged greps everything that a whole scenario logged, faults
// and outages included, for the secrets it used. Every other test of the kit ends
// with the same look.
func TestNothingSecretIsLogged(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	secrets := []string{issuerkit.Password, issuerkit.AdminToken}
	secret := func(s string) string {
		k.Logs.Secret(s)
		secrets = append(secrets, s)
		return s
	}
	alice := k.MustLogin(t, "alice")
	bob := k.MustLogin(t, "bob")
	wrong := secret("hunter2-is-a-wrong-password")
	for _, path := range []string{"/api/token/?password=" + wrong, "/api/token?token=" + alice.Access, "/api/token/" + alice.Refresh} {
		k.Post(t, path, map[string]any{"username": "alice", "password": wrong})
	}
	k.Send(t, issuerkit.Request{Path: "/api/token/", Type: "application/x-www-form-urlencoded", Body: "username=alice&password=" + wrong})
	k.Send(t, issuerkit.Request{Path: "/api/token/", Type: "application/json", Body: `{"username":"alice","password":"` + wrong + `"`})
	k.Send(t, issuerkit.Request{Path: "/api/token/", Type: "application/json", Body: `"` + wrong + `"`})
	k.Send(t, issuerkit.Request{Path: "/api/logout/", Header: http.Header{
		"Authorization": {"Bearer " + alice.Access}, "Cookie": {"access=" + bob.Access + "; password=" + wrong}, "User-Agent": {"curl"},
	}})
	k.Send(t, issuerkit.Request{Path: "/api/logout/", Header: http.Header{"Authorization": {"Basic " + secret("YWxpY2U6aHVudGVyMi1pcy13cm9uZw==")}}})
	next := k.MustRefresh(t, bob.Refresh)
	k.Advance(2 * issuerkit.Grace)
	refresh(t, k, bob.Refresh).Must(t, 401)
	for _, path := range posts {
		for _, field := range []string{"refresh", "token", "refresh_token"} {
			k.Post(t, path, map[string]any{field: next.Refresh}, next.Access)
		}
	}
	for _, body := range []any{
		map[string]any{"username": "carol", "password": secret("a password for carol")}, map[string]any{"username": "carol", "password": secret("another for carol")},
		map[string]any{"username": "", "password": secret("for nobody at all")}, map[string]any{secret("password-as-a-member"): 1}, secret("password-as-a-body"),
	} {
		k.Control(t, http.MethodPost, "/admin/v1/users", body)
	}
	for _, value := range []string{alice.Access, next.Refresh, secret("eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJlLW9mLW5vYm9keQ")} {
		k.Control(t, http.MethodPost, "/admin/v1/revocations", map[string]any{"kind": "token", "value": value})
		k.Control(t, http.MethodDelete, "/admin/v1/revocations/"+value, nil)
	}
	k.Send(t, issuerkit.Request{Method: "GET", Path: "/admin/v1/keys?token=" + issuerkit.AdminToken, Admin: true, Header: issuerkit.Bearer(secret("a-wrong-admin-token"))})
	if _, err := k.Users.Add(t.Context(), users.New{Username: "dave", Password: "dave's"}); err != nil {
		t.Fatal(err)
	}
	k.Mini.Close()
	for _, path := range posts {
		k.Post(t, path, map[string]any{"username": "alice", "password": issuerkit.Password, "refresh": next.Refresh, "token": next.Access}, next.Access)
	}
	k.Control(t, http.MethodPost, "/admin/v1/users", map[string]any{"username": "erin", "password": secret("a password for erin")})

	text := k.Logs.String()
	for _, s := range append(secrets, alice.Access, alice.Refresh, bob.Access, bob.Refresh, next.Access, next.Refresh) {
		if strings.Contains(text, s) {
			t.Errorf("the log holds %q", s)
		}
	}
	if lines := strings.Count(text, "\n"); lines < 40 || strings.Count(text, `"msg":"request"`) < 30 {
		t.Errorf("%d lines are not a whole scenario", lines)
	}
}

// TestTheGrepFindsLeaks: the look that every test of the kit ends with can fail.
func TestTheGrepFindsLeaks(t *testing.T) {
	for _, line := range []string{"password=swordfish", `token "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJlLW9mLW5vYm9keQ"`, "cut ...c2lnbmF0dXJlLW9mLW5vYm9keQ"} {
		var l issuerkit.Logs
		l.Secret("swordfish", "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJlLW9mLW5vYm9keQ", "short")
		l.Logger().Info("ok", "short", "short")
		if len(l.Leaks()) > 0 {
			t.Error("a word is no secret")
		}
		l.Logger().Info(line)
		if len(l.Leaks()) != 1 {
			t.Errorf("%s: not found", line)
		}
	}
}
