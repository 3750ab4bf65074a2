package issuer_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

var dashed = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestDRFObtain: 201 {pk, token}, and the claims that a back end with drf-jwt looks at.
func TestDRFObtain(t *testing.T) {
	k := drfOpened(t)
	raw := drfLogin(t, k, "alice")
	claims := issuerkit.Claims(t, raw)
	jti, _ := claims["jti"].(string)
	if claims["username"] != "alice" || claims["user_id"] != "1" || claims["sub"] != "1" || claims["orig_iat"] != claims["iat"] || !dashed.MatchString(jti) {
		t.Errorf("claims %v", claims)
	}
	for _, absent := range []string{"aud", "orig_jti", "gen", "act"} {
		if v, found := claims[absent]; found {
			t.Errorf("claim %s is %v", absent, v)
		}
	}
	if k.Logs.Last(t, "issuer:drf_token")["jti"] != jti || k.Metric(t, `tollgate_login_attempts_total{result="success"}`) != "1" {
		t.Error("not in the log or not counted")
	}
	drfAlive(t, k, true, raw)
	for _, r := range []issuerkit.Request{
		{Path: "/api-token-auth", Type: "application/x-www-form-urlencoded", Body: "username=alice&password=" + strings.ReplaceAll(issuerkit.Password, "%", "%25")},
		{Path: drfAuth, Type: "application/json", Body: `{"username":" alice ","password":"` + issuerkit.Password + `"}`},
	} {
		tokenOf(t, k.Send(t, r))
	}
}

func TestDRFObtainRefusals(t *testing.T) {
	k := drfOpened(t)
	k.MustUser(t, users.New{Username: "gone"})
	disable(t, k, "gone")
	const unable = `{"non_field_errors":["Unable to log in with provided credentials."]}`
	for _, row := range []struct{ name, body, want string }{
		{"wrong password", `{"username":"alice","password":"x"}`, unable},
		{"unknown", `{"username":"nobody","password":"` + issuerkit.Password + `"}`, unable},
		{"inactive", `{"username":"gone","password":"` + issuerkit.Password + `"}`, unable},
		{"nothing", `{}`, `{"username":["This field is required."],"password":["This field is required."]}`},
		{"blank and null", `{"username":" ","password":null}`, `{"username":["This field may not be blank."],"password":["This field may not be null."]}`},
		{"a list", `[]`, `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			wantDRF(t, k.Send(t, issuerkit.Request{Path: drfAuth, Type: "application/json", Body: row.body}), 400, row.want)
		})
	}
	wantDRF(t, k.Send(t, issuerkit.Request{Method: http.MethodGet, Path: drfAuth}), 405, `{"detail":"Method \"GET\" not allowed."}`)
}

// TestDRFRefresh: the line goes on, nothing is spent, orig_iat and orig_jti are the
// first token's.
func TestDRFRefresh(t *testing.T) {
	k := drfOpened(t)
	line := []string{drfLogin(t, k, "alice")}
	first := issuerkit.Claims(t, line[0])
	for range 3 {
		k.Advance(time.Minute)
		line = append(line, tokenOf(t, post(t, k, drfRefresh, line[len(line)-1])))
	}
	branch := tokenOf(t, post(t, k, drfRefresh, line[0]))
	seen := map[any]bool{first["jti"]: true}
	for _, raw := range append(line[1:], branch) {
		claims := issuerkit.Claims(t, raw)
		if claims["orig_iat"] != first["iat"] || claims["orig_jti"] != first["jti"] || seen[claims["jti"]] || claims["sid"] != first["sid"] || claims["username"] != "alice" {
			t.Errorf("claims %v of the line of %v", claims, first)
		}
		seen[claims["jti"]] = true
		if iat, _ := claims["iat"].(json.Number).Int64(); iat == k.Now().Unix() && claims["exp"].(json.Number).String() == first["exp"].(json.Number).String() {
			t.Error("no longer life")
		}
	}
	drfAlive(t, k, true, append(line, branch)...)
	if k.Metric(t, `tollgate_refresh_total{result="rotated"}`) != "4" {
		t.Error("not counted")
	}
	// A changed user shows in the next token.
	staff := "new@example.com"
	if _, err := k.Users.Update(t.Context(), "alice", users.Patch{Email: &staff}); err != nil {
		t.Fatal(err)
	}
	k.Advance(drfLife)
	wantDRF(t, post(t, k, drfRefresh, branch), 400, nonField("Token has expired."))
}

// TestDRFRefreshLimit: orig_iat + SESSION_MAX_TTL, before the record is asked, and no
// token lives beyond it.
func TestDRFRefreshLimit(t *testing.T) {
	const limit = 30 * time.Minute
	k := opened(t, issuerkit.Options{
		Issuer:   func(c *issuer.Config) { c.Compat = []problem.Profile{problem.DRF} },
		Sessions: func(s *session.Settings) { s.MaxTTL = limit },
	})
	raw := drfLogin(t, k, "alice")
	start := k.Now()
	for k.Now().Sub(start) < limit-4*time.Minute {
		// The record is kept alive by the line alone: every token is refreshed at its end.
		k.Advance(min(issuerkit.AccessTTL-time.Second, start.Add(limit-4*time.Minute).Sub(k.Now())))
		raw = tokenOf(t, post(t, k, drfRefresh, raw))
	}
	exp, _ := issuerkit.Claims(t, raw)["exp"].(json.Number).Int64()
	if want := start.Add(limit).Unix(); exp != want {
		t.Errorf("exp %d, want %d: the end of the session", exp, want)
	}
	k.Advance(4*time.Minute + time.Second) // within the leeway of exp
	drfAlive(t, k, true, raw)
	wantDRF(t, post(t, k, drfRefresh, raw), 400, nonField("Refresh has expired."))

	old := k.Now().Add(-limit - time.Second).Unix()
	wantDRF(t, post(t, k, drfRefresh, drfForge(t, k, map[string]any{"orig_iat": old})), 400, nonField("Refresh has expired."))
}

// TestDRFTokens: every message of verify and refresh.
func TestDRFTokens(t *testing.T) {
	k := drfOpened(t)
	good := drfLogin(t, k, "alice")
	revoked := drfLogin(t, k, "alice")
	k.Post(t, drfLogout, nil, revoked).Must(t, 201)
	pair := k.MustLogin(t, "alice")
	now := k.Now().Unix()
	rows := []struct{ name, raw, verify, refresh string }{
		{"garbage", "garbage", "Error decoding token.", ""},
		{"three parts of garbage", "a.b.c", "Error decoding token.", ""},
		{"another signature", good[:len(good)-8] + "AAAAAAAA", "Error decoding token.", ""},
		{"expired", drfForge(t, k, map[string]any{"iat": now - 600, "exp": now - 60}), "Token has expired.", ""},
		{"not yet", drfForge(t, k, map[string]any{"nbf": now + 600}), "Invalid token.", ""},
		{"another issuer", drfForge(t, k, map[string]any{"iss": "https://other.example"}), "Invalid token.", ""},
		{"an audience where there is none", drfForge(t, k, map[string]any{"aud": "shop"}), "Invalid token.", ""},
		{"no jti", drfForge(t, k, map[string]any{"jti": nil}), "Invalid token.", ""},
		{"no exp", drfForge(t, k, map[string]any{"exp": nil}), "Invalid token.", ""},
		{"a refresh token", pair.Refresh, "Invalid token.", ""},
		{"blacklisted", revoked, "Token is blacklisted.", ""},
		{"no user", drfForge(t, k, map[string]any{"sub": "99"}), "User doesn't exist.", ""},
		{"no orig_iat", drfForge(t, k, map[string]any{"orig_iat": nil}), "", "orig_iat field not found in token."},
		{"SimpleJWT's", pair.Access, "", "orig_iat field not found in token."},
		{"orig_iat of text", drfForge(t, k, map[string]any{"orig_iat": "1"}), "", "orig_iat field not found in token."},
		{"no session", drfForge(t, k, map[string]any{"sid": nil}), "", "Invalid token."},
		{"SimpleJWT's session", drfForge(t, k, map[string]any{"sid": issuerkit.Text(t, pair.Access, "sid")}), "", "Invalid token."},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.verify != "" {
				wantDRF(t, post(t, k, drfVerify, row.raw), 400, nonField(row.verify))
				row.refresh = row.verify
			} else if got := tokenOf(t, post(t, k, drfVerify, row.raw)); got != row.raw {
				t.Error("verify answers another token")
			}
			wantDRF(t, post(t, k, drfRefresh, row.raw), 400, nonField(row.refresh))
		})
	}
	for _, path := range []string{drfVerify, drfRefresh} {
		wantDRF(t, k.Post(t, path, map[string]any{}), 400, `{"token":["This field is required."]}`)
		wantDRF(t, k.Post(t, path, map[string]any{"token": []string{good}}), 400, `{"token":["Not a valid string."]}`)
	}
	disable(t, k, "alice")
	for _, path := range []string{drfVerify, drfRefresh} {
		wantDRF(t, post(t, k, path, good), 400, nonField("User account is disabled."))
	}
}

// TestDRFLogout: the whole line ends from either end of it, by request or body.
func TestDRFLogout(t *testing.T) {
	k := drfOpened(t)
	line := func() (first, last string) {
		first = drfLogin(t, k, "alice")
		return first, tokenOf(t, post(t, k, drfRefresh, first))
	}
	first, last := line()
	wantDRF(t, k.Post(t, drfLogout, nil, last), 201, `{"token":"`+last+`"}`)
	drfAlive(t, k, false, first, last)

	first, last = line()
	other, _ := line()
	wantDRF(t, k.Post(t, drfLogout, map[string]any{"token": first}, other), 201, `{"token":"`+first+`"}`)
	drfAlive(t, k, false, first, last)
	drfAlive(t, k, true, other)
	wantDRF(t, post(t, k, drfRefresh, last), 400, nonField("Token is blacklisted."))
	wantDRF(t, k.Post(t, drfLogout, nil, last), 403, `{"detail":"Token is blacklisted."}`)

	first, last = line()
	form := issuerkit.Request{Path: "/auth/logout", Type: "application/x-www-form-urlencoded", Body: "token=" + first, Header: issuerkit.Bearer(last)}
	k.Send(t, form).Must(t, 201)
	drfAlive(t, k, false, first, last)
	if k.Metric(t, `tollgate_revocations_total{kind="session",source="logout"}`) != "3" {
		t.Error("not counted")
	}
}

// TestDRFLogoutRefusals: what drf-jwt answers with 500, and what it does to others.
func TestDRFLogoutRefusals(t *testing.T) {
	k := drfOpened(t)
	alice, bob := drfLogin(t, k, "alice"), drfLogin(t, k, "bob")
	expired := drfForge(t, k, map[string]any{"iat": k.Now().Unix() - 600, "exp": k.Now().Unix() - 60})
	for _, row := range []struct {
		name   string
		body   map[string]any
		status int
		want   string
	}{
		{"blank", map[string]any{"token": ""}, 400, `{"token":["This field may not be blank."]}`},
		{"null", map[string]any{"token": nil}, 400, `{"token":["This field may not be null."]}`},
		{"garbage", map[string]any{"token": "garbage"}, 400, nonField("Error decoding token.")},
		{"expired", map[string]any{"token": expired}, 400, nonField("Token has expired.")},
		{"a refresh token", map[string]any{"token": k.MustLogin(t, "alice").Refresh}, 400, nonField("Invalid token.")},
		{"somebody else's", map[string]any{"token": bob}, 403, `{"detail":"You do not have permission to perform this action."}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			wantDRF(t, k.Post(t, drfLogout, row.body, alice), row.status, row.want)
		})
	}
	drfAlive(t, k, true, alice, bob)
	wantDRF(t, k.Post(t, drfLogout, map[string]any{"token": alice}), 401, `{"detail":"Authentication credentials were not provided."}`)
	wantDRF(t, k.Post(t, drfLogout, nil, "garbage"), 401, `{"detail":"Error decoding token."}`)
	wantDRF(t, k.Post(t, drfLogout, nil, expired), 401, `{"detail":"Token has expired."}`)
	wantDRF(t, k.Post(t, drfLogout, nil, drfForge(t, k, map[string]any{"aud": "shop"})), 401, `{"detail":"Invalid token."}`)
	wantDRF(t, k.Post(t, drfLogout, nil, k.MustLogin(t, "alice").Refresh), 401, `{"detail":"Invalid token."}`)
	drfAlive(t, k, true, alice, bob)
}

// TestDRFPerUser: a cut-off of the subject ends every line of the user's, whatever key
// per user drf-jwt was given for it, and a log-in after it is good.
func TestDRFPerUser(t *testing.T) {
	k := drfOpened(t)
	one, two, bob := drfLogin(t, k, "alice"), drfLogin(t, k, "alice"), drfLogin(t, k, "bob")
	next := tokenOf(t, post(t, k, drfRefresh, two))
	k.Control(t, http.MethodPost, "/admin/v1/revocations", map[string]any{"kind": "subject", "value": "1", "reason": "password"}).Must(t, 201)
	drfAlive(t, k, false, one, two, next)
	wantDRF(t, post(t, k, drfRefresh, next), 400, nonField("Token is blacklisted."))
	drfAlive(t, k, true, bob, drfLogin(t, k, "alice"))
}

// TestDRFByJTI: the first jti of a line is a name for all of it; a later one is the
// name of one token.
func TestDRFByJTI(t *testing.T) {
	k := drfOpened(t)
	first := drfLogin(t, k, "alice")
	second := tokenOf(t, post(t, k, drfRefresh, first))
	third := tokenOf(t, post(t, k, drfRefresh, second))
	revoke := func(raw string) {
		t.Helper()
		k.Control(t, http.MethodPost, "/admin/v1/revocations", map[string]any{"kind": "jti", "value": issuerkit.Text(t, raw, "jti")}).Must(t, 201)
	}
	revoke(second)
	drfAlive(t, k, false, second)
	drfAlive(t, k, true, first, third)
	revoke(first)
	drfAlive(t, k, false, first, second, third)
}

// TestDRFSettings: each setting and what it changes.
func TestDRFSettings(t *testing.T) {
	t.Run("no refresh", func(t *testing.T) {
		k := drfOpened(t, func(c *issuer.Config) { c.DRF.NoRefresh = true })
		raw := drfLogin(t, k, "alice")
		if _, found := issuerkit.Claims(t, raw)["orig_iat"]; found {
			t.Error("orig_iat is there")
		}
		for _, raw := range []string{raw, drfForge(t, k, nil)} { // and one from before
			wantDRF(t, post(t, k, drfRefresh, raw), 400, nonField("orig_iat field not found in token."))
		}
	})
	t.Run("no user id", func(t *testing.T) {
		k := drfOpened(t, func(c *issuer.Config) { c.DRF.NoUserID = true })
		claims := issuerkit.Claims(t, tokenOf(t, post(t, k, drfRefresh, drfLogin(t, k, "alice"))))
		if _, found := claims["user_id"]; found || claims["username"] != "alice" {
			t.Errorf("%v", claims)
		}
		if issuerkit.Text(t, k.MustLogin(t, "alice").Access, "user_id") != "1" {
			t.Error("SimpleJWT's tokens lost it too")
		}
	})
	for _, id := range []string{issuer.TokenIDInclude, issuer.TokenIDOff} {
		t.Run("token id "+id, func(t *testing.T) {
			k := drfOpened(t, func(c *issuer.Config) { c.DRF.TokenID = id })
			if err := k.Verifier.Trust([]token.Issuer{{Name: issuerkit.Issuer, Own: true, Legacy: token.Legacy{NoJTI: true}, Keys: k.Ring}}); err != nil {
				t.Fatal(err)
			}
			first := drfLogin(t, k, "alice")
			last := tokenOf(t, post(t, k, drfRefresh, first))
			for _, raw := range []string{first, last} {
				claims := issuerkit.Claims(t, raw)
				_, jti := claims["jti"]
				_, orig := claims["orig_jti"]
				if jti != (id == issuer.TokenIDInclude) || orig != (id == issuer.TokenIDInclude && raw == last) {
					t.Errorf("%v", claims)
				}
			}
			without := drfForge(t, k, map[string]any{"jti": nil}) // from before, or from off
			drfAlive(t, k, true, without)
			tokenOf(t, post(t, k, drfRefresh, without))
			k.Post(t, drfLogout, nil, first).Must(t, 201)
			drfAlive(t, k, false, first, last)
		})
	}
}

// TestDRFCookies: set at each token, read on pages and not at refresh, and gone after
// a logout by it.
func TestDRFCookies(t *testing.T) {
	k := drfOpened(t, func(c *issuer.Config) {
		c.Cookies = issuer.CookieSettings{Access: "jwt", Impersonation: "imp", Secure: true, SameSite: http.SameSiteLaxMode, Domain: "example.com"}
	})
	set := func(a issuerkit.Answer) string { return a.Header.Get("Set-Cookie") }
	login := k.Post(t, drfAuth, map[string]any{"username": "alice", "password": issuerkit.Password})
	raw := tokenOf(t, login)
	cookie := regexp.MustCompile(`^jwt=` + regexp.QuoteMeta(raw) + `; Path=/; Domain=example.com; Max-Age=300; HttpOnly; Secure; SameSite=Lax$`)
	for name, a := range map[string]issuerkit.Answer{"log-in": login, "verify": post(t, k, drfVerify, raw)} {
		if !cookie.MatchString(set(a)) {
			t.Errorf("%s: %q", name, set(a))
		}
	}
	refreshed := post(t, k, drfRefresh, raw)
	if !strings.HasPrefix(set(refreshed), "jwt="+tokenOf(t, refreshed)) {
		t.Errorf("refresh: %q", set(refreshed))
	}
	with := func(path, cookie string, more ...string) issuerkit.Answer {
		h := http.Header{"Cookie": {cookie}}
		for i := 0; i+1 < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return k.Send(t, issuerkit.Request{Path: path, Header: h, Type: "application/json"})
	}
	wantDRF(t, with(drfRefresh, "jwt="+raw), 400, `{"token":["This field is required."]}`)
	for name, a := range map[string]issuerkit.Answer{
		"bad impersonation cookie": with(drfLogout, "jwt="+raw+"; imp=a.b.c"),
		"bad header":               with(drfLogout, "jwt="+raw, "Authorization", "Bearer a.b.c"),
	} {
		if a.Status != 401 || a.Body != `{"detail":"Error decoding token."}` {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	wantDRF(t, with(drfLogout, "jwt="+raw, "Authorization", "Basic eDp5"), 401, `{"detail":"Authentication credentials were not provided."}`)
	for name, a := range map[string]issuerkit.Answer{
		"a foreign page": with(drfLogout, "jwt="+raw, "Origin", "https://evil.example"),
		"a log-in by it": with(drfAuth, "jwt="+raw, "Sec-Fetch-Site", "cross-site"),
	} {
		if a.Status != 403 || !strings.Contains(a.Body, `"reason":"origin"`) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	drfAlive(t, k, true, raw)
	out := with(drfLogout, "imp=; jwt="+raw, "Authorization", "Bearer") // the header counts as absent
	wantDRF(t, out, 201, `{"token":"`+raw+`"}`)
	if !strings.HasPrefix(set(out), "jwt=; Path=/; Domain=example.com; Max-Age=0; HttpOnly") {
		t.Errorf("logout: %q", set(out))
	}
	drfAlive(t, k, false, raw)
	if again := with(drfLogout, "jwt="+raw); again.Status != 403 || !strings.HasPrefix(set(again), "jwt=; ") {
		t.Errorf("with a token that is over: %d, %q", again.Status, set(again))
	}
}

// TestCompat: a profile's endpoints exist only if it is named.
func TestCompat(t *testing.T) {
	paths := map[problem.Profile][]string{
		problem.SimpleJWT: {"/api/token/", "/api/token/verify", "/api/logout/", "/api/token/impersonate/", "/api/token/impersonate/end/"},
		problem.DRF:       {drfAuth, drfRefresh, drfVerify, drfLogout, drfImpersonate, "/api-token-impersonate/end"},
	}
	for _, named := range [][]problem.Profile{nil, {problem.SimpleJWT}, {problem.DRF}, {problem.DRF, problem.SimpleJWT}} {
		k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Compat = named }})
		if named == nil {
			named = []problem.Profile{problem.SimpleJWT}
		}
		for profile, list := range paths {
			there := false
			for _, n := range named {
				there = there || n == profile
			}
			for _, path := range list {
				if a := k.Post(t, path, map[string]any{}); (a.Status != http.StatusNotFound) != there {
					t.Errorf("%v: %s answers %d %s", named, path, a.Status, a.Body)
				}
			}
		}
		k.Send(t, issuerkit.Request{Method: http.MethodGet, Path: "/.well-known/jwks.json"}).Must(t, 200)
	}
}
