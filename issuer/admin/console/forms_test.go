package console_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestForms: what a form asks of the API, what is told then, and where.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		name, target string
		form         url.Values
		asked        []string
		body         string
		to, told     string
	}{
		{"end two sessions, one ticked twice", "/sessions/revoke", url.Values{"sid": {"b", "a", "b"}, "subject": {"7"}}, []string{"DELETE /admin/v1/sessions/a", "DELETE /admin/v1/sessions/b"}, "", "/sessions?q=7", "2 sessions were ended"},
		{"sign out everywhere", "/sessions/everywhere", url.Values{"subject": {"a/b"}}, []string{"DELETE /admin/v1/subjects/a%2Fb/sessions"}, "", "/sessions?q=a%2Fb", "Every session of a/b"},
		{"sign two dots out everywhere", "/sessions/everywhere", url.Values{"subject": {".."}}, []string{"DELETE /admin/v1/subjects/../sessions"}, "", "/sessions?q=..", "Every session of .. up to now"},
		{"revoke a jti", "/revocations", url.Values{"kind": {"jti"}, "value": {" j1 "}, "reason": {"lost"}, "life": {"1h"}}, []string{"POST /admin/v1/revocations"}, `{"expires_at":"2026-11-22T13:30:00Z","kind":"jti","reason":"lost","value":"j1","wait":"2s"}`, "/revocations/r-x", "Revoked."},
		{"nothing to revoke", "/revocations", url.Values{"kind": {"jti"}}, nil, "", "/revocations", "Say what is to be revoked"},
		{"no such kind", "/revocations", url.Values{"kind": {"else"}, "value": {"j"}}, nil, "", "/revocations", "Say what is to be revoked"},
		{"no duration", "/revocations", url.Values{"kind": {"jti"}, "value": {"j"}, "life": {"long"}}, nil, "", "/revocations", "is a duration"},
		{"everything, not meant", "/revocations", url.Values{"kind": {"all"}}, nil, "", "/revocations", "tick that you mean it"},
		{"everything, meant", "/revocations", url.Values{"kind": {"all"}, "sure": {"yes"}}, []string{"POST /admin/v1/revocations"}, `{"kind":"all","reason":"","value":"","wait":"2s"}`, "/revocations/r-x", "Revoked."},
		{"undo", "/revocations/r1/undo", url.Values{}, []string{"DELETE /admin/v1/revocations/r1"}, "", "/revocations/r1", "Undone."},
		{"rotate", "/keys/rotate", url.Values{}, []string{"POST /admin/v1/keys/rotate"}, `{"now":false}`, "/keys", "Rotated"},
		{"rotate now", "/keys/rotate", url.Values{"now": {"yes"}}, []string{"POST /admin/v1/keys/rotate"}, `{"now":true}`, "/keys", "Rotated"},
		{"retire", "/keys/k1/retire", url.Values{}, []string{"POST /admin/v1/keys/k1/retire"}, "", "/keys", "Retired"},
		{"revoke a key by one click", "/keys/kid-12345/revoke", url.Values{}, nil, "", "/keys/kid-12345/revoke", "Nothing was done"},
		{"revoke a key", "/keys/kid-12345/revoke", url.Values{"word": {"kid-12"}}, []string{"POST /admin/v1/keys/kid-12345/revoke"}, "", "/keys", "every token that the key signed is refused"},
		{"reload", "/routes/reload", url.Values{}, []string{"POST /admin/v1/routes/reload"}, "", "/routes", "read anew"},
		{"add a user", "/users", url.Values{"username": {"bob"}, "password": {" pass word "}, "staff": {"yes"}}, []string{"POST /admin/v1/users"}, `{"email":"","id":"","is_staff":true,"password":" pass word ","username":"bob"}`, "/users", "bob can log in"},
		{"disable a user", "/users/active", url.Values{"username": {"bob"}, "active": {"false"}}, []string{"PATCH /admin/v1/users/bob"}, `{"is_active":false}`, "/users", "can no longer log in"},
		{"disable a user of two dots", "/users/active", url.Values{"username": {".."}, "active": {"false"}}, []string{"PATCH /admin/v1/users/.."}, `{"is_active":false}`, "/users", ".. can no longer log in"},
		{"disable nobody", "/users/active", url.Values{"active": {"false"}}, nil, "", "/users", "no user was named"},
		{"disable nobody, before it is confirmed", "/users/disable", url.Values{}, nil, "", "/users", "no user was named"},
		{"enable a user", "/users/active", url.Values{"username": {"bob"}, "active": {"true"}}, []string{"PATCH /admin/v1/users/bob"}, `{"is_active":true}`, "/users", "bob can log in again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, "x")
			b.login()
			b.api.asked, b.api.bodies = nil, nil
			w := b.send("POST", c.target, c.form)
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != c.to {
				t.Errorf("%d to %q, want %q: %s", w.Code, w.Header().Get("Location"), c.to, w.Body)
			}
			if !slices.Equal(b.api.asked, c.asked) {
				t.Errorf("asked %q, want %q", b.api.asked, c.asked)
			}
			if c.body != "" && strings.TrimSpace(b.api.bodies[0]) != c.body {
				t.Errorf("body %s, want %s", b.api.bodies[0], c.body)
			}
			if page := b.get("/settings"); !strings.Contains(page, c.told) {
				t.Errorf("%q is not told: %s", c.told, page)
			}
			if page := b.get("/settings"); strings.Contains(page, c.told) {
				t.Error("it is told twice")
			}
		})
	}
}

// TestEndingStopsAtAFailure: how far it came is told.
func TestEndingStopsAtAFailure(t *testing.T) {
	b := open(t, "away")
	b.login()
	b.api.status = http.StatusServiceUnavailable
	b.send("POST", "/sessions/revoke", url.Values{"sid": {"a", "b"}})
	if page := b.get("/"); !strings.Contains(page, "0 sessions were ended, then: away") {
		t.Errorf("not told: %s", page)
	}
}

// TestConfirm shows what is about to be done, and does nothing.
func TestConfirm(t *testing.T) {
	b := open(t, "x")
	b.login()
	b.api.asked = nil
	page := b.send("POST", "/sessions/confirm", url.Values{"sid": {"a", "b"}, "subject": {"7"}}).Body.String()
	if !strings.Contains(page, "End 2 sessions?") || !strings.Contains(page, `name="sid" value="b"`) || len(b.api.asked) > 0 {
		t.Errorf("asked %v: %s", b.api.asked, page)
	}
	if w := b.send("POST", "/sessions/confirm", url.Values{"subject": {"7"}}); w.Header().Get("Location") != "/sessions?q=7" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	many := url.Values{"sid": make([]string, 1001)}
	for i := range many["sid"] {
		many["sid"][i] = strings.Repeat("s", i+1)[:min(i+1, 40)] + string(rune('a'+i%26)) + time.Duration(i).String()
	}
	if w := b.send("POST", "/sessions/confirm", many); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("1001 sessions: %d", w.Code)
	}
}

// TestConfirmOfAPerson: what ends all sessions of somebody is shown first, whoever it is;
// a name of two dots, or with a slash, is no step in a path of ours.
func TestConfirmOfAPerson(t *testing.T) {
	for _, name := range []string{"bob", "..", ".", "a/b", "a b?c&d", "x"} {
		b := open(t, "x")
		b.login()
		b.api.asked = nil
		page := b.send("POST", "/users/disable", url.Values{"username": {name}}).Body.String()
		if !strings.Contains(page, "Disable "+html.EscapeString(name)+"?") || !strings.Contains(page, "1 live session") || !strings.Contains(page, `name="active" value="false"`) {
			t.Errorf("%q: %s", name, page)
		}
		dots := strings.Trim(name, ".") == ""
		if strings.Contains(page, "curl --path-as-is") != dots {
			t.Errorf("%q: what curl would make of its path: %s", name, page)
		}
		page = b.get("/sessions/everywhere?subject=" + url.QueryEscape(name))
		if !strings.Contains(page, `action="/sessions/everywhere"><input type="hidden" name="subject" value="`+html.EscapeString(name)+`"`) || !strings.Contains(page, "1 live session") {
			t.Errorf("%q: %s", name, page)
		}
		for _, asked := range b.api.asked {
			if !strings.HasPrefix(asked, "GET ") {
				t.Errorf("%q: %s before it was confirmed", name, asked)
			}
		}
		_, link, _ := strings.Cut(b.get("/sessions?q="+url.QueryEscape(name)), `href="/sessions/everywhere?`)
		link, _, _ = strings.Cut(link, `"`)
		if q, err := url.ParseQuery(html.UnescapeString(link)); err != nil || !slices.Equal(q["subject"], []string{name}) || len(q) != 1 {
			t.Errorf("%q: the page of the sessions leads to %q, %v", name, link, err)
		}
	}
	b := open(t, "x")
	b.login()
	b.api.asked = nil
	for _, w := range []*httptest.ResponseRecorder{b.send("GET", "/sessions/everywhere", nil), b.send("POST", "/sessions/everywhere", url.Values{})} {
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "no user was named") || len(b.api.asked) > 0 {
			t.Errorf("nobody: %d %s, asked %v", w.Code, w.Body, b.api.asked)
		}
	}
	b.api.status = http.StatusNotFound
	if w := b.send("POST", "/users/disable", url.Values{"username": {"nobody"}}); w.Header().Get("Location") != "/users" {
		t.Errorf("a user who is not there: %d %s", w.Code, w.Body)
	}
}

// TestCheckRepeatsNoToken: neither the page nor a line for a shell has it.
func TestCheckRepeatsNoToken(t *testing.T) {
	b := open(t, "word")
	b.login()
	raw := unsigned("somebody")
	page := b.send("POST", "/check", url.Values{"token": {"Bearer " + raw}}).Body.String()
	if !strings.Contains(page, "Refused: word") || !strings.Contains(page, "somebody") {
		t.Errorf("not explained: %s", page)
	}
	for _, part := range strings.Split(raw, ".")[:2] {
		if strings.Contains(page, part) {
			t.Errorf("%s is in the page", part)
		}
	}
	if last := b.api.bodies[len(b.api.bodies)-1]; !strings.Contains(last, raw) {
		t.Errorf("the API was asked about %s", last)
	}
	b.api.status, b.api.code = http.StatusNotFound, "no_such_endpoint"
	if page := b.send("POST", "/check", url.Values{"token": {raw}}).Body.String(); !strings.Contains(page, "Decoded, not checked") || !strings.Contains(page, "somebody") {
		t.Errorf("without an explanation: %s", page)
	}
}

// TestTwinOfMany ends each session that was ticked, also in a shell.
func TestTwinOfMany(t *testing.T) {
	b := open(t, "word")
	b.login()
	page := b.send("POST", "/sessions/confirm", url.Values{"sid": {"b", "a", "b", "x'y"}}).Body.String()
	for _, want := range []string{
		"End 3 sessions?", "for sid in a b &#39;x&#39;\\&#39;&#39;y&#39;; do tollgate sessions revoke --yes --server http://example.com -- &#34;$sid&#34;; done",
		"&#34;http://example.com/admin/v1/sessions/$sid&#34;; done",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	if page := b.send("POST", "/sessions/confirm", url.Values{"sid": {"a"}}).Body.String(); !strings.Contains(page, "tollgate sessions revoke --yes a --server http://example.com\n") {
		t.Errorf("%s", page)
	}
}

// TestFindingSessions: by the jti of a refresh token at once; everybody's without asking,
// page by page; a user's ticked all together where that is asked for.
func TestFindingSessions(t *testing.T) {
	b := open(t, "word")
	b.login()
	if w := b.send("GET", "/sessions?q=jti-of-word", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sessions/s-word" {
		t.Errorf("by jti: %d %v", w.Code, w.Header())
	}
	page := b.get("/sessions")
	if !strings.Contains(page, "Everybody&#39;s sessions") && !strings.Contains(page, "Everybody's sessions") || !strings.Contains(page, `href="/sessions?cursor=cursor"`) {
		t.Errorf("%s", page)
	}
	if asked := b.api.asked[len(b.api.asked)-1]; asked != "GET /admin/v1/sessions?limit=50" {
		t.Errorf("asked %s", asked)
	}
	b.get("/sessions?cursor=c%2Bd")
	if asked := b.api.asked[len(b.api.asked)-1]; asked != "GET /admin/v1/sessions?cursor=c%2Bd&limit=50" {
		t.Errorf("asked %s", asked)
	}
	if strings.Contains(b.get("/sessions?q=word"), " checked") || !strings.Contains(b.get("/sessions?q=word&all=1"), " checked") {
		t.Error("ticked without being asked, or not when asked")
	}
	if page := b.get("/sessions/s-word"); !strings.Contains(page, "not as at the log-in") || !strings.Contains(page, "Its line of refresh tokens") {
		t.Errorf("%s", page)
	}
	if page := b.get("/keys/kid-word/revoke"); !strings.Contains(page, "12 live sessions") || !strings.Contains(strings.Join(b.api.asked, " "), "cost_of=kid-word") {
		t.Errorf("%s", page)
	}
}
