package issuer_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

var hex32 = regexp.MustCompile(`^[0-9a-f]{32}$`)

// TestObtain: a log-in, and the claims of both its tokens, to the last.
func TestObtain(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	a := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 200)
	wantHeaders(t, a)
	if a.Header.Get("Vary") != "Accept" {
		t.Errorf("Vary %q", a.Header.Get("Vary"))
	}
	if members := slices.Sorted(maps.Keys(a.Map(t))); !slices.Equal(members, []string{"access", "refresh"}) {
		t.Errorf("members %v", members)
	}
	var pair issuerkit.Pair
	a.Into(t, &pair)
	access, refresh := issuerkit.Claims(t, pair.Access), issuerkit.Claims(t, pair.Refresh)
	now := k.Now().Unix()
	for kind, claims := range map[string]map[string]any{"access": access, "refresh": refresh} {
		expected := map[string]any{
			"token_type": kind, "iss": issuerkit.Issuer, "sub": "1", "user_id": "1", "iat": number(now),
			"exp": number(now + int64(issuerkit.AccessTTL.Seconds())), "jti": claims["jti"], "sid": claims["sid"],
		}
		if kind == "refresh" {
			expected["exp"], expected["gen"] = number(now+int64(issuerkit.RefreshTTL.Seconds())), json.Number("1")
		}
		if diff := cmp.Diff(expected, claims); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		if jti, _ := claims["jti"].(string); !hex32.MatchString(jti) {
			t.Errorf("%s: jti %v", kind, claims["jti"])
		}
	}
	if access["jti"] == refresh["jti"] || access["sid"] != refresh["sid"] {
		t.Errorf("jtis %v and %v, sids %v and %v", access["jti"], refresh["jti"], access["sid"], refresh["sid"])
	}
	kid := k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath}).Map(t)["keys"].([]any)[0].(map[string]any)["kid"]
	for _, raw := range []string{pair.Access, pair.Refresh} {
		if diff := cmp.Diff(map[string]any{"alg": "ES256", "kid": kid, "typ": "JWT"}, issuerkit.Header(t, raw)); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
	}
	line := k.Logs.Last(t, "issuer:token")
	if line["sub"] != "1" || line["jti"] != access["jti"] || line["kid"] != kid || line["decision"] != "allow" {
		t.Errorf("logged %v", line)
	}
	again := k.MustLogin(t, "alice")
	if issuerkit.Text(t, again.Access, "sid") == access["sid"] {
		t.Error("a second log-in is the same session")
	}
	alive(t, k, pair, again)
}

func number(n int64) json.Number {
	text, _ := json.Marshal(n)
	return json.Number(text)
}

// TestObtainRefuses: one answer for an unknown name, a wrong password, an unusable
// one and an inactive user, and as many hashes for each.
func TestObtainRefuses(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	if err := k.Disable(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Users.Add(t.Context(), users.New{Username: "robot", NoPassword: true, IsActive: true}); err != nil {
		t.Fatal(err)
	}
	long := make([]byte, 5000)
	for i := range long {
		long[i] = 'x'
	}
	for name, fields := range map[string]map[string]any{
		"unknown name":      {"username": "mallory", "password": issuerkit.Password},
		"wrong password":    {"username": "alice", "password": "wrong password"},
		"half the password": {"username": "alice", "password": issuerkit.Password[:10]},
		"long password":     {"username": "alice", "password": string(long)},
		"inactive":          {"username": "bob", "password": issuerkit.Password},
		"unusable password": {"username": "robot", "password": "!"},
		"id for a name":     {"username": "1", "password": issuerkit.Password},
		"email for a name":  {"username": "alice@example.com", "password": issuerkit.Password},
		"number":            {"username": 1, "password": 2},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, k.Post(t, "/api/token/", fields), 401, noAccount)
			line := k.Logs.Last(t, "issuer:token")
			if line["decision"] != "deny" || line["reason"] != nil || line["sub"] != nil {
				t.Errorf("logged %v", line)
			}
		})
	}
	if n := k.Metric(t, `tollgate_login_attempts_total{result="failure"}`); n != "9" {
		t.Errorf("%s failed log-ins counted", n)
	}
	k.MustLogin(t, "alice")
	if n := k.Metric(t, `tollgate_login_attempts_total{result="success"}`); n != "1" {
		t.Errorf("%s log-ins counted", n)
	}
	if n := k.Metric(t, `tollgate_tokens_issued_total{grant="password",kind="refresh"}`); n != "1" {
		t.Errorf("%s tokens counted", n)
	}
}

// TestClaims: audiences, the user's id in its forms, and custom claims with every
// value that an attribute can have.
func TestClaims(t *testing.T) {
	attributes := map[string]any{
		"tenant": "acme", "empty": "", "no": false, "zero": 0, "null": nil, "big": json.Number("9007199254740993"),
		"roles": []any{"a", "b"}, "nested": map[string]any{"x": []any{}}, "user_no": 42, "exp": 1,
	}
	k := issuerkit.MustOpen(t, issuerkit.Options{Audience: []string{"shop", "admin"}, Issuer: func(c *issuer.Config) {
		c.Claims.UserIDField, c.Claims.UserIDNumber, c.Claims.UserIDClaim = "user_no", true, "uid"
		for _, name := range []string{"username", "email", "is_staff", "is_superuser", "is_active", "last_login", "tenant", "empty", "no", "zero", "null", "big", "roles", "nested", "missing"} {
			c.Claims.Custom = append(c.Claims.Custom, issuer.CustomClaim{Claim: name, Attribute: name})
		}
		// Whoever reads the configuration refuses these names; the issuer does not
		// rely on it.
		for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "sid", "token_type", "gen", "uid"} {
			c.Claims.Custom = append(c.Claims.Custom, issuer.CustomClaim{Claim: name, Attribute: "exp"})
		}
	}})
	k.MustUser(t, users.New{Username: "carol", ID: "c-7", Attributes: attributes, IsStaff: true})
	pair := k.MustLogin(t, "carol")
	now := k.Now().Unix()
	for kind, raw := range map[string]string{"access": pair.Access, "refresh": pair.Refresh, "refreshed": k.MustRefresh(t, pair.Refresh).Access} {
		claims := issuerkit.Claims(t, raw)
		expected := map[string]any{
			"uid": json.Number("42"), "sub": "c-7", "iss": issuerkit.Issuer, "aud": []any{"shop", "admin"}, "iat": number(now),
			"username": "carol", "email": "", "is_staff": true, "is_superuser": false, "is_active": true, "last_login": nil,
			"tenant": "acme", "empty": "", "no": false, "zero": json.Number("0"), "null": nil, "big": json.Number("9007199254740993"),
			"roles": []any{"a", "b"}, "nested": map[string]any{"x": []any{}}, "missing": nil,
		}
		for _, name := range []string{"jti", "sid", "exp", "token_type"} {
			if expected[name] = claims[name]; claims[name] == nil || claims[name] == json.Number("1") {
				t.Errorf("%s: claim %s is %v", kind, name, claims[name])
			}
		}
		if kind == "refresh" {
			expected["gen"] = json.Number("1")
		}
		if diff := cmp.Diff(expected, claims); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

// TestAudienceForms: none, one as text, several as a list; a custom claim cannot
// make up for none.
func TestAudienceForms(t *testing.T) {
	for _, row := range []struct {
		audience []string
		want     any
	}{{nil, nil}, {[]string{"shop"}, "shop"}, {[]string{"a", "b"}, []any{"a", "b"}}} {
		k := opened(t, issuerkit.Options{Audience: row.audience, Issuer: func(c *issuer.Config) {
			c.Claims.Custom = []issuer.CustomClaim{{Claim: "aud", Attribute: "username"}}
		}})
		pair := k.MustLogin(t, "alice")
		for _, raw := range []string{pair.Access, pair.Refresh} {
			if diff := cmp.Diff(row.want, issuerkit.Claims(t, raw)["aud"]); diff != "" {
				t.Errorf("aud (-want +got):\n%s", diff)
			}
		}
		alive(t, k, pair)
	}
}

// TestUserIDThatIsNone: a user whose id cannot be written as configured gets no
// token, and nobody is told to try again.
func TestUserIDThatIsNone(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Claims.UserIDNumber, c.Claims.UserIDField = true, "no" }})
	for name, attributes := range map[string]map[string]any{
		"missing": {}, "null": {"no": nil}, "empty": {"no": ""}, "text": {"no": "x"}, "fraction": {"no": 1.5}, "second-spelling": {"no": "007"}, "plus": {"no": "+7"},
	} {
		k.MustUser(t, users.New{Username: name, Attributes: attributes})
		a := k.Post(t, "/api/token/", map[string]any{"username": name, "password": issuerkit.Password})
		want(t, a, 500, `{"detail":"A server error occurred."}`)
		if a.Header.Get("Retry-After") != "" {
			t.Errorf("%s: told to try again", name)
		}
	}
	k.MustUser(t, users.New{Username: "good", Attributes: map[string]any{"no": "7"}})
	if id := issuerkit.Claims(t, k.MustLogin(t, "good").Access)["user_id"]; id != json.Number("7") {
		t.Errorf("user_id %v", id)
	}
}
