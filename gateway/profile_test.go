package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/problem"
	"tollgate/revocation"
)

const cookieRoutes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [" +
	"{name: open, match: {path: /open/}, upstream: app, auth: {mode: optional}}, {name: all, match: {path: /}, upstream: app}]\n"

// TestDRFRoutes: the refusals of routes in drf-jwt's shape, over HTTP.
func TestDRFRoutes(t *testing.T) {
	revoked := ""
	e := mustEdge(t, edgeOptions{profile: problem.DRF, check: func(tok *revocation.Token) revocation.Verdict {
		switch tok.JTI {
		case "away":
			return revocation.Verdict{Cause: revocation.CauseUnreachable}
		case revoked:
			return revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindSubject}
		}
		return revocation.Verdict{State: revocation.Clear}
	}})
	revoked = "gone"
	with := func(claim string, v any) string {
		return e.token(t, func(c map[string]any) {
			if c[claim] = v; v == nil {
				delete(c, claim)
			}
		})
	}
	good := e.token(t)
	const invalidToken = `Bearer realm="api", error="invalid_token"`
	for _, row := range []struct {
		name, token string
		status      int
		body        string
		challenge   string // how it begins
	}{
		{"good", good, 200, "hello", ""},
		{"none", "", 401, `{"detail":"Authentication credentials were not provided."}`, `Bearer realm="api"`},
		{"garbage", "garbage", 401, `{"detail":"Error decoding token."}`, invalidToken},
		{"another signature", good[:len(good)-8] + "AAAAAAAA", 401, `{"detail":"Error decoding token."}`, invalidToken},
		{"expired", with("exp", time.Now().Unix()-60), 401, `{"detail":"Token has expired."}`, invalidToken},
		{"of the future", with("nbf", time.Now().Unix()+600), 401, `{"detail":"Invalid token."}`, invalidToken},
		{"another issuer", with("iss", "https://other.test"), 401, `{"detail":"Invalid token."}`, invalidToken},
		{"a refresh token", with("token_type", "refresh"), 401, `{"detail":"Invalid token."}`, invalidToken},
		{"no jti", with("jti", nil), 401, `{"detail":"Invalid token."}`, invalidToken},
		{"nobody's", with("sub", nil), 401, `{"detail":"Invalid payload."}`, invalidToken},
		{"blacklisted", with("jti", "gone"), 403, `{"detail":"Token is blacklisted."}`, invalidToken},
		{"not to be told", with("jti", "away"), 503, `{"detail":"It cannot be told at the moment whether the token is still valid. Try again.","reason":"unavailable"}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var headers []string
			if row.token != "" {
				headers = []string{"Authorization", "Bearer " + row.token}
			}
			res, body := e.get(t, http.MethodGet, "/", headers...)
			if res.StatusCode != row.status || body != row.body || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), row.challenge) {
				t.Errorf("%d %s, %q", res.StatusCode, body, res.Header.Get("WWW-Authenticate"))
			}
		})
	}
	if !strings.Contains(e.logs.String(), `"reason":"revoked"`) {
		t.Error("the reason of the blacklisted token is not in the log")
	}
}

// TestDRFCarriers: how drf-jwt reads the header, and when it looks at cookies, beside
// SimpleJWT.
func TestDRFCarriers(t *testing.T) {
	edges := map[problem.Profile]*edge{}
	for _, p := range problem.Profiles() {
		edges[p] = mustEdge(t, edgeOptions{profile: p, routes: cookieRoutes, defaults: Defaults{Cookie: "access", ImpersonationCookie: "imp"}})
	}
	const bad = "a.b.c"
	for _, row := range []struct {
		name   string
		header string // GOOD stands for a good token
		cookie string
		drf    int
		simple int
	}{
		{"header", "Bearer GOOD", "", 200, 200},
		{"another case", "bearer GOOD", "", 200, 200},
		{"scheme alone, cookie", "Bearer", "access=GOOD", 200, 401},
		{"three words, cookie", "Bearer GOOD GOOD", "access=GOOD", 200, 401},
		{"two blanks, cookie", "Bearer  " + bad, "access=GOOD", 200, 401},
		{"two blanks", "Bearer  GOOD", "", 401, 200},
		{"three words", "Bearer GOOD GOOD", "", 401, 401},
		{"another scheme, cookie", "Basic eDp5", "access=GOOD", 401, 200},
		{"another scheme, impersonation cookie", "Basic eDp5", "imp=GOOD", 401, 200},
		{"bad header is not rescued", "Bearer " + bad, "access=GOOD", 401, 401},
		{"cookie", "", "access=GOOD", 200, 200},
		{"impersonation first", "", "access=" + bad + "; imp=GOOD", 200, 200},
		{"bad impersonation is not rescued", "", "imp=" + bad + "; access=GOOD", 401, 401},
		{"empty impersonation is skipped", "", "imp=; access=GOOD", 200, 200},
		{"quoted empty impersonation is skipped", "", `imp=""; access=GOOD`, 200, 200},
		{"a cookie twice", "", "access=GOOD; access=GOOD", 400, 400},
	} {
		for p, want := range map[problem.Profile]int{problem.DRF: row.drf, problem.SimpleJWT: row.simple} {
			t.Run(row.name+"/"+string(p), func(t *testing.T) {
				e := edges[p]
				good := e.token(t)
				var headers []string
				if row.header != "" {
					headers = append(headers, "Authorization", strings.ReplaceAll(row.header, "GOOD", good))
				}
				if row.cookie != "" {
					headers = append(headers, "Cookie", strings.ReplaceAll(row.cookie, "GOOD", good))
				}
				if res, body := e.get(t, http.MethodGet, "/", headers...); res.StatusCode != want {
					t.Errorf("%d %s, want %d", res.StatusCode, body, want)
				}
			})
		}
	}
	// Another scheme is nobody's at all here: an optional route takes it for anonymous.
	e := edges[problem.DRF]
	if res, body := e.get(t, http.MethodGet, "/open/", "Authorization", "Basic eDp5", "Cookie", "access="+e.token(t)); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if seen := e.requests(); seen[len(seen)-1].Header.Get("X-User-Id") != "" {
		t.Error("a cookie beside another scheme was believed")
	}
}

// TestChallengeScheme: the challenge names the first of the schemes that are taken, as
// both libraries have it, whoever refuses.
func TestChallengeScheme(t *testing.T) {
	for _, p := range problem.Profiles() {
		e := mustEdge(t, edgeOptions{profile: p, schemes: []string{"JWT", "Bearer"}})
		for credential, want := range map[string]string{"": `JWT realm="api"`, "JWT garbage": `JWT realm="api", error="invalid_token", `, "bearer garbage": `JWT realm="api", error="invalid_token", `} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL+"/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			if credential != "" {
				r.Header.Set("Authorization", credential)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header.Get("WWW-Authenticate"); res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(got, want) {
				t.Errorf("%s, Authorization %q: %d, challenge %q, want %q", p, credential, res.StatusCode, got, want)
			}
		}
	}
}
