package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/issuer/admin/console"
)

// TestLogin: who may in, what the cookie is, and how long it is good.
func TestLogin(t *testing.T) {
	b := open(t, "word")
	for _, target := range pages("word") {
		w := b.send("GET", target, nil)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `action="/login"`) || strings.Contains(w.Body.String(), "Log out") {
			t.Errorf("%s without a log-in: %d", target, w.Code)
		}
	}
	for name, given := range map[string]string{"none": "", "wrong": token + "x", "two lines": token + "\r\nX: y"} {
		w := b.send("POST", "/login", url.Values{"token": {given}})
		if w.Code != http.StatusUnprocessableEntity || b.cookie != nil || given != "" && strings.Contains(w.Body.String(), given) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := b.send("POST", "/keys/rotate", url.Values{}); !strings.Contains(w.Body.String(), "nothing was done") || !strings.Contains(w.Body.String(), `action="/login"`) || strings.Contains(strings.Join(b.api.asked, " "), "rotate") {
		t.Errorf("a form without a log-in: %d, asked %v", w.Code, b.api.asked)
	}
	b.login()
	c := b.cookie
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 8*3600 || len(c.Value) < 26 || strings.Contains(c.Value, token) {
		t.Errorf("cookie %v", c)
	}
	for form, page := range map[string]string{"/login": "/", "/users/disable": "/users"} {
		if w := b.send("GET", form, nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != page {
			t.Errorf("GET %s: %d %v", form, w.Code, w.Header())
		}
	}
	b.now = b.now.Add(8*time.Hour - time.Second)
	if !strings.Contains(b.get("/keys"), "Log out") {
		t.Error("over before its time")
	}
	b.now = b.now.Add(2 * time.Second)
	if strings.Contains(b.get("/keys"), "Log out") {
		t.Error("good for more than 8 hours")
	}
}

func TestLogout(t *testing.T) {
	b := open(t, "word")
	b.login()
	kept := *b.cookie
	b.send("POST", "/logout", url.Values{})
	if b.cookie.MaxAge >= 0 || b.cookie.Value != "" {
		t.Errorf("cookie %v", b.cookie)
	}
	b.cookie = &kept
	if strings.Contains(b.get("/keys"), "Log out") {
		t.Error("the cookie is good after logging out")
	}
}

// TestTokenTakenBack: the API is asked each time, so that a token that was revoked
// opens nothing more.
func TestTokenTakenBack(t *testing.T) {
	for _, target := range pages("word") {
		if target == "/check" { // which asks nothing
			continue
		}
		b := open(t, "word")
		b.login()
		b.api.refuses = true
		page := b.get(target)
		b.api.refuses = false
		if !strings.Contains(page, "no longer accepted") || strings.Contains(b.get("/keys"), "Log out") {
			t.Errorf("%s goes on: %s", target, page)
		}
	}
}

// in says whether a cookie is good for a page.
func (b *tab) in(c http.Cookie) bool {
	b.t.Helper()
	b.cookie = &c
	return strings.Contains(b.get("/keys"), "Log out")
}

// loginAs logs in with a token of that id, and returns the cookie.
func (b *tab) loginAs(id string) http.Cookie {
	b.t.Helper()
	b.api.id, b.cookie, b.now = id, nil, b.now.Add(time.Millisecond)
	b.login()
	return *b.cookie
}

// TestManyLogins: of one token the oldest makes room, and only of that one.
func TestManyLogins(t *testing.T) {
	b := open(t, "word")
	other := b.loginAs("other")
	var mine []http.Cookie
	for range console.MaxOfOne + 1 {
		mine = append(mine, b.loginAs("mine"))
	}
	if b.in(mine[0]) || !b.in(mine[1]) || !b.in(mine[len(mine)-1]) {
		t.Error("it is not the oldest that has made room")
	}
	if !b.in(other) {
		t.Error("a log-in of another token has made room")
	}
}

// TestLoginsAsAnAttack: who has one token, of whatever role, logs in again and again, in
// a console that is full. He pushes out himself, and of others only those who have more
// log-ins than he.
func TestLoginsAsAnAttack(t *testing.T) {
	b := open(t, "word")
	one, two := b.loginAs("one"), b.loginAs("two")
	for team := range console.MaxSessions/console.MaxOfOne - 1 {
		for range console.MaxOfOne {
			b.loginAs("team " + strconv.Itoa(team))
		}
	}
	for range console.MaxOfOne - 2 {
		b.loginAs("rest")
	}
	before := b.console.LogIns()
	for range 3 * console.MaxOfOne {
		b.loginAs("attacker")
	}
	after := b.console.LogIns()
	if !b.in(one) || !b.in(two) {
		t.Error("somebody with one log-in was pushed out")
	}
	all := 0
	for id, n := range before {
		if after[id] < n && after[id] < after["attacker"] {
			t.Errorf("%s had %d log-ins and has %d, the attacker %d", id, n, after[id], after["attacker"])
		}
		all += after[id]
	}
	if all += after["attacker"]; all != console.MaxSessions || after["attacker"] == 0 {
		t.Errorf("%d log-ins, of them %d of the attacker", all, after["attacker"])
	}
	// Whoever comes new gets in although it is full.
	if late := b.loginAs("late"); !b.in(late) || !b.in(one) {
		t.Error("the newcomer is out, or has pushed out the only log-in of another")
	}
}

// TestFormsOfOthers are refused, whatever they bring.
func TestFormsOfOthers(t *testing.T) {
	for _, c := range []struct {
		header []string
		status int
	}{
		{[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden}, {[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{[]string{"Origin", "https://evil.example"}, http.StatusForbidden}, {[]string{"Origin", "null"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-origin"}, http.StatusSeeOther}, {[]string{"Origin", "http://example.com"}, http.StatusSeeOther}, {nil, http.StatusSeeOther},
	} {
		b := open(t, "word")
		b.login()
		b.api.asked = nil
		for _, target := range []string{"/keys/rotate", "/users", "/revocations/x/undo", "/logout"} {
			w := b.send("POST", target, url.Values{}, c.header...)
			if w.Code != c.status {
				t.Errorf("%s with %v: %d", target, c.header, w.Code)
			}
		}
		if c.status == http.StatusForbidden && len(b.api.asked) > 0 {
			t.Errorf("%v: asked %v", c.header, b.api.asked)
		}
	}
}

// TestOwns: pages by their path and method, and the API everything else.
func TestOwns(t *testing.T) {
	b := open(t, "word")
	for target, want := range map[string]bool{
		"GET /": true, "HEAD /": true, "POST /": false, "GET /keys": true, "GET /keys/": false, "GET /admin/v1/keys": false, "POST /admin/v1/revocations": false,
		"GET /login": true, "GET //admin/v1/keys": false, "GET /assets/console.css": true, "GET /api/token/": false, "DELETE /keys": false,
	} {
		method, path, _ := strings.Cut(target, " ")
		r, err := http.NewRequest(method, "http://x"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.console.Owns(r); got != want {
			t.Errorf("%s: %t", target, got)
		}
	}
}

func TestAssets(t *testing.T) {
	b := open(t, "word")
	for target, want := range map[string]string{"/assets/console.css": "text/css; charset=utf-8", "/assets/icon.svg": "image/svg+xml"} {
		if w := b.send("GET", target, nil); w.Code != 200 || w.Header().Get("Content-Type") != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Header().Get("Content-Type"))
		}
	}
	for _, target := range []string{"/assets/", "/assets/none.css", "/assets/%2e%2e/templates/login.html", "/assets/..%2ftemplates%2flogin.html"} {
		if w := b.send("GET", target, nil); w.Code == 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
