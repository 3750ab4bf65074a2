package issuer_test

import (
	"fmt"
	"net/http"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/session"
)

// TestLogoutNeedsAnAccessToken walks the credentials that are missing, bad or of another kind.
func TestLogoutNeedsAnAccessToken(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	logout := func(authorization ...string) issuerkit.Answer {
		t.Helper()
		h := http.Header{}
		if authorization != nil {
			h["Authorization"] = authorization
		}
		return k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/json", Body: `{"all":"1"}`, Header: h})
	}
	const badHeader = `{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}`
	for name, row := range map[string]struct {
		authorization []string
		want, reason  string
	}{
		"none": {nil, noCredentials, "missing"}, "empty": {[]string{""}, noCredentials, "missing"}, "bare token": {[]string{pair.Access}, noCredentials, "missing"},
		"another scheme": {[]string{"JWT " + pair.Access}, noCredentials, "missing"}, "scheme alone": {[]string{"Bearer"}, badHeader, "malformed"},
		"three words": {[]string{"Bearer a b"}, badHeader, "malformed"}, "two joined": {[]string{"Bearer a, Bearer b"}, badHeader, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := logout(row.authorization...)
			want(t, a, 401, row.want)
			if c := a.Header.Get("WWW-Authenticate"); c != `Bearer realm="api"` {
				t.Errorf("challenge %q", c)
			}
			if line := k.Logs.Last(t, "issuer:logout"); line["reason"] != row.reason {
				t.Errorf("logged %v", line)
			}
		})
	}
	want(t, logout("Bearer "+pair.Access, "Bearer "+pair.Access), 400, `{"detail":"The credential was sent more than once."}`)
	wantRefusedPage(t, logout("Bearer garbage"), "Token is invalid", "")
	wantRefusedPage(t, logout("Bearer "+pair.Refresh), "Token has wrong type", "")
	alive(t, k, pair)
	k.Advance(issuerkit.AccessTTL + issuerkit.Leeway)
	wantRefusedPage(t, logout("Bearer "+pair.Access), "Token is expired", "")
	pair = k.MustRefresh(t, pair.Refresh)
	want(t, logout("bEARER \t"+pair.Access), 200, goodbyeAll) // schemes have no case
	ended(t, k, pair)
}

// TestLogoutOne: one session ends, the caller's or that of the refresh token.
func TestLogoutOne(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	logout := func(p issuerkit.Pair, fields map[string]any) issuerkit.Answer {
		t.Helper()
		return k.Post(t, "/api/logout/", fields, p.Access)
	}
	for name, fields := range map[string]map[string]any{
		"without a body": nil, "with an empty object": {}, "with null": {"refresh_token": nil, "all": nil}, "with what is not read": {"refresh": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
			want(t, logout(pair, fields), 200, goodbye)
			ended(t, k, pair)
			alive(t, k, other)
		})
	}
	t.Run("with the refresh token", func(t *testing.T) {
		pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
		want(t, logout(pair, map[string]any{"refresh_token": " " + pair.Refresh}), 200, goodbye)
		ended(t, k, pair)
		alive(t, k, other)
	})
	t.Run("with that of another device", func(t *testing.T) {
		pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
		want(t, logout(pair, map[string]any{"refresh_token": other.Refresh}), 200, goodbye)
		ended(t, k, other)
		alive(t, k, pair)
		want(t, logout(pair, map[string]any{"refresh_token": other.Refresh}), 200, goodbye) // it is over already
		alive(t, k, pair)
	})
	t.Run("with one that was spent", func(t *testing.T) {
		first := k.MustLogin(t, "alice")
		second := k.MustRefresh(t, first.Refresh)
		k.Advance(2 * issuerkit.Grace)
		want(t, logout(second, map[string]any{"refresh_token": first.Refresh}), 200, goodbye)
		ended(t, k, second)
	})
	t.Run("as a form", func(t *testing.T) {
		pair := k.MustLogin(t, "alice")
		want(t, k.Send(t, issuerkit.Request{
			Path: "/api/logout", Type: "application/x-www-form-urlencoded", Body: "refresh_token=" + pair.Refresh, Header: issuerkit.Bearer(pair.Access),
		}), 200, goodbye)
		ended(t, k, pair)
	})
}

// TestLogoutWithAnExpiredRefreshToken: it names nothing to end, unless its session
// is the one that the caller is logged in with.
func TestLogoutWithAnExpiredRefreshToken(t *testing.T) {
	k := opened(t, issuerkit.Options{Sessions: func(s *session.Settings) { s.RefreshTTL = s.AccessTTL }})
	old, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
	k.Advance(issuerkit.AccessTTL)
	now := k.MustRefresh(t, old.Refresh)
	k.Advance(2 * issuerkit.Leeway)
	want(t, refresh(t, k, other.Refresh), 401, expired)

	want(t, k.Post(t, "/api/logout/", map[string]any{"refresh_token": other.Refresh}, now.Access), 200, goodbye)
	alive(t, k, now)
	want(t, k.Post(t, "/api/logout/", map[string]any{"refresh_token": old.Refresh}, now.Access), 200, goodbye)
	ended(t, k, now)
}

// TestLogoutRefuses: what is not the caller's refresh token ends nothing.
func TestLogoutRefuses(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	alice, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	for _, row := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"another user's", `{"refresh_token":"` + bob.Refresh + `"}`, 401, invalid},
		{"garbage", `{"refresh_token":"garbage"}`, 401, invalid},
		{"an access token", `{"refresh_token":"` + alice.Access + `"}`, 401, wrongType},
		{"a number", `{"refresh_token":7}`, 401, invalid},
		{"blank", `{"refresh_token":" "}`, 400, `{"refresh_token":["This field may not be blank."]}`},
		{"a list", `{"refresh_token":["x"]}`, 400, `{"refresh_token":["Not a valid string."]}`},
		{"NUL", `{"refresh_token":"\u0000"}`, 400, `{"refresh_token":["Null characters are not allowed."]}`},
		{"an array", `["x"]`, 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
		{"null", `null`, 400, `{"non_field_errors":["No data provided"]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/json", Body: row.body, Header: issuerkit.Bearer(alice.Access)})
			want(t, a, row.status, row.want)
			if line := k.Logs.Last(t, "issuer:logout"); line["sub"] != "1" || line["jti"] != issuerkit.Text(t, alice.Access, "jti") {
				t.Errorf("the line is not about the caller: %v", line)
			}
		})
	}
	a := k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/json", Body: `{"refresh_token":`, Header: issuerkit.Bearer(alice.Access)})
	a.Must(t, 400)
	alive(t, k, alice, bob)
	// Nor an ended one of somebody else: that it is over is not the caller's to know.
	want(t, k.Post(t, "/api/logout/", nil, bob.Access), 200, goodbye)
	want(t, k.Post(t, "/api/logout/", map[string]any{"refresh_token": bob.Refresh}, alice.Access), 401, blacklisted)
}

// TestLogoutAll: every session of the caller ends, rotated ones included, nobody
// else's does, and a log-in within the same second is a new one.
func TestLogoutAll(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	bob := k.MustLogin(t, "bob")
	for _, body := range []string{`{"all":"1"}`, `{"all":true}`, `{"all":"0"}`, `{"all":"false"}`, `{"all":1}`, `{"all":-0.5}`, `{"all":[0]}`, `{"all":{"x":0}}`, `{"all":" ","refresh_token":"garbage"}`} {
		t.Run(body, func(t *testing.T) {
			first, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
			second := k.MustRefresh(t, first.Refresh)
			want(t, k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/json", Body: body, Header: issuerkit.Bearer(second.Access)}), 200, goodbyeAll)
			next := k.MustLogin(t, "alice") // the clock of the kit stands still
			ended(t, k, second, other)
			want(t, refresh(t, k, first.Refresh), 401, blacklisted)
			alive(t, k, next, bob)
		})
	}
	for _, body := range []string{`{"all":""}`, `{"all":0}`, `{"all":0.0}`, `{"all":null}`, `{"all":false}`, `{"all":[]}`, `{"all":{}}`, `{"ALL":"1"}`} {
		t.Run(body, func(t *testing.T) {
			pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
			want(t, k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/json", Body: body, Header: issuerkit.Bearer(pair.Access)}), 200, goodbye)
			ended(t, k, pair)
			alive(t, k, other)
		})
	}
	pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
	want(t, k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/x-www-form-urlencoded", Body: "all=", Header: issuerkit.Bearer(pair.Access)}), 200, goodbye)
	alive(t, k, other)
	want(t, k.Send(t, issuerkit.Request{Path: "/api/logout/", Type: "application/x-www-form-urlencoded", Body: "all=0", Header: issuerkit.Bearer(other.Access)}), 200, goodbyeAll)
	ended(t, k, other)
}

// TestSameSecond: logged out everywhere and in again within one second, many times
// over, without an exception.
func TestSameSecond(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	old := k.MustLogin(t, "alice")
	for i := range 25 {
		want(t, k.Post(t, "/api/logout/", map[string]any{"all": "1"}, old.Access), 200, goodbyeAll)
		now := k.MustLogin(t, "alice")
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if k.Verify(t, now.Access) != 200 || k.Verify(t, now.Refresh) != 200 {
				t.Error("a log-in after the cut-off is refused")
			}
			if k.Verify(t, old.Access) != 400 || k.Verify(t, old.Refresh) != 400 {
				t.Error("a log-in before the cut-off is accepted")
			}
		})
		old = now
	}
}

// TestWithoutASession: a token of ours that belongs to no session ends by itself.
func TestWithoutASession(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	claims := map[string]any{"iss": issuerkit.Issuer, "sub": "1", "jti": "access-jti", "token_type": "access", "iat": k.Now().Unix(), "exp": k.Now().Unix() + 60}
	access := k.MustForge(t, claims)
	claims["jti"], claims["token_type"] = "refresh-jti", "refresh"
	refresh := k.MustForge(t, claims)
	want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": access}), 200, `{}`)
	want(t, k.Post(t, "/api/token/blacklist/", map[string]any{"refresh": refresh}), 200, `{}`)
	want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": refresh}), 400, blacklisted4)
	want(t, k.Post(t, "/api/logout/", nil, access), 200, goodbye)
	wantRefusedPage(t, k.Post(t, "/api/logout/", nil, access), "Token is blacklisted", "revoked")
}
