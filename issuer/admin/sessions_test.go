package admin_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

const sessionsPath = "/admin/v1/sessions"

func TestSessions(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first := k.MustLogin(t, "alice")
	k.Advance(time.Minute)
	second := k.MustLogin(t, "alice")
	bob := k.MustLogin(t, "bob")
	k.Advance(time.Minute)
	refreshed := k.MustRefresh(t, first.Refresh)
	sid := issuerkit.Text(t, first.Access, "sid")

	found := items(t, wantDone(t, k.Control(t, "GET", sessionsPath+"?subject=1", nil), 200))
	if len(found) != 2 || found[0]["sid"] != issuerkit.Text(t, second.Access, "sid") || found[1]["sid"] != sid {
		t.Fatalf("%v", found)
	}
	shown := wantDone(t, k.Control(t, "GET", sessionsPath+"/"+sid, nil), 200)
	for member, want := range map[string]any{
		"subject": "1", "username": "alice", "address": "127.0.0.1", "agent": "Go-http-client/1.1", "state": "live", "ended_at": nil, "reason": nil, "actor": nil,
	} {
		if shown[member] != want || found[1][member] != want {
			t.Errorf("%s is %v, want %v", member, shown[member], want)
		}
	}
	if after(t, shown["created_at"], k.Now()) != -2*time.Minute || after(t, shown["last_refresh"], k.Now()) != 0 || after(t, shown["expires_at"], k.Now()) != issuerkit.RefreshTTL {
		t.Errorf("times: %v", shown)
	}
	if found[0]["last_refresh"] != nil {
		t.Errorf("never refreshed: %v", found[0])
	}

	for range 2 { // ending again changes nothing
		ended := wantDone(t, k.Control(t, "DELETE", sessionsPath+"/"+sid, nil), 200)
		if ended["state"] != "ended" || ended["actor"] != "bootstrap" || after(t, ended["ended_at"], k.Now()) != 0 {
			t.Errorf("%v", ended)
		}
	}
	for token, want := range map[string]int{refreshed.Access: 400, refreshed.Refresh: 400, first.Access: 400, second.Access: 200, second.Refresh: 200, bob.Access: 200} {
		if got := k.Verify(t, token); got != want {
			t.Errorf("verify says %d, want %d", got, want)
		}
	}
	for _, sid := range []string{"x", revocation.NewSessionID(1), url.PathEscape("a/b"), strings.Repeat("x", 500)} {
		wantProblem(t, k.Control(t, "GET", sessionsPath+"/"+sid, nil), 404, "not_found")
		wantProblem(t, k.Control(t, "DELETE", sessionsPath+"/"+sid, nil), 404, "not_found")
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", sessionsPath+"?subject=nobody", nil), 200)); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

// TestEndSessionsOfASubject: every session up to now, and none that begins after
// it. The subject is taken from the path exactly as it was meant.
func TestEndSessionsOfASubject(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	bob := k.MustLogin(t, "bob")
	for i, id := range []string{"a/b", "50%", "a%41", "aA", "a b+c", "ä€", "..", "a?b#c", ";"} {
		name := "user-" + string(rune('a'+i))
		k.MustUser(t, users.New{Username: name, ID: id})
		first, second := k.MustLogin(t, name), k.MustLogin(t, name)
		body := wantDone(t, k.Control(t, "DELETE", "/admin/v1/subjects/"+url.PathEscape(id)+"/sessions", nil), 200)
		if body["kind"] != "subject" || body["value"] != id || body["subject"] != id || body["actor"] != "bootstrap" {
			t.Errorf("%q: %v", id, body)
		}
		next := k.MustLogin(t, name)
		for token, want := range map[string]int{first.Access: 400, second.Refresh: 400, next.Access: 200, next.Refresh: 200, bob.Access: 200} {
			if got := k.Verify(t, token); got != want {
				t.Errorf("%q: verify says %d, want %d", id, got, want)
			}
		}
		found := items(t, wantDone(t, k.Control(t, "GET", sessionsPath+"?subject="+url.QueryEscape(id), nil), 200))
		if len(found) != 3 || found[0]["state"] != "live" || found[2]["state"] != "revoked" {
			t.Errorf("%q: %v", id, found)
		}
	}
	wantProblem(t, k.Control(t, "DELETE", "/admin/v1/subjects/"+strings.Repeat("x", 300)+"/sessions", nil), 422, "invalid")
	if got := k.Metric(t, `tollgate_revocations_total{kind="subject",source="api"}`); got != "9" {
		t.Errorf("%s counted", got)
	}
}

// TestSessionsLine: the line of refresh tokens of one session, and the session of each
// refresh token by its jti.
func TestSessionsLine(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first := k.MustLogin(t, "alice")
	second := k.MustRefresh(t, first.Refresh)
	sid := issuerkit.Text(t, first.Access, "sid")
	one := wantDone(t, k.Control(t, "GET", "/admin/v1/sessions/"+sid, nil), 200)
	line, _ := one["refreshes"].([]any)
	if len(line) != 2 {
		t.Fatalf("%v", one)
	}
	for i, pair := range []issuerkit.Pair{second, first} {
		r := line[i].(map[string]any)
		if r["jti"] != issuerkit.Text(t, pair.Refresh, "jti") || r["address"] != "127.0.0.1" || r["agent"] != "Go-http-client/1.1" || (r["spent_at"] == nil) != (i == 0) || r["generation"] != number(2-i) {
			t.Errorf("%d: %v", i, r)
		}
		found := items(t, wantDone(t, k.Control(t, "GET", "/admin/v1/sessions?jti="+r["jti"].(string), nil), 200))
		if len(found) != 1 || found[0]["sid"] != sid || found[0]["refreshes"] != nil {
			t.Errorf("by its jti: %v", found)
		}
	}
	for _, nobodys := range []string{"x", sid, issuerkit.Text(t, second.Access, "jti")} {
		if found := items(t, wantDone(t, k.Control(t, "GET", "/admin/v1/sessions?jti="+nobodys, nil), 200)); len(found) != 0 {
			t.Errorf("%s: %v", nobodys, found)
		}
	}
	wantProblem(t, k.Control(t, "GET", "/admin/v1/sessions?jti=x&subject=1", nil), 400, "bad_request")
}

// TestKeyCost: how many sessions a key would end is told to who may revoke it.
func TestKeyCost(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustLogin(t, "alice")
	k.MustLogin(t, "bob")
	for i, key := range k.Ring.Ring().Keys {
		path := "/admin/v1/keys?cost_of=" + key.ID
		want := number(0)
		if !key.Activated.IsZero() {
			want = number(2)
		}
		if got := wantDone(t, k.Control(t, "GET", path, nil), 200); got["sessions_ended"] != want {
			t.Errorf("key %d: %v, want %s", i, got["sessions_ended"], want)
		}
		_, operator := k.MustAdminToken(t, "operator")
		wantProblem(t, as(t, k, operator, "GET", "/keys?cost_of="+key.ID), 403, "role")
	}
	if got := wantDone(t, k.Control(t, "GET", "/admin/v1/keys", nil), 200); got["sessions_ended"] != nil {
		t.Errorf("counted without being asked: %v", got)
	}
}
