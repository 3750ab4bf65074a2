package issuer_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

// mustSuite returns a kit with alice, bob, and carol who is disabled.
func mustSuite(t *testing.T) suite {
	t.Helper()
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "carol"})
	if err := k.Disable(t.Context(), "carol"); err != nil {
		t.Fatal(err)
	}
	return suite{k}
}

// TestSuiteClaims: 1.3, what the tokens of each endpoint carry, to the last claim.
func TestSuiteClaims(t *testing.T) {
	s := suite{opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		for claim, attribute := range map[string]string{"username": "username", "email": "email", "is_staff": "is_staff", "team": "team", "dept": "nothing"} {
			c.Claims.Custom = append(c.Claims.Custom, issuer.CustomClaim{Claim: claim, Attribute: attribute})
		}
	}})}
	s.MustUser(t, users.New{Username: "dora", Email: "dora@example.com", Attributes: map[string]any{"team": map[string]any{"id": 7, "tags": []any{"a"}}}})
	pair := s.MustLogin(t, "dora")
	next := s.MustRefresh(t, pair.Refresh)
	custom := []string{"dept", "email", "is_staff", "team", "username"}
	registered := []string{"exp", "iat", "iss", "jti", "sid", "sub", "token_type", "user_id"}
	for name, row := range map[string]struct {
		raw, kind string
		more      []string
		life      int64
	}{
		"access": {pair.Access, "access", nil, 300}, "refresh": {pair.Refresh, "refresh", []string{"gen"}, 86400},
		"refreshed access": {next.Access, "access", nil, 300}, "refreshed refresh": {next.Refresh, "refresh", []string{"gen"}, 86400},
		"sliding": {mustSliding(t, s.Kit, "dora"), "sliding", []string{"refresh_exp"}, 300},
	} {
		claims := issuerkit.Claims(t, row.raw)
		names := slices.Sorted(maps.Keys(claims))
		if diff := cmp.Diff(slices.Sorted(slices.Values(slices.Concat(custom, registered, row.more))), names); diff != "" {
			t.Errorf("%s: claims (-want +got):\n%s", name, diff)
		}
		iat, exp := whole(t, claims["iat"]), whole(t, claims["exp"])
		if claims["token_type"] != row.kind || claims["user_id"] != claims["sub"] || claims["email"] != "dora@example.com" || claims["is_staff"] != false || claims["dept"] != nil ||
			exp-iat != row.life || iat != s.Now().Unix() || !hex32.MatchString(claims["jti"].(string)) {
			t.Errorf("%s: %v", name, claims)
		}
		if diff := cmp.Diff(map[string]any{"id": json.Number("7"), "tags": []any{"a"}}, claims["team"]); diff != "" {
			t.Errorf("%s: a nested value: %s", name, diff)
		}
		if h := issuerkit.Header(t, row.raw); h["typ"] != "JWT" || h["alg"] != "ES256" || h["kid"] == "" {
			t.Errorf("%s: header %v", name, h)
		}
	}
	jtis := map[string]bool{}
	for _, raw := range []string{pair.Access, pair.Refresh, next.Access, next.Refresh} {
		jtis[issuerkit.Text(t, raw, "jti")] = true
	}
	if len(jtis) != 4 {
		t.Errorf("%d jtis of four tokens", len(jtis))
	}
}

// TestSuiteRotation: 1.4, where ours is meant to differ included.
func TestSuiteRotation(t *testing.T) {
	s := mustSuite(t)
	t.Run("the old one is blacklisted, and reuse ends the family", func(t *testing.T) {
		first := s.MustLogin(t, "alice")
		second := s.MustRefresh(t, first.Refresh)
		s.Advance(2 * issuerkit.Grace)
		want(t, refresh(t, s.Kit, first.Refresh), 401, blacklisted)
		ended(t, s.Kit, second)
	})
	t.Run("logout all covers rotated and sliding tokens, and nobody else's", func(t *testing.T) {
		pair, sliding, bob := s.MustRefresh(t, s.MustLogin(t, "alice").Refresh), mustSliding(t, s.Kit, "alice"), s.MustLogin(t, "bob")
		want(t, s.Post(t, "/api/logout/", map[string]any{"all": "1"}, pair.Access), 200, goodbyeAll)
		ended(t, s.Kit, pair)
		want(t, s.Post(t, "/api/token/sliding/refresh/", map[string]any{"token": sliding}), 401, blacklisted)
		alive(t, s.Kit, bob)
	})
	t.Run("an unknown jti is not taken", func(t *testing.T) {
		claims := issuerkit.Claims(t, s.MustLogin(t, "alice").Refresh)
		claims["jti"] = strings.Repeat("0", 32)
		want(t, refresh(t, s.Kit, s.MustForge(t, claims)), 401, invalid)
	})
}

// TestSuiteOptions: OPTIONS answers with Django REST framework's metadata, whoever asks.
func TestSuiteOptions(t *testing.T) {
	s := mustSuite(t)
	const credentials = `{"username":{"type":"string","required":true,"read_only":false,"label":"Username"},"password":{"type":"string","required":true,"read_only":false,"label":"Password"}}`
	one := func(name string) string {
		return `{"` + name + `":{"type":"string","required":true,"read_only":false,"label":"` + strings.ToUpper(name[:1]) + name[1:] + `"}}`
	}
	for path, row := range map[string]struct{ name, allow, fields string }{
		"/api/token/":                 {"Token Obtain Pair", "POST, OPTIONS", credentials},
		"/api/token/refresh/":         {"Token Refresh", "POST, OPTIONS", strings.TrimSuffix(one("refresh"), "}") + `,"access":{"type":"string","required":false,"read_only":true,"label":"Access"}}`},
		"/api/token/verify/":          {"Token Verify", "POST, OPTIONS", one("token")},
		"/api/token/blacklist/":       {"Token Blacklist", "POST, OPTIONS", one("refresh")},
		"/api/token/sliding/":         {"Token Obtain Sliding", "POST, OPTIONS", credentials},
		"/api/token/sliding/refresh/": {"Token Refresh Sliding", "POST, OPTIONS", one("token")},
		"/api/logout/":                {"Api Logout", "POST, OPTIONS", ""},
		"/api/password/":              {"Password", "POST, OPTIONS", `{"old_password":{"type":"string","required":true,"read_only":false,"label":"Old password"},"new_password":{"type":"string","required":true,"read_only":false,"label":"New password"}}`},
		"/api/sessions/":              {"Session List", "GET, DELETE, HEAD, OPTIONS", ""},
		"/api/sessions/x/":            {"Session", "GET, DELETE, HEAD, OPTIONS", ""},
	} {
		for _, path := range []string{path, strings.TrimSuffix(path, "/")} {
			a := s.Send(t, issuerkit.Request{Method: http.MethodOptions, Path: path, Header: http.Header{"Authorization": {"Bearer garbage"}}}).Must(t, http.StatusOK)
			m := a.Map(t)
			if m["name"] != row.name || a.Header.Get("Allow") != row.allow || a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("OPTIONS %s: %v %s", path, a.Header, a.Body)
			}
			if diff := cmp.Diff([]any{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}, m["parses"]); diff != "" {
				t.Error(diff)
			}
			var fields any
			if row.fields != "" {
				var actions map[string]any
				if err := json.Unmarshal([]byte(`{"POST":`+row.fields+`}`), &actions); err != nil {
					t.Fatal(err)
				}
				fields = actions
			}
			if diff := cmp.Diff(fields, m["actions"]); diff != "" {
				t.Errorf("OPTIONS %s: actions (-want +got):\n%s", path, diff)
			}
		}
	}
}

// TestOptionsOfOAuth: the rows of OAuth take forms alone, and say so.
func TestOptionsOfOAuth(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect"} {
		m := k.Send(t, issuerkit.Request{Method: http.MethodOptions, Path: path}).Must(t, http.StatusOK).Map(t)
		if diff := cmp.Diff([]any{"application/x-www-form-urlencoded"}, m["parses"]); diff != "" {
			t.Errorf("OPTIONS %s: parses (-want +got):\n%s", path, diff)
		}
	}
}

// TestTyp: at+jwt is said of what gives access (RFC 9068 section 2.1), never of a refresh
// token: verifiers that know no token_type go by it.
func TestTyp(t *testing.T) {
	for _, typ := range []string{"JWT", "at+jwt"} {
		k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Claims.Typ = typ }})
		pair := k.MustLogin(t, "alice")
		var next issuerkit.Pair
		refresh(t, k, pair.Refresh).Must(t, http.StatusOK).Into(t, &next)
		for _, p := range []issuerkit.Pair{pair, next} {
			if got := issuerkit.Header(t, p.Access)["typ"]; got != typ {
				t.Errorf("an access token's typ is %v, want %s", got, typ)
			}
			if got := issuerkit.Header(t, p.Refresh)["typ"]; got != "JWT" {
				t.Errorf("a refresh token's typ is %v, want JWT", got)
			}
		}
	}
}

// TestSchemeOfChallenge: 401s name the first of the schemes that are taken, as
// SimpleJWT's do (its AUTH_HEADER_TYPES).
func TestSchemeOfChallenge(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Schemes = []string{"JWT", "Bearer"} }})
	for path, body := range map[string]map[string]any{
		"/api/token/": {"username": "alice", "password": "x"}, "/api/token/refresh/": {"refresh": "x"}, "/api/logout/": {}, "/api/password/": {},
	} {
		a := k.Post(t, path, body).Must(t, http.StatusUnauthorized)
		if got := a.Header.Get("WWW-Authenticate"); got != `JWT realm="api"` {
			t.Errorf("%s: challenge %q", path, got)
		}
	}
}

// whole is a claim that is a whole number.
func whole(t *testing.T, v any) int64 {
	t.Helper()
	number, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	n, err := number.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
