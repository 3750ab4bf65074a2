package issuer_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// TestClientCredentials is RFC 6749 section 4.4, with the claims of the token.
func TestClientCredentials(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Audience: []string{"shop"}})
	c := mustClient(t, k, store.Client{ID: "reports", Scopes: []string{"shop:read", "shop:write"}})
	token, body := wantToken(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"))
	now := k.Now().Unix()
	if body["expires_in"] != json.Number("300") || body["scope"] != "shop:read shop:write" || len(body) != 4 {
		t.Errorf("%v", body)
	}
	claims := issuerkit.Claims(t, token)
	sid, _ := claims["sid"].(string)
	if birth, ok := revocation.Birth(sid); !ok || birth/1e6 != now {
		t.Errorf("born %d, now %d", birth, now)
	}
	want := map[string]any{
		"iss": issuerkit.Issuer, "sub": "reports", "client_id": "reports", "scope": "shop:read shop:write", "token_type": "access", "aud": "shop",
		"iat": jsonInt(now), "exp": jsonInt(now + 300), "jti": claims["jti"], "sid": sid,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if k.Verify(t, token) != 200 {
		t.Error("the token is refused")
	}
	if got := k.Metric(t, `tollgate_tokens_issued_total{grant="client_credentials",kind="access"}`); got != "1" {
		t.Errorf("counted %q", got)
	}
	if line := k.Logs.Last(t, "issuer:oauth-token"); line["sub"] != "reports" || line["decision"] != "allow" || line["jti"] != claims["jti"] {
		t.Errorf("logged %v", line)
	}
}

// TestClientToken: what a client may ask for, and what it gets.
func TestClientToken(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	plain := mustClient(t, k, store.Client{})
	bound := mustClient(t, k, store.Client{Scopes: []string{"a", "b"}, Audiences: []string{"x", "https://y.example/z"}, AccessTTL: time.Minute})
	long := mustClient(t, k, store.Client{AccessTTL: 24 * time.Hour})
	for name, row := range map[string]struct {
		client oauthClient
		pairs  []string
		code   string // of a refusal
		scope  any
		aud    any
		life   int64
	}{
		"nothing asked for":        {plain, nil, "", nil, nil, 300},
		"all":                      {bound, nil, "", "a b", []any{"x", "https://y.example/z"}, 60},
		"one scope":                {bound, []string{"scope", "b"}, "", "b", []any{"x", "https://y.example/z"}, 60},
		"a scope twice":            {bound, []string{"scope", " b  b"}, "", "b", []any{"x", "https://y.example/z"}, 60},
		"an empty scope is none":   {bound, []string{"scope", ""}, "", "a b", []any{"x", "https://y.example/z"}, 60},
		"a scope of another":       {bound, []string{"scope", "a c"}, "invalid_scope", nil, nil, 0},
		"a scope without any":      {plain, []string{"scope", "a"}, "invalid_scope", nil, nil, 0},
		"audience":                 {bound, []string{"audience", "x"}, "", "a b", "x", 60},
		"resource, RFC 8707":       {bound, []string{"resource", "https://y.example/z"}, "", "a b", "https://y.example/z", 60},
		"both":                     {bound, []string{"audience", "x", "audience", "x", "resource", "https://y.example/z"}, "", "a b", []any{"https://y.example/z", "x"}, 60},
		"audience of another":      {bound, []string{"audience", "z"}, "invalid_target", nil, nil, 0},
		"no audience is all":       {plain, []string{"audience", "z"}, "invalid_target", nil, nil, 0},
		"resource is no URI":       {bound, []string{"resource", "x"}, "invalid_target", nil, nil, 0},
		"resource with a fragment": {bound, []string{"resource", "https://y.example/z#"}, "invalid_target", nil, nil, 0},
		"cut to the server's life": {long, nil, "", nil, nil, 300},
		"unknown parameter":        {plain, []string{"foo", "bar"}, "", nil, nil, 300},
	} {
		t.Run(name, func(t *testing.T) {
			a := sendForm(t, k, tokenPath, row.client.basic(), append([]string{"grant_type", "client_credentials"}, row.pairs...)...)
			if row.code != "" {
				wantError(t, a, 400, row.code)
				return
			}
			token, body := wantToken(t, a)
			claims := issuerkit.Claims(t, token)
			exp, _ := claims["exp"].(json.Number).Int64()
			if life := exp - k.Now().Unix(); life != row.life || body["expires_in"] != jsonInt(row.life) || claims["scope"] != row.scope || body["scope"] != row.scope {
				t.Errorf("life %d, %v, %v", life, body, claims)
			}
			if diff := cmp.Diff(row.aud, claims["aud"]); diff != "" {
				t.Errorf("aud %s", diff)
			}
		})
	}
}

// TestClientTokenIsRevocable: by jti, by subject exactly, by the issuer's cut-off; a
// token right after the cut-off lives.
func TestClientTokenIsRevocable(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{ID: "c"})
	one, two := c.mustToken(t, k), c.mustToken(t, k)
	revoke := func(kind revocation.Kind, value string) {
		t.Helper()
		if _, err := k.Revocations.Revoke(t.Context(), revocation.Order{Kind: kind, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	revoke(revocation.KindJTI, issuerkit.Text(t, one, "jti"))
	if active(t, k, c, one) || !active(t, k, c, two) {
		t.Error("by jti")
	}
	revoke(revocation.KindSubject, "c")
	if after := c.mustToken(t, k); active(t, k, c, two) || !active(t, k, c, after) {
		t.Error("by subject")
	}
	three := c.mustToken(t, k)
	revoke(revocation.KindAll, "")
	if after := c.mustToken(t, k); active(t, k, c, three) || !active(t, k, c, after) {
		t.Error("all")
	}
}

// TestClientIsNoUser: a client with a user's id gets no token (RFC 9068 section 5),
// and no client's token opens what is a user's own.
func TestClientIsNoUser(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{ID: "1"}) // alice's
	wantError(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"), 400, "unauthorized_client")
	other := mustClient(t, k, store.Client{ID: "c"})
	pair := k.MustLogin(t, "alice")
	exchanged := other.mustExchange(t, k, "subject_token", pair.Access, "subject_token_type", accessURN)
	for _, token := range []string{other.mustToken(t, k), exchanged} {
		for _, fields := range []map[string]any{nil, {"all": "1"}} {
			a := k.Post(t, "/api/logout/", fields, token)
			if a.Status != 403 || !strings.Contains(a.Body, `"reason":"claim"`) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
	}
	alive(t, k, pair)
}
