package admin_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
)

const keysPath = "/admin/v1/keys"

// states returns the ring as kid → state.
func states(t *testing.T, body map[string]any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, key := range items(t, body) {
		out[key["kid"].(string)] = key["state"].(string)
	}
	return out
}

// inState returns the one key of a state.
func inState(t *testing.T, k *issuerkit.Kit, state string) string {
	t.Helper()
	found := ""
	for kid, s := range states(t, wantDone(t, k.Control(t, "GET", keysPath, nil), 200)) {
		if s == state {
			found += kid
		}
	}
	if found == "" {
		t.Fatalf("no %s key", state)
	}
	return found
}

func TestListKeys(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	body := wantDone(t, k.Control(t, "GET", keysPath, nil), 200)
	for _, key := range items(t, body) {
		if key["algorithm"] != "ES256" || after(t, key["created_at"], k.Now()) != 0 || (key["signs_from"] != nil) != (key["state"] == "active") {
			t.Errorf("%v", key)
		}
		for member := range key {
			switch member {
			case "kid", "algorithm", "state", "created_at", "signs_from", "signs_until", "revoked_at", "published_until", "tokens_until", "jwk":
			case "safe_from":
				if after(t, key[member], k.Now()) != 15*time.Minute || key["state"] != "pending" {
					t.Errorf("%s of a %s key: %v", member, key["state"], key[member])
				}
			default:
				t.Errorf("member %s", member)
			}
		}
	}
	if s := states(t, body); len(s) != 2 || body["version"] == nil {
		t.Errorf("%v", body)
	}
	// The JWKS is the same ring, by another name of it.
	for kid := range states(t, body) {
		if jwks := k.Send(t, issuerkit.Request{Method: "GET", Path: "/.well-known/jwks.json"}); !strings.Contains(jwks.Body, kid) {
			t.Errorf("%s is not published", kid)
		}
	}
}

// TestRotate: not before verifiers have the next key, unless told so; the old
// key's tokens stay good.
func TestRotate(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	active, pending := inState(t, k, "active"), inState(t, k, "pending")
	for _, body := range []any{nil, map[string]any{}, map[string]any{"now": false}} {
		a := k.Control(t, "POST", keysPath+"/rotate", body)
		wantProblem(t, a, 409, "not_yet_published")
		if detail, _ := a.Map(t)["detail"].(string); !strings.Contains(detail, "published") {
			t.Errorf("detail %q", detail)
		}
	}
	if inState(t, k, "active") != active {
		t.Error("rotated all the same")
	}
	body := wantDone(t, k.Control(t, "POST", keysPath+"/rotate", map[string]any{"now": true}), 200)
	if cost, _ := body["cost"].(map[string]any); after(t, cost["refused_until"], k.Now()) != 15*time.Minute {
		t.Errorf("it costs %v", body["cost"])
	}
	if s := states(t, body); s[active] != "retired" || s[pending] != "active" || len(s) != 3 || len(body["changes"].([]any)) != 3 {
		t.Errorf("%v", body)
	}
	if k.Verify(t, pair.Access) != 200 || k.Verify(t, pair.Refresh) != 200 {
		t.Error("a token of the retired key is refused")
	}
	if next := k.MustRefresh(t, pair.Refresh); issuerkit.Header(t, next.Access)["kid"] != pending {
		t.Error("the new key does not sign")
	}
	k.Advance(15 * time.Minute)
	if body := wantDone(t, k.Control(t, "POST", keysPath+"/rotate", nil), 200); body["cost"] != nil {
		t.Errorf("in time it costs %v", body["cost"])
	}
}

func TestRetire(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	active, pending := inState(t, k, "active"), inState(t, k, "pending")
	wantProblem(t, k.Control(t, "POST", keysPath+"/"+active+"/retire", nil), 409, "not_yet_published")
	k.Advance(15 * time.Minute)
	pair = k.MustRefresh(t, pair.Refresh)
	for range 2 { // once more changes nothing
		s := states(t, wantDone(t, k.Control(t, "POST", keysPath+"/"+active+"/retire", nil), 200))
		if s[active] != "retired" || s[pending] != "active" || len(s) != 3 {
			t.Errorf("%v", s)
		}
	}
	if k.Verify(t, pair.Access) != 200 {
		t.Error("a token of the retired key is refused")
	}
	for _, kid := range []string{"x", url.PathEscape("a/b"), "%20", strings.Repeat("x", 300)} {
		wantProblem(t, k.Control(t, "POST", keysPath+"/"+kid+"/retire", nil), 404, "not_found")
		wantProblem(t, k.Control(t, "POST", keysPath+"/"+kid+"/revoke", nil), 404, "not_found")
	}
}

// TestRevokeKey: its tokens are refused at once, it is published no more, the
// pending key signs, and there is a revocation for edges that still hold the set.
func TestRevokeKey(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	k.MustLogin(t, "bob")
	k.Post(t, "/api/token/blacklist/", map[string]any{"refresh": k.MustLogin(t, "bob").Refresh}).Must(t, 200)
	active, pending := inState(t, k, "active"), inState(t, k, "pending")
	for range 2 { // the second call is fine
		body := wantDone(t, k.Control(t, "POST", keysPath+"/"+active+"/revoke", nil), 200)
		if note, _ := body["note"].(string); fmt.Sprint(body["sessions_ended"]) != "2" || !strings.Contains(note, "log in again") {
			t.Errorf("%v sessions ended, %q", body["sessions_ended"], note)
		}
		if s := states(t, body); s[active] != "revoked" || s[pending] != "active" {
			t.Errorf("%v", body)
		}
	}
	for _, token := range []string{pair.Access, pair.Refresh} {
		if status := k.Verify(t, token); status != 401 {
			t.Errorf("verify says %d", status)
		}
	}
	k.Post(t, "/api/token/refresh/", map[string]any{"refresh": pair.Refresh}).Must(t, 401)
	if jwks := k.Send(t, issuerkit.Request{Method: "GET", Path: "/.well-known/jwks.json"}); strings.Contains(jwks.Body, active) {
		t.Error("still published")
	}
	if next := k.MustLogin(t, "alice"); issuerkit.Header(t, next.Access)["kid"] != pending || k.Verify(t, next.Access) != 200 {
		t.Error("the new key does not sign")
	}
	found := items(t, wantDone(t, k.Control(t, "GET", revocations+"?kind=key", nil), 200))
	if len(found) != 1 || found[0]["value"] != active || found[0]["expires_at"] != nil {
		t.Errorf("revocations %v", found)
	}
	if got := k.Metric(t, `tollgate_revocations_total{kind="key",source="api"}`); got != "2" {
		t.Errorf("%s counted", got)
	}
}
