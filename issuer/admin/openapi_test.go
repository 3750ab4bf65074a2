package admin_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/gateway"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit/contract"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// stop is one request of a tour, and the operation that it belongs to.
type stop struct {
	operation, target string
	body              any
	status            int
}

// TestEveryRowIsAnsweredAsDescribed goes through all that the document describes, for
// the suite may not come by an endpoint. The kit compares each answer.
func TestEveryRowIsAnsweredAsDescribed(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	k.MustLogin(t, "bob")
	k.MustUser(t, users.New{Username: "carol"})
	mustEdge(t, k, "an-edge")
	sid := issuerkit.Text(t, pair.Access, "sid")
	kid := k.Ring.Ring().Keys[0].ID
	id := revoke(t, k, "jti", "j")["id"].(string)
	done := map[string]bool{}
	tour(t, k, done, []stop{
		{"GET /openapi.yaml", "/openapi.yaml", nil, 200},
		{"POST /revocations", "/revocations", map[string]any{"kind": "subject", "value": "9", "reason": "r", "expires_at": k.Now().Add(time.Hour), "wait": "1ms"}, 201},
		{"GET /revocations", "/revocations?kind=jti&limit=1&subject=&issuer=", nil, 200},
		{"GET /revocations/{id}", "/revocations/" + id, nil, 200}, {"DELETE /revocations/{id}", "/revocations/" + id, nil, 200},
		{"GET /sessions", "/sessions", nil, 200}, {"GET /sessions/{sid}", "/sessions/" + sid, nil, 200}, {"DELETE /sessions/{sid}", "/sessions/" + sid, nil, 200},
		{"DELETE /subjects/{sub}/sessions", "/subjects/2/sessions", nil, 200},
		{"POST /tokens", "/tokens", map[string]any{"subject": "1", "ttl": "1m", "audience": []string{"a"}, "claims": []string{}, "scope": "x"}, 201},
		{"POST /tokens/explain", "/tokens/explain", map[string]any{"token": pair.Access}, 200},
		{"GET /keys", "/keys", nil, 200}, {"POST /keys/rotate", "/keys/rotate", map[string]any{"now": true}, 200},
		{"POST /keys/{kid}/retire", "/keys/" + kid + "/retire", nil, 200}, {"POST /keys/{kid}/revoke", "/keys/" + kid + "/revoke", nil, 200},
		{"GET /edges", "/edges", nil, 200},
		{"GET /users", "/users?limit=2", nil, 200}, {"GET /users/{name}", "/users/carol", nil, 200},
		{"POST /users", "/users", map[string]any{"username": "dave", "password": issuerkit.Password, "id": "d", "email": "d@x", "attributes": map[string]any{"a": []int{1}}, "is_active": true}, 201},
		{"PATCH /users/{name}", "/users/carol", map[string]any{"email": "c@x", "is_staff": true, "must_change_password": true, "end_sessions": true}, 200},
		{"DELETE /users/{name}", "/users/carol", nil, 204},
		{"POST /user-imports", "/user-imports", map[string]any{"users": []any{map[string]any{"username": "erin", "last_login": k.Now()}, map[string]any{"username": "bob", "id": "x"}}, "dry_run": true}, 200},
		{"POST /clients", "/clients", map[string]any{"id": "c", "scopes": []string{"s"}, "access_ttl": "1m"}, 201}, {"GET /clients", "/clients", nil, 200},
		{"PATCH /clients/{id}", "/clients/c", map[string]any{"rotate_secret": true, "overlap": "1h"}, 200}, {"DELETE /clients/{id}", "/clients/c", nil, 204},
	})
	made := wantDone(t, k.Control(t, "POST", "/admin/v1/admin-tokens", map[string]any{"name": "on-call", "role": "operator", "expires_at": k.Now().Add(time.Hour)}), 201)
	tour(t, k, done, []stop{
		{"GET /whoami", "/whoami", nil, 200}, {"GET /admin-tokens", "/admin-tokens", nil, 200},
		{"POST /admin-tokens", "/admin-tokens", map[string]any{"name": "for ever", "role": "viewer", "expires_at": nil}, 201},
		{"DELETE /admin-tokens/{id}", "/admin-tokens/" + made["id"].(string), nil, 200},
		{"GET /audit", "/audit?after=now&wait=1s", nil, 200}, {"GET /audit", "/audit?after=now&cursor=&since=2020-01-01T00:00:00Z", nil, 400},
		{"GET /audit", "/audit?actor=bootstrap&action=&target=&outcome=done&since=2020-01-01T00:00:00Z&until=&limit=5", nil, 200},
	})
	k.MustReplaceAdmin(t, wired(t, k))
	tour(t, k, done, []stop{
		{"POST /recover", "/recover", map[string]any{"end_all": true, "reason": "r"}, 200}, {"POST /recover/check", "/recover/check", map[string]any{"accept_loss": true}, 200},
		{"POST /recover/check", "/recover/check", map[string]any{"end_all": true, "issuers": []string{"x"}}, 422}, {"GET /status", "/status", nil, 200}, {"GET /settings", "/settings", nil, 200},
		{"GET /upstreams", "/upstreams", nil, 200}, {"GET /routes", "/routes", nil, 200},
		{"POST /routes/check", "/routes/check", map[string]any{"url": "https://shop.example.com/api/orders"}, 200},
		{"POST /routes/reload", "/routes/reload", nil, 204}, {"POST /routes/reload", "/routes/reload", nil, 422},
		{"POST /tokens/explain", "/tokens/explain", map[string]any{"token": "x", "url": "/api/x", "method": "POST"}, 200},
	})
	doc, err := contract.Load(admin.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range doc.Operations() {
		if !done[strings.Replace(operation, "/admin/v1", "", 1)] {
			t.Errorf("nobody came by %s", operation)
		}
	}
}

func tour(t *testing.T, k *issuerkit.Kit, done map[string]bool, stops []stop) {
	t.Helper()
	for _, s := range stops {
		method, _, _ := strings.Cut(s.operation, " ")
		a := k.Control(t, method, "/admin/v1"+s.target, s.body)
		if a.Status != s.status {
			t.Errorf("%s %s: %d %s, want %d", method, s.target, a.Status, a.Body, s.status)
		}
		done[s.operation] = done[s.operation] || a.Status < 300
	}
}

// wired is an admin API with what the kit's own does not have.
func wired(t *testing.T, k *issuerkit.Kit) *admin.Admin {
	t.Helper()
	table, _, err := gateway.ReadRoutesFiles([]byte(`
version: 1
upstreams: { shop: { urls: ["http://127.0.0.1:1"] } }
routes:
  - name: orders
    match: { hosts: [shop.example.com], path: /api/, methods: [GET] }
    upstream: shop
    auth: { scopes: [a], claims: { tenant: acme }, audiences: [x] }
    identity_headers: { X-Tenant: tenant }
    rewrite: { strip_prefix: /api }
    limits: { body: 2MiB, rate: 50/s, per: subject }
    origins: ["https://shop.example.com"]
  - { name: rest, match: { path: / }, upstream: shop, auth: { mode: none } }
`), gateway.Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	history := telemetry.NewHistory(k.Metrics)
	reloads := 0
	a, err := admin.New(admin.Config{
		Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: k.Revocations, Verifier: k.Verifier,
		Routes: func() *gateway.Table { return table },
		Reload: func(context.Context) error {
			if reloads++; reloads > 1 {
				return errors.New("routes.yaml: [3:1] unknown field")
			}
			return nil
		},
		Recover: func(context.Context, revocation.Recovery) error { return nil },
		Status: func(context.Context) admin.Status {
			return admin.Status{
				Instance: "one", Version: "v1", Started: k.Now(), Checks: []admin.Check{{Name: "redis", OK: true}, {Name: "keys", Error: "none"}},
				Mirror: &admin.Mirror{Level: true, N: 3, Stale: "1.5s", Heard: 1, P50: "≤ 1ms", P99: "≤ 5ms"}, Activity: history.Samples(time.Now()),
			}
		},
		Settings: func() []admin.Setting {
			return []admin.Setting{{Name: "TOLLGATE_X", Value: "1", Source: "default", Note: "n"}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestOpenAPIIsServed, to who has the token.
func TestOpenAPIIsServed(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	a := k.Control(t, "GET", "/admin/v1/openapi.yaml", nil).Must(t, 200)
	if a.Body != string(admin.OpenAPI()) || a.Header.Get("Content-Type") != "application/yaml" || !strings.HasPrefix(a.Body, "openapi: 3.1.0\n") {
		t.Errorf("%v %.100q", a.Header, a.Body)
	}
	wantProblem(t, k.Send(t, issuerkit.Request{Method: "GET", Path: "/admin/v1/openapi.yaml", Admin: true}), 401, "admin_token_required")
}

// TestSessionsOfEverybody: without a subject all come, page by page.
func TestSessionsOfEverybody(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	want := map[any]bool{}
	for range 5 {
		for _, name := range []string{"alice", "bob"} {
			want[issuerkit.Text(t, k.MustLogin(t, name).Access, "sid")] = true
		}
	}
	seen, cursor := map[any]bool{}, ""
	for range 100 {
		body := wantDone(t, k.Control(t, "GET", sessionsPath+"?limit=3&cursor="+url.QueryEscape(cursor), nil), 200)
		for _, s := range items(t, body) {
			seen[s["sid"]] = true
		}
		if cursor = body["next"].(string); cursor == "" {
			break
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d of %d sessions: %v", len(seen), len(want), seen)
	}
	for sid := range seen {
		if !want[sid] {
			t.Errorf("a strange session %v", sid)
		}
	}
}
