package issuer_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

const noPermission = `{"detail":"You do not have permission to perform this action."}`

// shape is one profile's pair of endpoints.
type shape struct {
	profile problem.Profile
	path    string
	status  int
	field   string // of the token in the answer
	login   func(t *testing.T, k *issuerkit.Kit, name string) string
}

func shapes() []shape {
	return []shape{
		{problem.SimpleJWT, "/api/token/impersonate/", 200, "access",
			func(t *testing.T, k *issuerkit.Kit, name string) string { return k.MustLogin(t, name).Access }},
		{problem.DRF, drfImpersonate, 201, "token", drfLogin},
	}
}

// royal is a kit of both profiles with the superusers root (3) and queen (4), an
// inactive user (5) and a cookie.
func royal(t *testing.T, change ...func(*issuer.Config)) *issuerkit.Kit {
	t.Helper()
	k := drfOpened(t, append(change, func(c *issuer.Config) { c.Cookies.Impersonation, c.Cookies.Secure = "imp", true })...)
	for _, n := range []users.New{{Username: "root", IsSuperuser: true}, {Username: "queen", IsSuperuser: true}, {Username: "gone"}} {
		k.MustUser(t, n)
	}
	disable(t, k, "gone")
	return k
}

// begin acts as a user, and returns the token.
func (s shape) begin(t *testing.T, k *issuerkit.Kit, actor, user string) string {
	t.Helper()
	raw, _ := k.Post(t, s.path, map[string]any{"user": user}, actor).Must(t, s.status).Map(t)[s.field].(string)
	return raw
}

func eachShape(t *testing.T, test func(t *testing.T, s shape)) {
	for _, s := range shapes() {
		t.Run(string(s.profile), func(t *testing.T) { test(t, s) })
	}
}

func TestImpersonate(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t)
		root := s.login(t, k, "root")
		a := k.Post(t, s.path, map[string]any{"user": 1}, root).Must(t, s.status)
		m := a.Map(t)
		raw, _ := m[s.field].(string)
		if len(m) != 1 {
			t.Errorf("%s", a.Body)
		}
		claims := issuerkit.Claims(t, raw)
		act, _ := json.Marshal(claims["act"])
		if claims["sub"] != "1" || claims["user_id"] != "1" || string(act) != `{"sub":"3"}` || claims["act_sid"] != issuerkit.Text(t, root, "sid") || claims["token_type"] != "access" {
			t.Errorf("%v", claims)
		}
		if _, refreshable := claims["orig_iat"]; refreshable || s.profile == problem.DRF && (claims["username"] != "alice" || !dashed.MatchString(claims["jti"].(string))) {
			t.Errorf("%v", claims)
		}
		if set := a.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "imp="+raw+"; Path=/; Max-Age=300; HttpOnly; Secure") {
			t.Errorf("cookie %q", set)
		}
		if k.Verify(t, raw) != 200 {
			t.Error("the token is not good")
		}
		for _, part := range []string{`"msg":"impersonation began","actor":"root","actor_sub":"3","user":"alice","sub":"1"`, `"request_id":"`} {
			if !strings.Contains(k.Logs.String(), part) {
				t.Errorf("no %s in the log", part)
			}
		}
		wantDRF(t, post(t, k, drfRefresh, raw), 400, nonField("orig_iat field not found in token."))
		want(t, refresh(t, k, raw), 401, wrongType)
		if k.Metric(t, `tollgate_tokens_issued_total{grant="impersonation",kind="impersonation"}`) != "1" {
			t.Error("not counted")
		}
		list := k.Control(t, http.MethodGet, "/admin/v1/sessions?subject=3", nil).Must(t, 200)
		if !strings.Contains(list.Body, `"subject":"1"`) || !strings.Contains(list.Body, `"impersonator":"3"`) {
			t.Errorf("the actor's sessions: %s", list.Body)
		}
	})
}

// TestImpersonationIsShort: at most a quarter of an hour, and an access token's life.
func TestImpersonationIsShort(t *testing.T) {
	k := royal(t)
	s := shapes()[0]
	claims := issuerkit.Claims(t, s.begin(t, k, s.login(t, k, "root"), "1"))
	iat, _ := claims["iat"].(json.Number).Int64()
	exp, _ := claims["exp"].(json.Number).Int64()
	if exp-iat != int64(issuerkit.AccessTTL/time.Second) {
		t.Errorf("a life of %d s", exp-iat)
	}
}

func TestImpersonateRefusals(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t)
		root, alice := s.login(t, k, "root"), s.login(t, k, "alice")
		acting := s.begin(t, k, root, "1")
		demoted := s.login(t, k, "queen")
		no := false
		if _, err := k.Users.Update(t.Context(), "queen", users.Patch{IsSuperuser: &no}); err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			name   string
			caller string
			body   string
			status int
			want   string
		}{
			{"a user", alice, `{"user":"2"}`, 403, noPermission},
			{"no superuser any more", demoted, `{"user":"2"}`, 403, noPermission},
			{"nested", acting, `{"user":"2"}`, 403, noPermission},
			{"oneself", root, `{"user":"3"}`, 403, noPermission},
			{"inactive", root, `{"user":"5"}`, 400, nonField("User account is disabled.")},
			{"unknown", root, `{"user":9}`, 400, `{"user":["Invalid pk \"9\" - object does not exist."]}`},
			{"not sent", root, `{}`, 400, `{"user":["This field is required."]}`},
			{"null", root, `{"user":null}`, 400, `{"user":["This field may not be null."]}`},
			{"empty", root, `{"user":""}`, 400, `{"user":["This field may not be null."]}`},
			{"a list", root, `{"user":["1"]}`, 400, `{"user":["Incorrect type. Expected pk value, received list."]}`},
			{"a bool", root, `{"user":true}`, 400, `{"user":["Incorrect type. Expected pk value, received bool."]}`},
		} {
			a := k.Send(t, issuerkit.Request{Path: s.path, Type: "application/json", Body: row.body, Header: issuerkit.Bearer(row.caller)})
			if t.Run(row.name, func(t *testing.T) { wantDRF(t, a, row.status, row.want) }); a.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: a cookie", row.name)
			}
		}
		k.MustUser(t, users.New{Username: "king", IsSuperuser: true})
		wantDRF(t, k.Post(t, s.path, map[string]any{"user": "6"}, root), 403, noPermission)
		wantDRF(t, k.Post(t, s.path, map[string]any{"user": "1"}), 401, noCredentials)
		disable(t, k, "root")
		wantDRF(t, k.Post(t, s.path, map[string]any{"user": "1"}, root), 403, noPermission)
	})
}

// TestImpersonateClaim: a token with the claim that is configured will do, and then
// superusers are still out of reach.
func TestImpersonateClaim(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t, func(c *issuer.Config) {
			c.Claims.Custom = []issuer.CustomClaim{{Claim: "can_impersonate", Attribute: "support"}}
			c.ImpersonateClaim = &token.ClaimRule{Name: "can_impersonate", OneOf: []string{"true"}}
		})
		k.MustUser(t, users.New{Username: "help", Attributes: map[string]any{"support": true}})
		k.MustUser(t, users.New{Username: "helpless", Attributes: map[string]any{"support": false}})
		help := s.login(t, k, "help")
		acting := s.begin(t, k, help, "1")
		for user, caller := range map[string]string{"3": help, "6": help, "2": acting} {
			wantDRF(t, k.Post(t, s.path, map[string]any{"user": user}, caller), 403, noPermission)
		}
		wantDRF(t, k.Post(t, s.path, map[string]any{"user": "1"}, s.login(t, k, "helpless")), 403, noPermission)
		// Whoever is acted as brings the claim: it is still an impersonation.
		wantDRF(t, k.Post(t, s.path, map[string]any{"user": "2"}, s.begin(t, k, s.login(t, k, "root"), "6")), 403, noPermission)
	})
}

// TestImpersonationEnds: with the sessions of either user, by end, or by an
// administrator; and no other session with it.
func TestImpersonationEnds(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t)
		revoke := func(kind, value string) {
			k.Control(t, http.MethodPost, "/admin/v1/revocations", map[string]any{"kind": kind, "value": value}).Must(t, 201)
		}
		for name, row := range map[string]struct {
			end   func(root, acting string)
			stays bool // the actor's own log-in
		}{
			"the actor's sessions":     {func(_, _ string) { revoke("subject", "3") }, false},
			"the actor's session":      {func(root, _ string) { revoke("session", issuerkit.Text(t, root, "sid")) }, false},
			"the actor logs out":       {func(root, _ string) { k.Post(t, drfLogout, nil, root).Must(t, 201) }, false},
			"the user's sessions":      {func(_, _ string) { revoke("subject", "1") }, true},
			"the session, by an admin": {func(_, acting string) { revoke("session", issuerkit.Text(t, acting, "sid")) }, true},
			"the session's record": {func(_, acting string) {
				k.Control(t, http.MethodDelete, "/admin/v1/sessions/"+issuerkit.Text(t, acting, "sid"), nil)
			}, true},
			"its jti":                     {func(_, acting string) { revoke("jti", issuerkit.Text(t, acting, "jti")) }, true},
			"end, by header":              {func(_, acting string) { k.Post(t, s.path+"end/", nil, acting).Must(t, 200) }, true},
			"end, by body":                {func(_, acting string) { k.Post(t, s.path+"end/", map[string]any{"token": acting}).Must(t, 200) }, true},
			"logout with it":              {func(_, acting string) { k.Post(t, drfLogout, nil, acting).Must(t, 201) }, true},
			"all of SimpleJWT's, as user": {func(_, acting string) { k.Post(t, "/api/logout/", map[string]any{"all": "1"}, acting).Must(t, 200) }, true},
		} {
			t.Run(name, func(t *testing.T) {
				root := s.login(t, k, "root")
				other := s.begin(t, k, s.login(t, k, "root"), "2")
				acting := s.begin(t, k, root, "1")
				if k.Verify(t, acting) != 200 || k.Verify(t, other) != 200 {
					t.Fatal("not good to begin with")
				}
				row.end(root, acting)
				if status := k.Verify(t, acting); status != 400 {
					t.Errorf("verify answers %d", status)
				}
				if good := k.Verify(t, root) == 200; good != row.stays {
					t.Errorf("the actor's own log-in: good %t", good)
				}
				if good := k.Verify(t, other) == 200; good == (name == "the actor's sessions") {
					t.Errorf("another impersonation: good %t", good)
				}
			})
		}
		if !strings.Contains(k.Logs.String(), `"msg":"impersonation ended","actor":"root","actor_sub":"3","user":"alice","sub":"1"`) {
			t.Error("the end is not in the log")
		}
	})
}

// TestImpersonationEndShapes: by the cookie, beside the actor's own token, twice, and
// where there is nothing to end.
func TestImpersonationEndShapes(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t)
		root := s.login(t, k, "root")
		acting := s.begin(t, k, root, "1")
		end := func(h http.Header, body string) issuerkit.Answer {
			return k.Send(t, issuerkit.Request{Path: s.path + "end/", Type: "application/json", Header: h, Body: body})
		}
		h := issuerkit.Bearer(root)
		h.Set("Cookie", "imp="+acting)
		foreign := h.Clone()
		foreign.Set("Origin", "https://evil.example")
		if a := end(foreign, ""); a.Status != 403 || k.Verify(t, acting) != 200 {
			t.Errorf("a foreign page: %d", a.Status)
		}
		a := end(h, "")
		wantDRF(t, a, 200, "{}")
		if set := a.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "imp=; Path=/; Max-Age=0") {
			t.Errorf("cookie %q", set)
		}
		if k.Verify(t, acting) != 400 || k.Verify(t, root) != 200 {
			t.Error("the wrong one ended")
		}
		wantDRF(t, end(nil, `{"token":"`+acting+`"}`), 200, "{}") // again
		wantDRF(t, end(issuerkit.Bearer(root), ""), 400, nonField("There is no impersonation to end."))
		wantDRF(t, end(nil, ""), 400, nonField("There is no impersonation to end."))
		wantDRF(t, end(nil, `{"token":""}`), 400, `{"token":["This field may not be blank."]}`)
		garbage := end(nil, `{"token":"garbage"}`)
		if s.profile == problem.DRF {
			wantDRF(t, garbage, 400, nonField("Error decoding token."))
		} else {
			want(t, garbage, 401, invalid)
		}
		if a := end(http.Header{"Cookie": {"imp=a.b.c; imp=d.e.f"}}, ""); a.Status != 400 {
			t.Errorf("two cookies: %d %s", a.Status, a.Body)
		}
		if k.Verify(t, root) != 200 {
			t.Error("the actor's own session ended")
		}
	})
}

// TestImpersonationOfCaller: what the token may do, and a log-in whose record is lost
// begins no other.
func TestImpersonationOfCaller(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t)
		root := s.login(t, k, "root")
		acting := s.begin(t, k, root, "1")
		// On pages and in bodies it is the user's, not the actor's.
		if s.profile == problem.DRF {
			wantDRF(t, k.Post(t, drfLogout, map[string]any{"token": root}, acting), 403, noPermission)
			mine := drfLogin(t, k, "alice")
			wantDRF(t, k.Post(t, drfLogout, map[string]any{"token": mine}, acting), 403, noPermission)
			drfAlive(t, k, true, mine)
		}
		// A record that is lost is no log-in.
		if err := k.Redis.Del(t.Context(), "t:s:{"+issuerkit.Text(t, root, "sid")+"}").Err(); err != nil {
			t.Fatal(err)
		}
		a := k.Post(t, s.path, map[string]any{"user": "1"}, root)
		if s.profile == problem.DRF {
			wantDRF(t, a, 403, `{"detail":"Token is blacklisted."}`)
		} else {
			want(t, a, 401, blacklisted)
		}
	})
}
