package admin_test

import (
	"strings"
	"testing"
	"time"

	"tollgate/gateway"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/keys/token"
)

const (
	tokensPath  = "/admin/v1/tokens"
	explainPath = "/admin/v1/tokens/explain"
)

func TestIssueToken(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	mustAdd(t, k, map[string]any{"id": "svc", "scopes": []string{"a", "b"}})
	a := k.Control(t, "POST", tokensPath, map[string]any{"subject": "1", "ttl": "30s", "audience": []string{"x"}, "claims": []string{}, "scope": "p q"})
	body := wantDone(t, a, 201)
	raw, _ := body["token"].(string)
	claims := issuerkit.Claims(t, raw)
	if after(t, body["expires_at"], k.Now()) != 30*time.Second || body["subject"] != "1" || body["jti"] != claims["jti"] || claims["aud"] != "x" || claims["scope"] != "p q" {
		t.Errorf("%v, %v", body, claims)
	}
	if _, there := claims["user_id"]; there || k.Verify(t, raw) != 200 {
		t.Errorf("%v", claims)
	}
	body = wantDone(t, k.Control(t, "POST", tokensPath, map[string]any{"client_id": "svc", "scope": "b"}), 201)
	if claims := issuerkit.Claims(t, body["token"].(string)); claims["client_id"] != "svc" || claims["scope"] != "b" {
		t.Errorf("%v", claims)
	}
	if !strings.Contains(k.Logs.String(), `"a token was issued"`) {
		t.Error("not logged")
	}
	// It ends with its subject.
	wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": "subject", "value": "1"}), 201)
	if k.Verify(t, raw) != 400 {
		t.Error("outlives its subject's cut-off")
	}
	for name, row := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"nobody":       {map[string]any{}, 422, "invalid"},
		"two":          {map[string]any{"subject": "1", "client_id": "svc"}, 422, "invalid"},
		"unknown":      {map[string]any{"subject": "9"}, 404, "not_found"},
		"unknown too":  {map[string]any{"client_id": "9"}, 404, "not_found"},
		"too long":     {map[string]any{"subject": "1", "ttl": "1h"}, 422, "invalid"},
		"no duration":  {map[string]any{"subject": "1", "ttl": "x"}, 400, "bad_request"},
		"no life":      {map[string]any{"subject": "1", "ttl": "0s"}, 400, "bad_request"},
		"a new claim":  {map[string]any{"subject": "1", "claims": []string{"admin"}}, 422, "invalid"},
		"foreign name": {map[string]any{"user": "1"}, 400, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, k.Control(t, "POST", tokensPath, row.body), row.status, row.code) })
	}
}

// explained asks about a token and returns the answer, and the outcome of each step.
func explained(t *testing.T, k *issuerkit.Kit, body map[string]any) (map[string]any, map[string]string) {
	t.Helper()
	answer := wantDone(t, k.Control(t, "POST", explainPath, body), 200)
	outcomes := map[string]string{}
	steps, _ := answer["steps"].([]any)
	for n, s := range steps {
		step, _ := s.(map[string]any)
		name, _ := step["step"].(string)
		outcomes[name], _ = step["outcome"].(string)
		if name != string(token.Steps()[n]) {
			t.Errorf("step %d is %s", n, name)
		}
	}
	return answer, outcomes
}

// TestExplain: each check in its order, by the policy of the route when one is named.
func TestExplain(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	table, _, err := gateway.ReadRoutesFiles([]byte(`
version: 1
upstreams: { app: { urls: ["http://127.0.0.1:1"] } }
routes:
  - { name: scoped, match: { path: /scoped/ }, upstream: app, auth: { scopes: [a] } }
  - { name: app, match: { path: /app/ }, upstream: app }
`), gateway.Defaults{UserIDClaim: "user_id", MaxStale: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	control, err := admin.New(admin.Config{
		Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: k.Revocations, Verifier: k.Verifier, Log: k.Logs.Logger(),
		Routes: func() *gateway.Table { return table },
	})
	if err != nil {
		t.Fatal(err)
	}
	plain := k.AdminURL
	pair := k.MustLogin(t, "alice")
	if _, steps := explained(t, k, map[string]any{"token": " " + pair.Refresh + "\n"}); steps["claim"] != "passed" {
		t.Errorf("refresh token: %v", steps)
	}
	wantProblem(t, k.Control(t, "POST", explainPath, map[string]any{"token": "x", "url": "/app/"}), 404, "not_here")
	k.MustReplaceAdmin(t, control)
	for name, row := range map[string]struct {
		body             map[string]any
		accepted         bool
		reason, at, last string // the step that failed, one that was not reached
	}{
		"good":          {map[string]any{"token": pair.Access}, true, "", "", ""},
		"on a route":    {map[string]any{"token": pair.Access, "url": "/app/x"}, true, "", "", ""},
		"lacks a scope": {map[string]any{"token": pair.Access, "url": "https://h.example/scoped/x?token=y", "method": "POST"}, false, "scope", "scope", "claim"},
		"refresh":       {map[string]any{"token": pair.Refresh, "url": "/app/x"}, false, "token_type", "token_type", "revocation"},
		"no route":      {map[string]any{"token": pair.Access, "url": "/nowhere"}, false, "", "", ""},
		"garbage":       {map[string]any{"token": "x"}, false, "malformed", "form", "header"},
		"nothing":       {map[string]any{}, false, "missing", "form", "header"},
		"altered":       {map[string]any{"token": pair.Access[:len(pair.Access)-20] + strings.Repeat("A", 20)}, false, "signature", "signature", "typ"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, steps := explained(t, k, row.body)
			reason, _ := answer["reason"].(string)
			if answer["accepted"] != row.accepted || reason != row.reason || row.at != "" && steps[row.at] != "failed" || row.last != "" && steps[row.last] != "not reached" {
				t.Errorf("%v", answer)
			}
		})
	}
	k.Post(t, "/api/logout/", nil, pair.Access).Must(t, 200)
	answer, steps := explained(t, k, map[string]any{"token": pair.Access})
	said, _ := answer["token"].(map[string]any)
	if steps["revocation"] != "failed" || steps["token_type"] != "passed" || answer["detail"] != "the session was ended" || said["sub"] != "1" {
		t.Errorf("%v", answer)
	}
	k.AdminURL = plain
	k.Mini.Close()
	if answer, steps := explained(t, k, map[string]any{"token": pair.Access}); steps["revocation"] != "failed" || answer["reason"] != "unavailable" {
		t.Errorf("without a store: %v", answer)
	}
	wantProblem(t, k.Control(t, "POST", explainPath, map[string]any{"tokens": "x"}), 400, "bad_request")
}
