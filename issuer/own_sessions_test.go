package issuer_test

import (
	"net/http"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
)

// own asks one of the rows of the caller's own sessions.
func own(t *testing.T, k *issuerkit.Kit, method, path, access string) issuerkit.Answer {
	t.Helper()
	a := k.Send(t, issuerkit.Request{Method: method, Path: "/api/sessions" + path, Header: issuerkit.Bearer(access)})
	if a.Header.Get("Cache-Control") != "no-store" || a.Status < 300 && a.Header.Get("Allow") != "GET, DELETE, HEAD, OPTIONS" {
		t.Errorf("%s %s: headers %v", method, path, a.Header)
	}
	return a
}

type listed struct {
	SID         string     `json:"sid"`
	Current     bool       `json:"current"`
	CreatedAt   time.Time  `json:"created_at"`
	LastRefresh *time.Time `json:"last_refresh"`
	ExpiresAt   time.Time  `json:"expires_at"`
	Address     string     `json:"address"`
	Agent       string     `json:"agent"`
}

func list(t *testing.T, k *issuerkit.Kit, access string) []listed {
	t.Helper()
	var out []listed
	own(t, k, http.MethodGet, "/", access).Must(t, 200).Into(t, &out)
	return out
}

// TestOwnSessions: what a user sees of his log-ins, and of nobody else's.
func TestOwnSessions(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first := k.MustLogin(t, "alice")
	k.Advance(time.Minute)
	first = k.MustRefresh(t, first.Refresh)
	began := k.Now()
	k.MustLogin(t, "bob")
	sliding := mustSliding(t, k, "alice")
	gone := k.MustLogin(t, "alice")
	want(t, k.Post(t, "/api/logout/", nil, gone.Access), 200, goodbye)

	found := list(t, k, first.Access)
	if len(found) != 2 {
		t.Fatalf("%d sessions listed: %+v", len(found), found)
	}
	now, other := found[1], found[0] // the newest first
	if now.SID != issuerkit.Text(t, first.Access, "sid") || !now.Current || other.Current || other.SID != issuerkit.Text(t, sliding, "sid") {
		t.Errorf("listed %+v", found)
	}
	if !now.CreatedAt.Equal(began.Add(-time.Minute)) || now.LastRefresh == nil || !now.LastRefresh.Equal(began) || !now.ExpiresAt.Equal(began.Add(issuerkit.RefreshTTL)) ||
		now.Address != "127.0.0.1" || now.Agent != "Go-http-client/1.1" || other.LastRefresh != nil {
		t.Errorf("listed %+v", found)
	}
	var one listed
	for _, path := range []string{"/" + other.SID, "/" + other.SID + "/"} {
		own(t, k, http.MethodGet, path, first.Access).Must(t, 200).Into(t, &one)
		if one != other {
			t.Errorf("%s: %+v, listed as %+v", path, one, other)
		}
	}
	if own(t, k, http.MethodHead, "/", sliding).Must(t, 200).Body != "" {
		t.Error("HEAD with a body")
	}
}

// TestEndOwnSessions: one, one's own, and all others.
func TestEndOwnSessions(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	caller, second, third, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "alice"), k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	sid := func(p issuerkit.Pair) string { return "/" + issuerkit.Text(t, p.Access, "sid") + "/" }
	if a := own(t, k, http.MethodDelete, sid(second), caller.Access).Must(t, 204); a.Body != "" {
		t.Errorf("body %q", a.Body)
	}
	ended(t, k, second)
	alive(t, k, caller, third, bob)
	for name, path := range map[string]string{"ended": sid(second), "another user's": sid(bob), "unknown": "/x/", "none of ours": "/a%20b/"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if a := own(t, k, method, path, caller.Access); a.Status != 404 || a.Body != `{"detail":"Not found."}` {
				t.Errorf("%s %s: %d %s", method, name, a.Status, a.Body)
			}
		}
	}
	fourth := k.MustLogin(t, "alice")
	for range 2 { // the second time there is nothing to end
		own(t, k, http.MethodDelete, "", caller.Access).Must(t, 204)
		ended(t, k, third, fourth)
		alive(t, k, caller, bob)
	}
	own(t, k, http.MethodDelete, sid(caller), caller.Access).Must(t, 204)
	ended(t, k, caller)
	alive(t, k, bob)
}

// TestOwnSessionsRefuses: who may ask, and what is said while nobody can answer.
func TestOwnSessionsRefuses(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	claims := issuerkit.Claims(t, pair.Access)
	claims["act"] = map[string]any{"sub": "2"}
	impersonator := k.MustForge(t, claims)
	for _, path := range []string{"/", "/" + issuerkit.Text(t, pair.Access, "sid")} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			own(t, k, method, path, "garbage").Must(t, 401)
			own(t, k, method, path, pair.Refresh).Must(t, 401)
			own(t, k, method, path, impersonator).Must(t, 403)
		}
		own(t, k, http.MethodPost, path, pair.Access).Must(t, 405)
	}
	alive(t, k, pair)
	k.Mini.Close()
	own(t, k, http.MethodGet, "/", pair.Access).Must(t, 503)
	k.MustRestart(t)
	if _, err := k.Revocations.Epoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(list(t, k, pair.Access)) != 1 {
		t.Error("afterwards it is not there")
	}
}
