package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

const clientsPath = "/admin/v1/clients"

// mustAdd adds a client by the API and returns its secret.
func mustAdd(t *testing.T, k *issuerkit.Kit, body map[string]any) (string, map[string]any) {
	t.Helper()
	a := k.Control(t, "POST", clientsPath, body)
	a.Must(t, 201)
	item := a.Map(t)
	secret, _ := item["secret"].(string)
	k.Logs.Secret(secret)
	wantTimes(t, item)
	return secret, item
}

// tokenOf gets a token for a client and returns it with the status.
func tokenOf(t *testing.T, k *issuerkit.Kit, id, secret string) (string, int) {
	t.Helper()
	a := k.Send(t, issuerkit.Request{
		Path: "/oauth/token", Type: "application/x-www-form-urlencoded", Body: "grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret,
	})
	token, _ := a.Map(t)["access_token"].(string)
	return token, a.Status
}

func TestAddClient(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	secret, item := mustAdd(t, k, map[string]any{
		"id": "reports", "name": "Reports", "scopes": []string{"a"}, "audiences": []string{"x"}, "access_ttl": "1m",
		"grants": []string{"client_credentials", "token-exchange", "refresh_token"},
	})
	want := map[string]any{
		"id": "reports", "name": "Reports", "scopes": []any{"a"}, "audiences": []any{"x"}, "access_ttl": "1m0s", "disabled": false,
		"grants": []any{"client_credentials", store.GrantTokenExchange, "refresh_token"}, "auth_method": "client_secret",
		"created_at": item["created_at"], "rotated_at": nil, "secret": secret,
	}
	if diff := cmp.Diff(want, item); diff != "" || secret == "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, status := tokenOf(t, k, "reports", secret); status != 200 {
		t.Errorf("token: %d", status)
	}
	_, plain := mustAdd(t, k, map[string]any{})
	if diff := cmp.Diff([]any{"client_credentials"}, plain["grants"]); diff != "" || plain["id"] == "" {
		t.Errorf("%v", plain)
	}
	if line := k.Logs.String(); !strings.Contains(line, `"client_id":"reports"`) {
		t.Error("not logged")
	}
	for name, row := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"there already":      {map[string]any{"id": "reports"}, 409, "exists"},
		"a user's id":        {map[string]any{"id": "1"}, 409, "exists"},
		"bad id":             {map[string]any{"id": "a b"}, 422, "invalid"},
		"password grant":     {map[string]any{"grants": []string{"password"}}, 422, "invalid"},
		"bad life":           {map[string]any{"access_ttl": "soon"}, 400, "bad_request"},
		"secret of its own":  {map[string]any{"secret": "chosen"}, 400, "bad_request"},
		"bad algorithm":      {map[string]any{"access_token_signing_alg": "none"}, 422, "invalid"},
		"unused algorithm":   {map[string]any{"access_token_signing_alg": "RS256"}, 422, "invalid"},
		"bad keys":           {map[string]any{"jwks": map[string]any{"keys": []any{}}}, 422, "invalid"},
		"rotated at once":    {map[string]any{"rotate_secret": true}, 400, "bad_request"},
		"scope of two words": {map[string]any{"scopes": []string{"a b"}}, 422, "invalid"},
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, k.Control(t, "POST", clientsPath, row.body), row.status, row.code) })
	}
}

func TestListClients(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	if all := items(t, wantDone(t, k.Control(t, "GET", clientsPath, nil), 200)); len(all) != 0 {
		t.Errorf("%v", all)
	}
	for _, id := range []string{"b", "a", "c"} {
		mustAdd(t, k, map[string]any{"id": id})
	}
	first := wantDone(t, k.Control(t, "GET", clientsPath+"?limit=2", nil), 200)
	second := wantDone(t, k.Control(t, "GET", clientsPath+"?limit=2&cursor="+first["next"].(string), nil), 200)
	var ids []string
	for _, item := range append(items(t, first), items(t, second)...) {
		ids = append(ids, item["id"].(string))
		if _, shown := item["secret"]; shown {
			t.Error("the list shows a secret")
		}
	}
	if strings.Join(ids, "") != "abc" || second["next"] != "" {
		t.Errorf("%v, next %v", ids, second["next"])
	}
}

// TestChangeClient: what is not named stays; a rotated secret overlaps; disabling ends
// the client's tokens, and enabling does not bring them back.
func TestChangeClient(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first, _ := mustAdd(t, k, map[string]any{"id": "c", "name": "n", "scopes": []string{"a"}})
	patch := func(body map[string]any) map[string]any {
		t.Helper()
		a := k.Control(t, "PATCH", clientsPath+"/c", body).Must(t, 200)
		item := a.Map(t)
		if secret, made := item["secret"].(string); made {
			k.Logs.Secret(secret)
		}
		wantTimes(t, item)
		return item
	}
	item := patch(map[string]any{"name": "other", "scopes": []string{}})
	if item["name"] != "other" || len(item["scopes"].([]any)) != 0 || item["secret"] != nil || item["auth_method"] != "client_secret" {
		t.Errorf("%v", item)
	}
	for _, denied := range []bool{true, false} {
		if item = patch(map[string]any{"no_introspection": denied}); (item["no_introspection"] == true) != denied || item["name"] != "other" {
			t.Errorf("introspection denied, %t: %v", denied, item)
		}
	}
	item = patch(map[string]any{"rotate_secret": true, "overlap": "1h"})
	second, _ := item["secret"].(string)
	if until := after(t, item["old_secret_expires_at"], k.Now()); until != time.Hour {
		t.Errorf("overlap of %s", until)
	}
	for _, secret := range []string{first, second} {
		if _, status := tokenOf(t, k, "c", secret); status != 200 {
			t.Errorf("status %d within the overlap", status)
		}
	}
	if item = patch(map[string]any{"rotate_secret": true}); after(t, item["old_secret_expires_at"], k.Now()) != 24*time.Hour {
		t.Errorf("default overlap: %v", item)
	}
	third, _ := item["secret"].(string)
	token, _ := tokenOf(t, k, "c", third)
	if k.Verify(t, token) != 200 {
		t.Error("not valid before")
	}
	patch(map[string]any{"disabled": true})
	if _, status := tokenOf(t, k, "c", third); status != 401 || k.Verify(t, token) != 400 {
		t.Errorf("disabled: %d", status)
	}
	patch(map[string]any{"disabled": false})
	fresh, _ := tokenOf(t, k, "c", third)
	if k.Verify(t, token) != 400 || k.Verify(t, fresh) != 200 {
		t.Error("enabled again")
	}
	for name, row := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"id":              {map[string]any{"id": "d"}, 400, "bad_request"},
		"both ways":       {map[string]any{"rotate_secret": true, "jwks": map[string]any{"keys": []any{}}}, 400, "bad_request"},
		"overlap alone":   {map[string]any{"overlap": "1h"}, 400, "bad_request"},
		"bad overlap":     {map[string]any{"rotate_secret": true, "overlap": "x"}, 400, "bad_request"},
		"negative":        {map[string]any{"rotate_secret": true, "overlap": "-1h"}, 422, "invalid"},
		"unknown grant":   {map[string]any{"grants": []string{"x"}}, 422, "invalid"},
		"unknown members": {map[string]any{"secret": "x"}, 400, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, k.Control(t, "PATCH", clientsPath+"/c", row.body), row.status, row.code)
		})
	}
	wantProblem(t, k.Control(t, "PATCH", clientsPath+"/nobody", map[string]any{"name": "x"}), 404, "not_found")
}

// TestRemoveClient: its tokens end with it, and one of the same id begins anew.
func TestRemoveClient(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	secret, _ := mustAdd(t, k, map[string]any{"id": "c"})
	token, _ := tokenOf(t, k, "c", secret)
	if a := k.Control(t, "DELETE", clientsPath+"/c", nil); a.Status != http.StatusNoContent || a.Body != "" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if _, status := tokenOf(t, k, "c", secret); status != 401 || k.Verify(t, token) != 400 {
		t.Errorf("%d after the removal", status)
	}
	wantProblem(t, k.Control(t, "DELETE", clientsPath+"/c", nil), 404, "not_found")
	secret, _ = mustAdd(t, k, map[string]any{"id": "c"})
	if fresh, status := tokenOf(t, k, "c", secret); status != 200 || k.Verify(t, fresh) != 200 || k.Verify(t, token) != 400 {
		t.Errorf("%d for its successor", status)
	}
}
