package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/issuer/admin/console"
)

const token = "token-of-the-tests-0123456789"

// api answers as the admin API does, with one text in every field that is text.
type api struct {
	text    string
	status  int // of every answer but 200: a problem with the text in it
	code    string
	asked   []string
	bodies  []string
	refuses bool // the token from now on
	role    string
	id      string // of the token
	whoami  int    // status of its answer; 0: 200
}

func (a *api) roleOrAdmin() string {
	if a.role == "" {
		return "admin"
	}
	return a.role
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked = append(a.asked, r.Method+" "+r.URL.RequestURI())
	var body json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	a.bodies = append(a.bodies, string(body))
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token || a.refuses:
		a.problem(w, http.StatusUnauthorized, "admin_token_required")
	case a.whoami != 0 && r.URL.Path == "/admin/v1/whoami":
		a.problem(w, a.whoami, "unavailable")
	case a.status != 0 && r.URL.Path != "/admin/v1/edges" && r.URL.Path != "/admin/v1/whoami":
		a.problem(w, a.status, a.code)
	default:
		_ = json.NewEncoder(w).Encode(a.answer(r))
	}
}

func (a *api) problem(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": "Refused " + a.text, "detail": a.text, "code": code})
}

func (a *api) answer(r *http.Request) any {
	x, at := a.text, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	list := func(items ...map[string]any) any {
		return map[string]any{"items": append([]map[string]any{}, items...), "next": "cursor"}
	}
	session := map[string]any{
		"sid": "s-" + x, "subject": x, "username": x, "address": x, "agent": x, "state": "live", "generation": 2, "created_at": at, "last_refresh": at,
		"expires_at": at, "ended_at": at, "reason": x, "actor": x,
		"tokens": []any{map[string]any{"type": x, "jti": x, "generation": 2, "issued_at": at, "expires_at": at}}, "impersonator": x,
		"refreshes": []any{
			map[string]any{"generation": 2, "jti": x, "issued_at": at, "spent_at": nil, "address": "another", "agent": x},
			map[string]any{"generation": 1, "jti": x, "issued_at": at, "spent_at": at, "address": x, "agent": x},
		},
	}
	revoked := map[string]any{
		"id": "r-" + x, "kind": "jti", "value": x, "issuer": x, "subject": "of " + x, "reason": x, "actor": x, "revoked_at": at, "expires_at": at, "n": 7,
	}
	route := map[string]any{
		"name": x, "hosts": []string{x}, "path": x, "methods": []string{x}, "upstream": x, "mode": "required", "scopes": []string{x}, "audiences": []string{x},
		"token_from": []string{x}, "on_unavailable": "deny", "max_stale": "5s", "rate": x,
	}
	switch p := strings.TrimPrefix(r.URL.Path, "/admin/v1"); {
	case p == "/status":
		return map[string]any{
			"instance": x, "version": x, "started_at": at, "warnings": []string{x}, "checks": []any{map[string]any{"name": x, "ok": false, "error": x}},
			"mirror":   map[string]any{"level": true, "n": 7, "stale": x, "entries": 3, "heard": 2, "p50": x, "p99": x},
			"activity": []any{map[string]any{"at": at, "requests": 5, "denied": map[string]int{x: 2}}},
		}
	case p == "/whoami":
		return map[string]any{"id": a.id, "name": x, "role": a.roleOrAdmin()}
	case p == "/edges":
		return list(map[string]any{"name": x, "version": x, "live": true, "n": 7, "epoch": "e", "stale": x, "closes_after": x, "heard": at},
			map[string]any{"name": "behind " + x, "live": true, "n": 6, "epoch": "e", "lag": 1, "stale": "2s", "closes_after": "5s", "heard": at})
	case p == "/sessions" && r.URL.Query().Get("jti") != "" && r.URL.Query().Get("jti") != "jti-of-"+x:
		return list()
	case p == "/sessions":
		return list(session)
	case strings.HasPrefix(p, "/sessions/"):
		return session
	case p == "/revocations" && r.Method == http.MethodGet:
		return list(revoked)
	case strings.HasPrefix(p, "/revocations"):
		return revoked
	case strings.HasPrefix(p, "/keys"):
		return map[string]any{"version": 3, "sessions_ended": 12, "waiting_for": []string{x}, "items": []any{
			map[string]any{"kid": "kid-" + x, "algorithm": x, "state": "active", "created_at": at, "signs_from": at, "planned_signs_until": at.Add(time.Hour), "tokens_until": at},
			map[string]any{"kid": "next-" + x, "algorithm": x, "state": "pending", "created_at": at, "planned_signs_from": at.Add(time.Hour)},
			map[string]any{"kid": "dead-" + x, "algorithm": x, "state": "revoked", "created_at": at, "signs_from": at, "revoked_at": at.Add(time.Minute)},
		}}
	case p == "/routes":
		return list(route)
	case p == "/routes/check":
		return map[string]any{"status": 0, "why": x, "route": route}
	case p == "/upstreams":
		return list(map[string]any{"upstream": x, "url": x, "healthy": false, "last_error": x, "last_check": at})
	case p == "/users" && r.Method == http.MethodGet:
		return list(map[string]any{"id": x, "username": x, "email": x, "is_active": true, "is_staff": true, "created_at": at, "last_login": at})
	case p == "/admin-tokens" && r.Method == http.MethodGet:
		return list(map[string]any{"id": "t-" + x, "name": x, "role": x, "state": "live", "created_at": at, "created_by": x, "expires_at": at, "last_used_at": at},
			map[string]any{"id": "gone-" + x, "name": x, "role": x, "state": "revoked", "created_at": at, "created_by": x, "expires_at": nil, "last_used_at": nil, "revoked_at": at, "revoked_by": x})
	case p == "/admin-tokens":
		return map[string]any{"id": "new", "name": x, "role": "viewer", "state": "live", "created_at": at, "created_by": x, "token": "tga_shown-once " + x}
	case strings.HasPrefix(p, "/admin-tokens/"):
		return map[string]any{"id": "t-" + x, "name": x, "role": x, "state": "revoked", "created_at": at}
	case p == "/audit":
		return list(map[string]any{"at": at, "actor": x, "action": x, "target": x, "remote": x, "outcome": x, "else": x})
	case p == "/settings":
		return list(map[string]any{"name": x, "group": x, "value": x, "source": "environment", "note": x})
	case p == "/tokens/explain":
		return map[string]any{
			"accepted": false, "reason": x, "detail": x, "steps": []any{map[string]any{"step": x, "outcome": "failed", "reason": x, "detail": x}},
			"token": map[string]any{"iss": x, "sub": x, "jti": x, "sid": x, "kid": x, "alg": x, "token_type": x, "issued_at": at, "expires_at": at},
			"route": map[string]any{"why": x, "route": route},
		}
	}
	return map[string]any{}
}

// tab is a browser without one: it keeps cookies and sends forms.
type tab struct {
	t       *testing.T
	api     *api
	console *console.Console
	now     time.Time
	cookie  *http.Cookie
}

func open(t *testing.T, text string) *tab {
	t.Helper()
	b := &tab{t: t, api: &api{text: text}, now: time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC)}
	var err error
	b.console, err = console.New(console.Config{API: b.api, Issuer: text, Now: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) send(method, target string, form url.Values, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.console.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c
	}
	return w
}

func (b *tab) login() {
	b.t.Helper()
	if w := b.send("POST", "/login", url.Values{"token": {token}}); w.Code != http.StatusSeeOther {
		b.t.Fatalf("log in: %d %s", w.Code, w.Body)
	}
}

// get returns a page that must be there.
func (b *tab) get(target string) string {
	b.t.Helper()
	w := b.send("GET", target, nil)
	if w.Code != http.StatusOK {
		b.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return w.Body.String()
}

var (
	tagText  = regexp.MustCompile(`<!?/?[a-zA-Z](?:[^"'>]|"[^"]*"|'[^']*')*>`)
	nameText = regexp.MustCompile(`^<!?/?[a-zA-Z0-9]+|\s[a-zA-Z-]+(?:=|\s|>|$)`)
	rawText  = regexp.MustCompile(`"[^"]*"|'[^']*'`)
)

// shape is the tags of a page and the names of their attributes, without any text.
func shape(page string) []string {
	var out []string
	for _, tag := range tagText.FindAllString(page, -1) {
		out = append(out, strings.Join(nameText.FindAllString(rawText.ReplaceAllString(tag, ""), -1), ""))
	}
	return out
}
