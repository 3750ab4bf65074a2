package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
)

// TestEveryActionIsAudited: each row that changes something leaves a line of its own
// name with its outcome, and no row that reads leaves any.
func TestEveryActionIsAudited(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "x"})
	sid := issuerkit.Text(t, k.MustLogin(t, "alice").Access, "sid")
	k.MustAudit(t, store.AuditFilter{Action: "login"}, 1)
	actions := map[string]string{}
	for _, a := range admin.Accesses() {
		actions[a.Method+" "+a.Path] = a.Action
	}
	for _, r := range admin.Rows() {
		action := actions[rowOf(r, admin.Accesses())]
		before := len(k.MustAudit(t, store.AuditFilter{}, 0))
		req := issuerkit.Request{Method: r.Method, Path: r.Path, Admin: true, Header: issuerkit.Bearer(issuerkit.AdminToken), Type: "application/json", Body: encoded(t, hostile(r.Path, sid))}
		req.Header.Set("X-Request-Id", "client")
		a := k.Send(t, req)
		if action == "read" {
			if now := len(k.MustAudit(t, store.AuditFilter{}, 0)); now != before {
				t.Errorf("%s %s: %d lines more", r.Method, r.Path, now-before)
			}
			continue
		}
		lines := k.MustAudit(t, store.AuditFilter{}, before+1)
		l := lines[0]
		want := map[bool]string{true: "done", false: "refused"}[a.Status < 400]
		if len(lines) != before+1 || l.Action != action || l.Outcome != want || l.Actor != "bootstrap" || l.ActorID != "bootstrap" || l.Role != "admin" ||
			l.Remote != "127.0.0.1" || l.Via != "api" || len(l.RequestID) != 32 || !strings.HasPrefix(l.ID, "a") {
			t.Errorf("%s %s: %d, audited %+v", r.Method, r.Path, a.Status, l)
		}
		if last := r.Path[strings.LastIndexByte(r.Path, '/')+1:]; last == "x" && l.Target != "x" {
			t.Errorf("%s %s: target %q", r.Method, r.Path, l.Target)
		}
	}
	if open := k.Redis.ZCard(t.Context(), "t:{audit}:open").Val(); open != 0 {
		t.Errorf("%d actions have no outcome", open)
	}
	noSecrets(t, k)
}

// TestAuditNamesWhat: what an action was about, once it is known; never a token.
func TestAuditNamesWhat(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	last := func(action string, n int) store.Line {
		t.Helper()
		return k.MustAudit(t, store.AuditFilter{Action: action}, n)[0]
	}
	revoke(t, k, "jti", "j")
	if l := last("revocation.add", 1); l.Kind != "jti" || l.Target != "j" {
		t.Errorf("%+v", l)
	}
	k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "token", "value": pair.Access}).Must(t, 201)
	if l := last("revocation.add", 2); l.Kind != "jti" || l.Target != issuerkit.Text(t, pair.Access, "jti") {
		t.Errorf("%+v", l)
	}
	k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "jti", "value": pair.Refresh}).Must(t, 400)
	if l := last("revocation.add", 3); l.Outcome != "refused" || l.Target != "***" {
		t.Errorf("%+v", l)
	}
	k.Control(t, "POST", "/admin/v1/clients", map[string]any{"name": "reports"}).Must(t, 201)
	if l := last("client.add", 1); !strings.HasPrefix(l.Target, "client-") {
		t.Errorf("%+v", l)
	}
	k.Control(t, "PATCH", "/admin/v1/users/alice", map[string]any{"password": issuerkit.Password + "x", "email": "a@x.example"}).Must(t, 200)
	if l := last("user.change", 1); l.Target != "alice" || l.Detail != "email password" {
		t.Errorf("%+v", l)
	}
	k.Logs.Secret(issuerkit.Password)
	noSecrets(t, k)
}

// TestNoActionWithoutItsLine: what the audit log cannot take is not done, and what was
// begun and not settled says so.
func TestNoActionWithoutItsLine(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	version := k.Ring.Ring().Version // its store is not Redis: without the log it would turn
	k.Mini.Close()
	a := k.Control(t, "POST", "/admin/v1/keys/rotate", map[string]any{"now": true})
	wantProblem(t, a, http.StatusServiceUnavailable, "unavailable")
	if looked := k.Control(t, "GET", "/admin/v1/users", nil); looked.Status != 503 || strings.Contains(looked.Body, "change") {
		t.Errorf("of whoever only looks: %d %s", looked.Status, looked.Body)
	}
	if !strings.Contains(a.Body, "nothing was done") || k.Ring.Ring().Version != version {
		t.Errorf("%s; version %d, then %d", a.Body, version, k.Ring.Ring().Version)
	}
	k.MustRestart(t)
	k.Control(t, "POST", "/admin/v1/keys/rotate", map[string]any{"now": true}).Must(t, 200)
	if k.Ring.Ring().Version == version {
		t.Error("not rotated")
	}
}

func TestAuditRow(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for i := range 1200 {
		k.Events.Note(store.Line{Action: "login", Actor: "n" + strconv.Itoa(i), Outcome: store.OutcomeDone})
	}
	revoke(t, k, "jti", "j")
	k.MustAudit(t, store.AuditFilter{Actor: "n1199"}, 1) // the last: they are written in their order
	every := func(query string) (all []map[string]any) { // a page may be short, or empty: looking through the log has its time
		t.Helper()
		for cursor := ""; ; {
			body := wantDone(t, k.Control(t, "GET", "/admin/v1/audit?"+query+"&cursor="+url.QueryEscape(cursor), nil), 200)
			all = append(all, items(t, body)...)
			if cursor = body["next"].(string); cursor == "" {
				return all
			}
		}
	}
	all := every("limit=500")
	exported := k.Send(t, issuerkit.Request{Method: "GET", Path: "/admin/v1/audit", Admin: true, Header: http.Header{"Authorization": {"Bearer " + issuerkit.AdminToken}, "Accept": {"text/html, application/x-ndjson"}}}).Must(t, 200)
	lines := strings.Split(strings.TrimSuffix(exported.Body, "\n"), "\n")
	if len(all) != 1201 || len(lines) != len(all) || exported.Header.Get("Content-Type") != "application/x-ndjson" || exported.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d items, %d lines, %v", len(all), len(lines), exported.Header)
	}
	for i, line := range lines {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil || one["id"] != all[i]["id"] || one["actor"] != all[i]["actor"] {
			t.Fatalf("line %d: %s, listed %v, %v", i, line, all[i], err)
		}
	}
	found := every("action=revocation&actor=bootstrap&target=j&outcome=done")
	if len(found) != 1 || found[0]["kind"] != "jti" || found[0]["role"] != "admin" {
		t.Errorf("%v", found)
	}
	hour := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))
	if found := every("since=" + hour); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

// TestConsoleIsAudited: a log-in and what is done by a page, as from the console.
func TestConsoleIsAudited(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	_, raw := k.MustAdminToken(t, "operator")
	p := loggedInAs(t, k, raw)
	p.post("/revocations", url.Values{"kind": {"jti"}, "value": {"of-the-page"}})
	if l := k.MustAudit(t, store.AuditFilter{Action: "console.login"}, 1)[0]; l.Actor != "the operator" || l.Via != "console" || l.Outcome != "done" {
		t.Errorf("%+v", l)
	}
	if l := k.MustAudit(t, store.AuditFilter{Action: "revocation.add"}, 1)[0]; l.Actor != "the operator" || l.Via != "console" || l.Target != "of-the-page" {
		t.Errorf("%+v", l)
	}
	page := p.get("/audit?action=revocation.add")
	if !strings.Contains(page, "the operator") || !strings.Contains(page, "of-the-page") || !strings.Contains(page, "tollgate audit --action revocation.add") {
		t.Errorf("%s", page)
	}
}
