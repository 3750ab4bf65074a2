package issuer_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/keys"
	"tollgate/revocation"
)

const appOrigin = "https://app.example"

// cookied is a kit that hands tokens out in cookies.
func cookied(t *testing.T, change func(*issuer.CookieSettings)) *issuerkit.Kit {
	t.Helper()
	return opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Cookies = issuer.CookieSettings{Access: "access", Refresh: "refresh", Secure: true, SameSite: http.SameSiteLaxMode, Origins: []string{appOrigin}}
		if change != nil {
			change(&c.Cookies)
		}
	}})
}

// jar is a browser: it keeps the cookies of answers and sends them along.
type jar struct {
	*issuerkit.Kit
	held map[string]string
}

func (j *jar) send(t *testing.T, method, path, body string, headers ...string) issuerkit.Answer {
	t.Helper()
	r := issuerkit.Request{Method: method, Path: path, Body: body, Header: http.Header{}}
	if body != "" {
		r.Type = "application/json"
	}
	var list []string
	for name, value := range j.held {
		list = append(list, name+"="+value)
	}
	if list != nil {
		slices.Sort(list)
		r.Header.Set("Cookie", strings.Join(list, "; "))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := j.Send(t, r)
	for _, c := range cookies(t, a) {
		if j.Logs.Secret(c.Value); c.MaxAge < 0 {
			delete(j.held, c.Name)
		} else {
			j.held[c.Name] = c.Value
		}
	}
	return a
}

func cookies(t *testing.T, a issuerkit.Answer) []*http.Cookie {
	t.Helper()
	var out []*http.Cookie
	for _, line := range a.Header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatalf("Set-Cookie %q: %v", line, err)
		}
		out = append(out, c)
	}
	return out
}

const aliceLogsIn = `{"username":"alice","password":"` + issuerkit.Password + `"}`

// TestCookies: a front end that never sees a token: log in, be listed, refresh, log out.
func TestCookies(t *testing.T) {
	j := &jar{cookied(t, nil), map[string]string{}}
	a := j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	var lines []string
	for _, c := range cookies(t, a) {
		lines = append(lines, fmt.Sprint(c.Name, " ", c.MaxAge, " ", c.Path, " ", c.Domain, " ", c.HttpOnly, c.Secure, c.SameSite == http.SameSiteLaxMode))
	}
	if diff := cmp.Diff([]string{"access 300 /  true true true", "refresh 86400 /  true true true"}, lines); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
	var body issuerkit.Pair
	a.Into(t, &body)
	if body.Access != j.held["access"] || body.Refresh != j.held["refresh"] {
		t.Error("the body holds other tokens than the cookies")
	}
	j.send(t, "GET", "/api/sessions/", "").Must(t, 200)
	before := j.held["refresh"]
	j.send(t, "POST", "/api/token/refresh/", "").Must(t, 200)
	if j.held["refresh"] == before || issuerkit.Text(t, j.held["refresh"], "sid") != issuerkit.Text(t, before, "sid") {
		t.Error("the refresh cookie was not replaced")
	}
	last := issuerkit.Pair{Access: j.held["access"], Refresh: j.held["refresh"]}
	a = j.send(t, "POST", "/api/logout/", "").Must(t, 200)
	if len(j.held) != 0 || len(cookies(t, a)) != 2 {
		t.Errorf("after the log-out the browser holds %v", j.held)
	}
	for _, c := range cookies(t, a) {
		if c.Value != "" || c.Path != "/" || !c.HttpOnly {
			t.Errorf("cleared by %v", c)
		}
	}
	for _, raw := range []string{last.Access, last.Refresh} {
		if j.Verify(t, raw) != 400 {
			t.Error("the session lives on")
		}
	}
	j.send(t, "POST", "/api/logout/", "").Must(t, 401)
	j.send(t, "POST", "/api/token/refresh/", "").Must(t, 400)
}

// TestLogoutWithDeadCookies: a browser whose session is over elsewhere is rid of its cookies
// when it logs out, though it is refused; nothing else takes them away.
func TestLogoutWithDeadCookies(t *testing.T) {
	j := &jar{cookied(t, nil), map[string]string{}}
	j.send(t, "POST", "/api/logout/", "").Must(t, 401)
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	access, refresh := j.held["access"], j.held["refresh"]
	j.Post(t, "/api/logout/", map[string]any{"all": "1"}, access).Must(t, 200)
	for what, send := range map[string]func() issuerkit.Answer{
		"another row": func() issuerkit.Answer { return j.send(t, "GET", "/api/sessions/", "") },
		"a dead token's header": func() issuerkit.Answer {
			return j.send(t, "POST", "/api/logout/", "", "Authorization", "Bearer "+access)
		},
		"a foreign page": func() issuerkit.Answer {
			return j.send(t, "POST", "/api/logout/", "", "Origin", "https://evil.example")
		},
	} {
		if a := send(); a.Status < 400 || len(cookies(t, a)) != 0 || len(j.held) != 2 {
			t.Errorf("%s: %d, the browser holds %d cookies", what, a.Status, len(j.held))
		}
	}
	// The access token alone is revoked: the session lives on, and the browser can still end it.
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	if _, err := j.Revocations.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: issuerkit.Text(t, j.held["access"], "jti")}); err != nil {
		t.Fatal(err)
	}
	if a := j.send(t, "POST", "/api/logout/", "").Must(t, 401); len(cookies(t, a)) != 0 {
		t.Error("the refresh token of a session that lives on is gone")
	}
	for what, held := range map[string]map[string]string{"both": {"access": access, "refresh": refresh}, "access": {"access": access}, "refresh": {"refresh": refresh}} {
		j.held = held
		if a := j.send(t, "POST", "/api/logout/", "").Must(t, 401); len(j.held) != 0 || len(cookies(t, a)) != 2 {
			t.Errorf("%s: %d cookies are left", what, len(j.held))
		}
	}
}

// TestCookieSettings: every attribute, and which tokens are where.
func TestCookieSettings(t *testing.T) {
	for name, row := range map[string]struct {
		change  func(*issuer.CookieSettings)
		cookies []string // parts of each line, in order
		body    []string
	}{
		"domain, path, strict": {func(c *issuer.CookieSettings) {
			c.Domain, c.Path, c.SameSite, c.Secure = "example.com", "/app", http.SameSiteStrictMode, false
		}, []string{"; Path=/app; Domain=example.com; Max-Age=300; HttpOnly; SameSite=Strict", "; Path=/app; Domain=example.com; Max-Age=86400; HttpOnly; SameSite=Strict"}, []string{"access", "refresh"}},
		"none":                {func(c *issuer.CookieSettings) { c.SameSite = http.SameSiteNoneMode }, []string{"; HttpOnly; Secure; SameSite=None", "; Secure; SameSite=None"}, []string{"access", "refresh"}},
		"only":                {func(c *issuer.CookieSettings) { c.Only = true }, []string{"access=", "refresh="}, nil},
		"refresh alone, only": {func(c *issuer.CookieSettings) { c.Only, c.Access = true, "" }, []string{"refresh="}, []string{"access"}},
		"access alone, only":  {func(c *issuer.CookieSettings) { c.Only, c.Refresh = true, "" }, []string{"access="}, []string{"refresh"}},
		"off":                 {func(c *issuer.CookieSettings) { *c = issuer.CookieSettings{Only: true} }, nil, []string{"access", "refresh"}},
	} {
		t.Run(name, func(t *testing.T) {
			j := &jar{cookied(t, row.change), map[string]string{}}
			a := j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
			lines := a.Header["Set-Cookie"]
			if len(lines) != len(row.cookies) {
				t.Fatalf("cookies %q", lines)
			}
			for i, part := range row.cookies {
				if !strings.Contains(lines[i], part) {
					t.Errorf("cookie %q, want %q in it", lines[i], part)
				}
			}
			var body []string
			for name := range a.Map(t) {
				body = append(body, name)
			}
			if slices.Sort(body); !slices.Equal(body, row.body) {
				t.Errorf("body %v, want %v", body, row.body)
			}
		})
	}
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	whole := issuer.Config{Verifier: k.Verifier, Revocations: k.Revocations, Users: k.Users, Sessions: k.Sessions, Sign: k.Ring.Sign, Keys: func() *keys.Published { return nil },
		Clients: k.Clients, AccessTTL: issuerkit.AccessTTL}
	for name, c := range map[string]issuer.CookieSettings{"one for both": {Access: "a", Refresh: "a"}, "no origin": {Access: "a", Origins: []string{"app.example"}}} {
		if whole.Cookies = c; !fails(whole) {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestCookiesAndBodies: a body's token counts before the cookie's, a header's before
// both, and neither is rescued by a cookie; a cookie that comes twice is nobody's.
func TestCookiesAndBodies(t *testing.T) {
	k := cookied(t, nil)
	j := &jar{k, map[string]string{}}
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	j.send(t, "POST", "/api/token/refresh/", `{"refresh":"garbage"}`).Must(t, 401)
	j.send(t, "POST", "/api/token/refresh/", `{"refresh":""}`).Must(t, 400)
	j.send(t, "POST", "/api/logout/", "", "Authorization", "Bearer garbage").Must(t, 401)
	j.send(t, "GET", "/api/sessions/", "", "Authorization", "Bearer").Must(t, 401)
	j.send(t, "GET", "/api/sessions/", "", "Authorization", "Basic x").Must(t, 200) // somebody else's scheme
	twice := "; access=" + j.held["access"] + "; refresh=" + j.held["refresh"]
	for method, path := range map[string]string{"GET": "/api/sessions/", "POST": "/api/token/refresh/"} {
		a := j.send(t, method, path, "", "Cookie", twice[2:]+twice).Must(t, 400)
		if a.Map(t)["detail"] != "The credential was sent more than once." {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	j.send(t, "POST", "/api/token/verify/", "").Must(t, 400) // reads no cookie

	// When the access token is over, a browser can still log out.
	delete(j.held, "access")
	bob := k.MustLogin(t, "bob")
	a := j.send(t, "POST", "/api/logout/", `{"refresh_token":"`+bob.Refresh+`"}`).Must(t, 401) // not his
	if a.Header["Set-Cookie"] != nil {
		t.Error("a refused log-out clears cookies")
	}
	want4 := j.held["refresh"]
	j.send(t, "POST", "/api/logout/", "", "Cookie", "access=garbage; refresh="+want4).Must(t, 401)
	j.send(t, "POST", "/api/logout/", "").Must(t, 200)
	if k.Verify(t, want4) != 400 || len(j.held) != 0 {
		t.Error("the session lives on")
	}
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	k.Advance(issuerkit.AccessTTL + issuerkit.Leeway)
	j.send(t, "POST", "/api/logout/", `{"all":"1"}`).Must(t, 200)

	// Blacklist reads and clears it, too; a DELETE of one's own session clears both.
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	j.send(t, "POST", "/api/token/blacklist/", "").Must(t, 200)
	if len(j.held) != 0 {
		t.Errorf("after the blacklist the browser holds %v", j.held)
	}
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	j.send(t, "DELETE", "/api/sessions/"+issuerkit.Text(t, j.held["access"], "sid"), "").Must(t, 204)
	if len(j.held) != 0 {
		t.Errorf("after its end the browser holds %v", j.held)
	}
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	sid := issuerkit.Text(t, j.held["refresh"], "sid")
	j.send(t, "POST", "/api/password/", `{"old_password":"`+issuerkit.Password+`","new_password":"`+newPassword+`"}`).Must(t, 200)
	if issuerkit.Text(t, j.held["refresh"], "sid") == sid || k.Verify(t, j.held["access"]) != 200 {
		t.Error("a new password does not give the browser its new session")
	}
	k.Mini.Close()
	delete(j.held, "access")
	j.send(t, "POST", "/api/logout/", "").Must(t, 503) // not 401: nobody knows
}

// TestSlidingCookie: it stands in the cookie of the access token, and takes the refresh
// token of an earlier log-in out of the browser.
func TestSlidingCookie(t *testing.T) {
	j := &jar{cookied(t, func(c *issuer.CookieSettings) { c.Only = true }), map[string]string{"refresh": "old"}}
	a := j.send(t, "POST", "/api/token/sliding/", aliceLogsIn).Must(t, 200)
	if a.Body != "{}" || issuerkit.Text(t, j.held["access"], "token_type") != "sliding" || len(j.held) != 1 {
		t.Errorf("%s, %v", a.Body, j.held)
	}
	j.Advance(time.Minute)
	before := j.held["access"]
	j.send(t, "POST", "/api/token/sliding/refresh/", "").Must(t, 200)
	if j.held["access"] == before {
		t.Error("the cookie was not replaced")
	}
	j.send(t, "POST", "/api/logout/", "").Must(t, 200)
	if len(j.held) != 0 {
		t.Errorf("the browser holds %v", j.held)
	}
}

// TestCrossOrigin: with cookies, no page of a foreign origin writes, credential or not;
// what has no origin (programs, apps) and listed pages do. Without cookies nothing
// changes.
func TestCrossOrigin(t *testing.T) {
	k, plain := cookied(t, nil), opened(t, issuerkit.Options{})
	own := "http://" + strings.TrimPrefix(k.URL, "http://")
	paths := append([]string{"/api/token/sliding/", "/api/token/sliding/refresh/", "/api/password/"}, posts...)
	for _, row := range []struct {
		name    string
		headers []string
		refused bool
	}{
		{"a program", nil, false},
		{"the same origin", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, false},
		{"an old browser, same origin", []string{"Origin", own}, false},
		{"typed in", []string{"Sec-Fetch-Site", "none"}, false},
		{"a listed page", []string{"Origin", appOrigin, "Sec-Fetch-Site", "cross-site"}, false},
		{"a foreign page", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, true},
		{"an old browser, foreign page", []string{"Origin", "https://evil.example"}, true},
		{"a sibling", []string{"Origin", "https://x.app.example", "Sec-Fetch-Site", "same-site"}, true},
		{"a sandbox", []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, true},
	} {
		for _, path := range paths {
			j := &jar{k, map[string]string{}}
			a := j.send(t, "POST", path, "[]", row.headers...)
			if refused := a.Status == http.StatusForbidden; refused != row.refused || refused && a.Map(t)["reason"] != "origin" {
				t.Errorf("%s at %s: %d %s", row.name, path, a.Status, a.Body)
			}
			if a := (&jar{plain, map[string]string{}}).send(t, "POST", path, "[]", row.headers...); a.Status == http.StatusForbidden {
				t.Errorf("%s at %s without cookies: %d", row.name, path, a.Status)
			}
		}
	}
	j := &jar{k, map[string]string{}}
	j.send(t, "POST", "/api/token/", aliceLogsIn).Must(t, 200)
	foreign := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	j.send(t, "DELETE", "/api/sessions/", "", foreign...).Must(t, 403)
	j.send(t, "GET", "/api/sessions/", "", foreign...).Must(t, 200) // the browser shows it to nobody
	if line := k.Logs.Last(t, "issuer:sessions"); line["decision"] != "allow" {
		t.Errorf("logged %v", line)
	}
	if k.Verify(t, j.held["access"]) != 200 {
		t.Error("a foreign page ended the session")
	}
}

func fails(c issuer.Config) bool {
	_, err := issuer.New(c)
	return err != nil && (strings.HasPrefix(err.Error(), "issuer: one cookie") || strings.HasPrefix(err.Error(), "issuer: trusted origin"))
}
