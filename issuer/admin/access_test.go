package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// TestEveryRowNeedsTheAdminToken walks the ways to come without it.
func TestEveryRowNeedsTheAdminToken(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "root", IsStaff: true, IsSuperuser: true})
	root := k.MustLogin(t, "root")
	const good = issuerkit.AdminToken
	for name, c := range map[string]struct {
		header http.Header
		query  string
	}{
		"none": {}, "wrong": {header: issuerkit.Bearer("x" + good[1:])}, "prefix": {header: issuerkit.Bearer(good[:len(good)-1])}, "longer": {header: issuerkit.Bearer(good + "x")},
		"one letter": {header: issuerkit.Bearer("a")}, "another case": {header: issuerkit.Bearer(strings.ToUpper(good))}, "scheme alone": {header: http.Header{"Authorization": {"Bearer"}}},
		"no scheme": {header: http.Header{"Authorization": {good}}}, "another scheme": {header: http.Header{"Authorization": {"Basic " + good}}},
		"two words": {header: http.Header{"Authorization": {"Bearer " + good + " " + good}}}, "comma": {header: http.Header{"Authorization": {"Bearer " + good + ", Bearer " + good}}},
		"twice": {header: http.Header{"Authorization": {"Bearer " + good, "Bearer " + good}}}, "in the query": {query: "?token=" + good + "&access_token=" + good},
		"in a cookie": {header: http.Header{"Cookie": {"token=" + good + "; Authorization=" + good}}}, "in another header": {header: http.Header{"X-Authorization": {"Bearer " + good}, "X-Admin-Token": {good}}},
		"a superuser's access token": {header: issuerkit.Bearer(root.Access)}, "a superuser's refresh token": {header: issuerkit.Bearer(root.Refresh)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range admin.Rows() {
				a := k.Send(t, issuerkit.Request{Method: r.Method, Path: r.Path + c.query, Admin: true, Header: c.header, Type: "application/json", Body: `{"kind":"all"}`})
				wantProblem(t, a, http.StatusUnauthorized, "admin_token_required")
				if challenge := a.Header.Get("WWW-Authenticate"); challenge != `Bearer realm="admin"` {
					t.Errorf("challenge %q", challenge)
				}
			}
		})
	}
	if status := k.Verify(t, root.Access); status != 200 {
		t.Errorf("something was done: %d", status)
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", "/admin/v1/revocations", nil), 200)); len(found) > 0 {
		t.Errorf("something was done: %v", found)
	}
	line := k.Logs.Last(t, "admin:/admin/v1/users")
	if line["decision"] != "deny" || line["status"] != 401.0 {
		t.Errorf("logged %v", line)
	}
}

// TestMethodsAndPaths: 405 with Allow on a path that exists, 404 elsewhere.
func TestMethodsAndPaths(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	allow := map[string][]string{}
	for _, r := range admin.Rows() {
		allow[r.Path] = append(allow[r.Path], r.Method)
	}
	for path, methods := range allow {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "TRACE"} {
			if strings.Contains(strings.Join(methods, " "), method) {
				continue
			}
			a := k.Control(t, method, path, nil)
			wantProblem(t, a, http.StatusMethodNotAllowed, "method")
			for _, m := range methods {
				if !strings.Contains(a.Header.Get("Allow"), m) {
					t.Errorf("%s %s: Allow %q", method, path, a.Header.Get("Allow"))
				}
			}
			wantProblem(t, k.Send(t, issuerkit.Request{Method: method, Path: path, Admin: true}), http.StatusUnauthorized, "admin_token_required")
		}
		k.Control(t, "HEAD", path, nil).Must(t, http.StatusMethodNotAllowed)
	}
	for _, path := range []string{"/admin", "/admin/v1", "/admin/v1/", "/admin/v2/keys", "/admin/v1/keys/", "/admin/v1/keys/x", "/admin/v1/keys/x/y", "/api/token/", "/ADMIN/v1/keys", "//admin/v1/keys"} {
		wantProblem(t, k.Control(t, "GET", path, nil), http.StatusNotFound, "no_such_endpoint")
	}
}

// TestWithoutTheIssuerRole: what this process does not keep is 404 with the reason;
// revocations go on.
func TestWithoutTheIssuerRole(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	if _, err := admin.New(admin.Config{Token: "t", Issuer: issuerkit.Issuer, Revocations: k.Revocations}); err == nil {
		t.Error("an admin API without a verifier")
	}
	a, err := admin.New(admin.Config{Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: revocation.NewMemory(revocation.Settings{}, nil), Verifier: k.Verifier})
	if err != nil {
		t.Fatal(err)
	}
	k.MustReplaceAdmin(t, a)
	for _, r := range admin.Rows() {
		if !strings.HasPrefix(r.Path, "/admin/v1/revocations") && r.Path != "/admin/v1/edges" && r.Path != "/admin/v1/openapi.yaml" && r.Path != "/admin/v1/whoami" && r.Path != "/admin/v1/tokens/explain" {
			wantProblem(t, k.Control(t, r.Method, r.Path, nil), http.StatusNotFound, "not_here")
		}
	}
	// A jti may be of a refresh token: without the sessions nobody knows.
	for _, kind := range []string{"session", "jti"} {
		done := wantDone(t, k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": kind, "value": revocation.NewSessionID(1)}), 201)
		end, err := time.Parse(time.RFC3339, done["expires_at"].(string))
		if err != nil || time.Until(end) < revocation.DefaultSessionLife-time.Minute {
			t.Errorf("a %s is revoked until %v, %v", kind, end, err)
		}
	}
	// The ring would go on signing with a key that nobody takes; of another issuer's
	// key there is no ring anyway.
	key := map[string]any{"kind": "key", "value": "k"}
	refused := k.Control(t, "POST", "/admin/v1/revocations", key)
	wantProblem(t, refused, http.StatusConflict, "ring_elsewhere")
	if !strings.Contains(refused.Body, "POST /admin/v1/keys/{kid}/revoke") {
		t.Errorf("%s", refused.Body)
	}
	key["issuer"] = "https://other.example"
	wantDone(t, k.Control(t, "POST", "/admin/v1/revocations", key), 201)
}

// TestUnavailable: with Redis away every row that asks it is 503, and says that a
// write may have happened.
func TestUnavailable(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	sid, jti := issuerkit.Text(t, pair.Access, "sid"), issuerkit.Text(t, pair.Refresh, "jti")
	kid := k.Ring.Ring().Keys[1].ID
	id := strings.Repeat("0", 32) + "-1"
	k.Mini.Close()
	for _, r := range []struct {
		Method, Path string
		body         any
	}{
		{"POST", "/admin/v1/revocations", map[string]any{"kind": "subject", "value": "1"}}, {"POST", "/admin/v1/revocations", map[string]any{"kind": "session", "value": sid}},
		{"POST", "/admin/v1/revocations", map[string]any{"kind": "jti", "value": jti}}, {"POST", "/admin/v1/revocations", map[string]any{"kind": "token", "value": pair.Access}},
		{"GET", "/admin/v1/revocations", nil}, {"GET", "/admin/v1/revocations/" + id, nil}, {"DELETE", "/admin/v1/revocations/" + id, nil},
		{"GET", "/admin/v1/sessions?subject=1", nil}, {"GET", "/admin/v1/sessions/" + sid, nil}, {"DELETE", "/admin/v1/sessions/" + sid, nil},
		{"DELETE", "/admin/v1/subjects/1/sessions", nil}, {"POST", "/admin/v1/keys/" + kid + "/revoke", nil},
		{"GET", "/admin/v1/users", nil}, {"POST", "/admin/v1/users", map[string]any{"username": "carol", "password": issuerkit.Password}},
		{"GET", "/admin/v1/clients", nil}, {"POST", "/admin/v1/clients", map[string]any{}}, {"PATCH", "/admin/v1/clients/c", map[string]any{"rotate_secret": true}},
		{"DELETE", "/admin/v1/clients/c", nil}, {"POST", "/admin/v1/tokens", map[string]any{"subject": "1"}},
	} {
		wantProblem(t, k.Control(t, r.Method, r.Path, r.body), http.StatusServiceUnavailable, "unavailable")
	}
	if line := k.Logs.Last(t, "admin:/admin/v1/users"); line["decision"] != "error" {
		t.Errorf("logged %v", line)
	}
	k.MustRestart(t)
	// The key was out of the ring already; asking again completes it.
	wantDone(t, k.Control(t, "POST", "/admin/v1/keys/"+kid+"/revoke", nil), 200)
}

// TestUnconfirmed: a change that is written, but that too few replicas have, is 503 and
// says just that, by whichever row it is made.
func TestUnconfirmed(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	id := issuerkit.Text(t, pair.Access, "sid")
	done := revoke(t, k, "jti", "j")
	k.Revocations.Confirm(1, 10*time.Millisecond)
	for _, r := range []struct {
		Method, Path string
		body         any
	}{
		{"POST", "/admin/v1/revocations", map[string]any{"kind": "subject", "value": "1"}},
		{"POST", "/admin/v1/revocations", map[string]any{"kind": "token", "value": pair.Access}},
		{"DELETE", "/admin/v1/revocations/" + done["id"].(string), nil}, {"DELETE", "/admin/v1/sessions/" + id, nil},
	} {
		a := k.Control(t, r.Method, r.Path, r.body)
		wantProblem(t, a, http.StatusServiceUnavailable, "unconfirmed")
		if !strings.Contains(a.Body, "The change is written, but only 0 of 1 replicas confirmed it within 10ms. Asking again is harmless.") {
			t.Errorf("%s %s: %s", r.Method, r.Path, a.Body)
		}
	}
	k.Revocations.Confirm(0, 0)
	wantDone(t, k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "subject", "value": "1"}), 201)
}

// TestTakesNone: a store that nobody has read since it lost something takes no revocation, and
// the answer says why.
func TestTakesNone(t *testing.T) {
	t.Parallel()
	k := opened(t, issuerkit.Options{})
	done := revoke(t, k, "jti", "j")
	if err := k.Redis.HSet(t.Context(), "t:{rev}:epoch", "shut", "1").Err(); err != nil {
		t.Fatal(err)
	}
	for r, want := range map[string]string{
		"POST /admin/v1/revocations":                          "The revocation was not made. Asking again is harmless.",
		"DELETE /admin/v1/revocations/" + done["id"].(string): "No revocation was changed. Asking again is harmless.",
	} {
		method, path, _ := strings.Cut(r, " ")
		a := k.Control(t, method, path, map[string]any{"kind": "subject", "value": "1"})
		wantProblem(t, a, http.StatusServiceUnavailable, "unavailable")
		if !strings.Contains(a.Body, "Redis has lost revocations, and takes no others until what is left of them was read. "+want) {
			t.Errorf("%s: %s", r, a.Body)
		}
	}
	if err := k.Redis.HDel(t.Context(), "t:{rev}:epoch", "shut").Err(); err != nil {
		t.Fatal(err)
	}
	wantDone(t, k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "subject", "value": "1"}), 201)
}

// TestSlowBody: the time of a row bounds the wait for its body too.
func TestSlowBody(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the time of a row, 10 s")
	}
	t.Parallel()
	k := opened(t, issuerkit.Options{})
	issuerkit.WantBodyTimeout(t, k.AdminURL, "POST /admin/v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+issuerkit.AdminToken+"\r\nContent-Length: 100\r\n\r\n{")
}
