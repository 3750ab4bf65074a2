package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
)

func as(t *testing.T, k *issuerkit.Kit, raw, method, path string) issuerkit.Answer {
	t.Helper()
	return k.Send(t, issuerkit.Request{Method: method, Path: "/admin/v1" + path, Admin: true, Header: issuerkit.Bearer(raw)})
}

// TestAdminTokens: made, shown once, used, listed, revoked; whatever was refused at
// once.
func TestAdminTokens(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	made := k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "on-call", "role": "operator", "expires_at": k.Now().Add(time.Hour)}).Must(t, 201).Map(t)
	raw, id := made["token"].(string), made["id"].(string)
	k.Logs.Secret(raw)
	if made["state"] != "live" || made["created_by"] != "bootstrap" || made["role"] != "operator" || made["last_used_at"] != nil {
		t.Errorf("%v", made)
	}
	who := as(t, k, raw, "GET", "/whoami").Must(t, 200).Map(t)
	if who["id"] != id || who["name"] != "on-call" || who["role"] != "operator" || who["expires_at"] != made["expires_at"] {
		t.Errorf("%v", who)
	}
	if who := k.Control(t, "GET", "/admin/v1/whoami", nil).Map(t); who["name"] != "bootstrap" || who["role"] != "admin" || who["expires_at"] != nil {
		t.Errorf("%v", who)
	}
	listed := k.Control(t, "GET", "/admin/v1/admin-tokens", nil).Must(t, 200)
	one := items(t, listed.Map(t))
	if len(one) != 1 || one[0]["last_used_at"] == nil || strings.Contains(listed.Body, raw) || one[0]["token"] != nil {
		t.Errorf("%s", listed.Body)
	}
	for name, body := range map[string]map[string]any{
		"no role": {"name": "x"}, "another role": {"name": "x", "role": "root"}, "the bootstrap's name": {"name": "Bootstrap", "role": "viewer"}, "unknown member": {"name": "x", "role": "viewer", "token": "tga_"},
	} {
		if a := k.Control(t, "POST", "/admin/v1/admin-tokens", body); a.Status != 400 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	wantProblem(t, k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "", "role": "viewer"}), 422, "invalid")
	wantProblem(t, k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "x", "role": "viewer", "expires_at": k.Now().Add(-time.Hour)}), 422, "invalid")
	wantProblem(t, k.Control(t, "DELETE", "/admin/v1/admin-tokens/bootstrap", nil), 400, "bad_request")
	wantProblem(t, k.Control(t, "DELETE", "/admin/v1/admin-tokens/0123456789abcdef", nil), 404, "not_found")
	if gone := k.Control(t, "DELETE", "/admin/v1/admin-tokens/"+id, nil).Must(t, 200).Map(t); gone["state"] != "revoked" || gone["revoked_by"] != "bootstrap" {
		t.Errorf("%v", gone)
	}
	wantProblem(t, as(t, k, raw, "GET", "/whoami"), 401, "admin_token_required")
	expiring := k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "short", "role": "viewer", "expires_at": k.Now().Add(time.Minute)}).Must(t, 201).Map(t)["token"].(string)
	k.Logs.Secret(expiring)
	as(t, k, expiring, "GET", "/whoami").Must(t, 200)
	k.Advance(time.Minute)
	wantProblem(t, as(t, k, expiring, "GET", "/whoami"), 401, "admin_token_required")
}

// TestAdminTokenWithoutRedis: nobody can say whose token it is: 503 on every row, and
// the token of the configuration goes on.
func TestAdminTokenWithoutRedis(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	_, raw := k.MustAdminToken(t, "admin")
	k.Mini.Close()
	for _, r := range admin.Rows() {
		a := k.Send(t, issuerkit.Request{Method: r.Method, Path: r.Path, Admin: true, Header: issuerkit.Bearer(raw)})
		wantProblem(t, a, http.StatusServiceUnavailable, "unavailable")
		if !strings.Contains(a.Body, "Nothing was done") {
			t.Errorf("%s", a.Body)
		}
	}
	k.Control(t, "GET", "/admin/v1/whoami", nil).Must(t, 200)
	k.Control(t, "GET", "/admin/v1/keys", nil).Must(t, 200)
	wantProblem(t, as(t, k, raw[:40], "GET", "/keys"), 401, "admin_token_required") // of no form of ours: no store need be asked
}

// TestConsoleByRole: the log-in has the token's role, and ends with the token.
func TestConsoleByRole(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	id, raw := k.MustAdminToken(t, "viewer")
	p := loggedInAs(t, k, raw)
	page := p.get("/keys")
	if !strings.Contains(page, "the viewer · viewer") || strings.Contains(page, "/keys/rotate") || strings.Contains(page, `href="/check"`) {
		t.Errorf("a viewer sees %s", page)
	}
	version := k.Ring.Ring().Version
	if page := p.post("/keys/rotate", url.Values{"now": {"yes"}}); !strings.Contains(page, "This needs the role admin") || k.Ring.Ring().Version != version {
		t.Errorf("a viewer rotates: %s", page)
	}
	k.Control(t, "DELETE", "/admin/v1/admin-tokens/"+id, nil).Must(t, 200)
	if page := p.get("/keys"); !strings.Contains(page, "no longer accepted") {
		t.Errorf("after its token was revoked: %s", page)
	}
	if page := p.get("/keys"); strings.Contains(page, "Log out") {
		t.Errorf("it is still logged in: %s", page)
	}
}
