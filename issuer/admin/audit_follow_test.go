package admin_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestAuditIsFollowed: a position, what was written since, and a wait that ends with
// the first line.
func TestAuditIsFollowed(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 2})
	ask := func(query string) map[string]any {
		t.Helper()
		return wantDone(t, k.Control(t, "GET", "/admin/v1/audit?"+query, nil), 200)
	}
	revoke(t, k, "jti", "before")
	start := ask("after=now")
	if len(items(t, start)) != 0 {
		t.Errorf("the position has lines: %v", start)
	}
	next := url.QueryEscape(start["next"].(string))
	if again := ask("wait=1ms&after=" + next); len(items(t, again)) != 0 || again["next"] != start["next"] {
		t.Errorf("nothing was written: %v", again)
	}
	answered := make(chan map[string]any, 1)
	go func() { answered <- ask("wait=20s&action=revocation&after=" + next) }()
	for waiting := true; waiting; time.Sleep(50 * time.Millisecond) {
		revoke(t, k, "jti", "now")
		select {
		case got := <-answered:
			found := items(t, got)
			if waiting = false; len(found) == 0 || found[0]["target"] != "now" || found[0]["outcome"] != "done" || got["next"] == start["next"] {
				t.Errorf("%v", got)
			}
		default:
		}
	}
	k.Events.Note(store.Line{Action: "login", Actor: "x", Outcome: store.OutcomeDone})
	k.MustAudit(t, store.AuditFilter{Actor: "x"}, 1)
	if found := items(t, ask("actor=x&after="+next)); len(found) != 1 {
		t.Errorf("filtered: %v", found)
	}
	for _, query := range []string{
		"after=x", "after=" + next + "&wait=21s", "after=" + next + "&wait=-1s", "after=" + next + "&wait=soon", "after=now&cursor=x",
		"after=now&since=2020-01-01T00:00:00Z", "after=now&until=2020-01-01T00:00:00Z",
	} {
		if a := k.Control(t, "GET", "/admin/v1/audit?"+query, nil); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
	k.Mini.Close()
	wantProblem(t, k.Control(t, "GET", "/admin/v1/audit?wait=20s&actor=nobody&after="+next, nil), http.StatusServiceUnavailable, "unavailable")
}

// TestRevokedWhileItWaits: a token that is revoked while it waits is told nothing that was
// written afterwards.
func TestRevokedWhileItWaits(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 2})
	made := k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "watcher", "role": "viewer"}).Must(t, 201).Map(t)
	raw := made["token"].(string)
	k.Logs.Secret(raw)
	start := as(t, k, raw, "GET", "/audit?after=now").Must(t, 200).Map(t)
	answered := make(chan issuerkit.Answer, 1)
	go func() {
		answered <- as(t, k, raw, "GET", "/audit?wait=20s&action=user&after="+url.QueryEscape(start["next"].(string)))
	}()
	time.Sleep(500 * time.Millisecond) // it waits by now
	k.Control(t, "DELETE", "/admin/v1/admin-tokens/"+made["id"].(string), nil).Must(t, 200)
	k.Events.Note(store.Line{Action: "user.create", Actor: "x", Outcome: store.OutcomeDone})
	wantProblem(t, <-answered, http.StatusUnauthorized, "admin_token_required")
}

// TestEachRefusedRowIsAudited: one refusal does not hide another that the same token meets.
func TestEachRefusedRowIsAudited(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	made := k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "watcher", "role": "viewer"}).Must(t, 201).Map(t)
	raw := made["token"].(string)
	k.Logs.Secret(raw)
	for _, path := range []string{"/revocations", "/revocations", "/keys/rotate", "/admin-tokens"} {
		wantProblem(t, as(t, k, raw, "POST", path), 403, "role")
	}
	k.MustAudit(t, store.AuditFilter{Action: "access.refused"}, 3)
}
