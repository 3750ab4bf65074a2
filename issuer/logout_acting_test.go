package issuer_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
)

// TestLogoutWhileActing: whoever acts as another user ends his acting, whatever he asks
// for. The sessions of the other go on, and his own does unless he names it.
func TestLogoutWhileActing(t *testing.T) {
	for name, row := range map[string]struct {
		body     func(own, alice, stranger issuerkit.Pair) map[string]any
		status   int
		ownEnds  bool
		actsOn   bool
		cleared  []string
		response string
	}{
		"nothing":               {nil, 200, false, false, []string{"imp"}, goodbye},
		"all":                   {func(_, _, _ issuerkit.Pair) map[string]any { return map[string]any{"all": "1"} }, 200, false, false, []string{"imp"}, goodbye},
		"his own refresh token": {func(own, _, _ issuerkit.Pair) map[string]any { return map[string]any{"refresh_token": own.Refresh} }, 200, true, false, []string{"access", "refresh", "imp"}, goodbye},
		"his own, and all": {func(own, _, _ issuerkit.Pair) map[string]any {
			return map[string]any{"refresh_token": own.Refresh, "all": true}
		}, 200, true, false, []string{"access", "refresh", "imp"}, goodbye},
		"the user's refresh token":   {func(_, alice, _ issuerkit.Pair) map[string]any { return map[string]any{"refresh_token": alice.Refresh} }, 401, false, true, nil, invalid},
		"his own of another log-in":  {func(_, _, s issuerkit.Pair) map[string]any { return map[string]any{"refresh_token": s.Refresh} }, 401, false, true, nil, invalid},
		"an access token":            {func(own, _, _ issuerkit.Pair) map[string]any { return map[string]any{"refresh_token": own.Access} }, 401, false, true, nil, wrongType},
		"null counts as not sent":    {func(_, _, _ issuerkit.Pair) map[string]any { return map[string]any{"refresh_token": nil} }, 200, false, false, []string{"imp"}, goodbye},
		"a list is no refresh token": {func(_, _, _ issuerkit.Pair) map[string]any { return map[string]any{"refresh_token": []string{"x"}} }, 400, false, true, nil, `{"refresh_token":["Not a valid string."]}`},
	} {
		t.Run(name, func(t *testing.T) {
			k := royal(t, func(c *issuer.Config) { c.Cookies.Access, c.Cookies.Refresh = "access", "refresh" })
			own, other, alice := k.MustLogin(t, "root"), k.MustLogin(t, "root"), k.MustLogin(t, "alice")
			acting := shapes()[0].begin(t, k, own.Access, "1")
			var body map[string]any
			if row.body != nil {
				body = row.body(own, alice, other)
			}
			a := k.Post(t, "/api/logout/", body, acting)
			wantDRF(t, a, row.status, row.response)
			var cleared []string
			for _, line := range a.Header["Set-Cookie"] {
				if !strings.Contains(line, "Max-Age=0") {
					t.Errorf("a cookie is set: %s", line)
				}
				name, _, _ := strings.Cut(line, "=")
				cleared = append(cleared, name)
			}
			if strings.Join(cleared, " ") != strings.Join(row.cleared, " ") {
				t.Errorf("cleared %v, want %v", cleared, row.cleared)
			}
			if on := k.Verify(t, acting) == 200; on != row.actsOn {
				t.Errorf("the acting goes on: %t", on)
			}
			alive(t, k, alice, other)
			if row.ownEnds {
				ended(t, k, own)
			} else {
				alive(t, k, own)
			}
			if audited := strings.Contains(k.Logs.String(), `"msg":"impersonation ended","actor":"root"`); audited == row.actsOn {
				t.Errorf("audited: %t", audited)
			}
		})
	}
}

// TestLogoutWhileActingAfterOwnEnd: the end of the log-in from which somebody acts is
// the end of his acting, so there is nobody left to log out.
func TestLogoutWhileActingAfterOwnEnd(t *testing.T) {
	k := royal(t)
	own := k.MustLogin(t, "root")
	acting := shapes()[0].begin(t, k, own.Access, "1")
	k.Advance(issuerkit.RefreshTTL + issuerkit.Leeway)
	k.Post(t, "/api/logout/", map[string]any{"refresh_token": own.Refresh}, acting).Must(t, 401) // both are over
	again := k.MustLogin(t, "root")
	acting = shapes()[0].begin(t, k, again.Access, "1")
	k.Post(t, "/api/token/blacklist/", map[string]any{"refresh": again.Refresh}).Must(t, 200)
	k.Post(t, "/api/logout/", map[string]any{"refresh_token": again.Refresh}, acting).Must(t, 401) // it ended the acting, too
}

// TestLogInStopsActing: edges prefer the cookie of an impersonation, so a log-in takes it
// out of the browser.
func TestLogInStopsActing(t *testing.T) {
	k := royal(t, func(c *issuer.Config) { c.Cookies.Access = "access" })
	for _, path := range []string{"/api/token/", "/api/token/sliding/", drfAuth} {
		j := &jar{k, map[string]string{"imp": "of before"}}
		j.send(t, http.MethodPost, path, aliceLogsIn)
		if j.held["imp"] != "" || j.held["access"] == "" {
			t.Errorf("%s: the browser holds %v", path, j.held)
		}
		j = &jar{k, map[string]string{"imp": "of before"}}
		j.send(t, http.MethodPost, path, `{"username":"alice","password":"wrong"}`)
		if j.held["imp"] == "" {
			t.Errorf("%s: a refused log-in took the cookie", path)
		}
	}
}

// TestCookieOnlyEverywhere: with Only no token that stands in a cookie is in a body, and
// drf-jwt's endpoints, whose pages then have none to send, read the cookie.
func TestCookieOnlyEverywhere(t *testing.T) {
	k := royal(t, func(c *issuer.Config) {
		c.Cookies.Access, c.Cookies.Refresh, c.Cookies.Only = "access", "refresh", true
	})
	j := &jar{k, map[string]string{}}
	root := `{"username":"root","password":"` + issuerkit.Password + `"}`
	first := j.send(t, "POST", drfAuth, root).Must(t, 201)
	pk := first.Map(t)["pk"]
	if len(first.Map(t)) != 1 || pk == nil {
		t.Errorf("log-in: %s", first.Body)
	}
	for _, path := range []string{drfRefresh, drfVerify} {
		before := j.held["access"]
		if a := j.send(t, "POST", path, "").Must(t, 201); len(a.Map(t)) != 1 || j.held["access"] == "" {
			t.Errorf("%s: %s", path, a.Body)
		}
		if renewed := j.held["access"] != before; renewed != (path == drfRefresh) {
			t.Errorf("%s: another token %t", path, renewed)
		}
	}
	j.send(t, "POST", drfRefresh, `{"token":"garbage"}`).Must(t, 400) // no cookie rescues it
	if a := j.send(t, "POST", drfImpersonate, `{"user":"1"}`).Must(t, 201); a.Body != "{}" || j.held["imp"] == "" {
		t.Errorf("impersonation: %s", a.Body)
	}
	j.send(t, "POST", drfImpersonate+"end/", "").Must(t, 200)
	j.send(t, "POST", "/api/token/", root).Must(t, 200)
	if a := j.send(t, "POST", "/api/token/impersonate/", `{"user":"1"}`).Must(t, 200); a.Body != "{}" || j.held["imp"] == "" {
		t.Errorf("impersonation: %s", a.Body)
	}
	plain := royal(t, func(c *issuer.Config) { c.Cookies.Access = "access" })
	p := &jar{plain, map[string]string{}}
	p.send(t, "POST", drfAuth, root).Must(t, 201)
	p.send(t, "POST", drfRefresh, "").Must(t, 400) // as drf-jwt: the body's alone
}

// TestUserFieldsEverywhere: every log-in tells of its user, that of an impersonation of
// the user who is acted as; a refresh and verify do not.
func TestUserFieldsEverywhere(t *testing.T) {
	k := royal(t, func(c *issuer.Config) { c.ResponseUserFields = []string{"id", "email"} })
	const alice = `"user":{"email":"alice@example.com","id":"1"}`
	in := k.Post(t, drfAuth, map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 201)
	raw, _ := in.Map(t)["token"].(string)
	if !strings.Contains(in.Body, alice) {
		t.Errorf("log-in: %s", in.Body)
	}
	for _, path := range []string{drfRefresh, drfVerify} {
		if a := post(t, k, path, raw).Must(t, 201); strings.Contains(a.Body, `"user"`) {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	root := k.MustLogin(t, "root").Access
	for path, status := range map[string]int{drfImpersonate: 201, "/api/token/impersonate/": 200} {
		if a := k.Post(t, path, map[string]any{"user": "1"}, root).Must(t, status); !strings.Contains(a.Body, alice) {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
}
