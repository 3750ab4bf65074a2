package issuer_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestOAuthRefresh is RFC 6749 section 6 for the refresh token of a log-in.
func TestOAuthRefresh(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	idle := mustClient(t, k, store.Client{Grants: []string{}})
	pair := k.MustLogin(t, "alice")
	ask := func(h http.Header, token string, more ...string) issuerkit.Answer {
		return sendForm(t, k, tokenPath, h, append([]string{"grant_type", "refresh_token", "refresh_token", token}, more...)...)
	}
	for name, row := range map[string]struct {
		a      issuerkit.Answer
		status int
		code   string
	}{
		"nothing":            {sendForm(t, k, tokenPath, nil, "grant_type", "refresh_token"), 400, "invalid_request"},
		"garbage":            {ask(nil, "x"), 400, "invalid_grant"},
		"access token":       {ask(nil, pair.Access), 400, "invalid_grant"},
		"scope":              {ask(nil, pair.Refresh, "scope", "a"), 400, "invalid_scope"},
		"wrong client":       {ask(oauthClient{c.id, "x"}.basic(), pair.Refresh), 401, "invalid_client"},
		"client not allowed": {ask(idle.basic(), pair.Refresh), 400, "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, row.a, row.status, row.code) })
	}
	access, body := wantToken(t, ask(nil, pair.Refresh))
	next, _ := body["refresh_token"].(string)
	if body["expires_in"] != jsonInt(300) || len(body) != 4 || issuerkit.Text(t, access, "sid") != issuerkit.Text(t, pair.Access, "sid") {
		t.Errorf("%v", body)
	}
	if replayed, _ := wantToken(t, ask(nil, pair.Refresh)); issuerkit.Text(t, replayed, "jti") != issuerkit.Text(t, access, "jti") {
		t.Error("within the grace another pair was minted")
	}
	third, body := wantToken(t, ask(c.basic(), next))
	k.Advance(issuerkit.Grace + time.Second)
	// The first token is two generations old: reuse ends the session.
	a := ask(nil, pair.Refresh)
	wantError(t, a, 400, "invalid_grant")
	if line := k.Logs.Last(t, "issuer:oauth-token"); line["reason"] != "revoked" {
		t.Errorf("logged %v", line)
	}
	wantError(t, ask(nil, body["refresh_token"].(string)), 400, "invalid_grant")
	if k.Verify(t, third) != 400 {
		t.Error("the access token lives on")
	}
}

// TestOAuthRefreshForATarget is RFC 8707 section 2.2: the access token is for a part of
// what the log-in's is for, the refresh token goes on for all, and what cannot be had
// spends nothing.
func TestOAuthRefreshForATarget(t *testing.T) {
	const shop, billing = "https://shop.example/api", "billing"
	k := opened(t, issuerkit.Options{Audience: []string{shop, billing, "third"}})
	bound := mustClient(t, k, store.Client{Audiences: []string{billing, "elsewhere"}})
	refresh := k.MustLogin(t, "alice").Refresh
	for _, row := range []struct {
		name  string
		h     http.Header
		pairs []string
		aud   any // of the access token; nil: invalid_target
	}{
		{"none", nil, nil, []any{shop, billing, "third"}},
		{"resource", nil, []string{"resource", shop}, shop},
		{"audience", nil, []string{"audience", billing}, billing},
		{"two", nil, []string{"resource", shop, "audience", billing, "audience", billing}, []any{billing, shop}},
		{"unknown", nil, []string{"resource", "https://other.example"}, nil},
		{"one of two unknown", nil, []string{"resource", shop, "resource", "https://other.example"}, nil},
		{"no URI", nil, []string{"resource", "shop"}, nil},
		{"a fragment", nil, []string{"resource", shop + "#x"}, nil},
		{"a client's", bound.basic(), []string{"audience", billing}, billing},
		{"not the client's", bound.basic(), []string{"resource", shop}, nil},
		{"the client's alone", bound.basic(), []string{"audience", "elsewhere"}, nil},
		{"none, by a client", bound.basic(), nil, []any{shop, billing, "third"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := sendForm(t, k, tokenPath, row.h, append([]string{"grant_type", "refresh_token", "refresh_token", refresh}, row.pairs...)...)
			if row.aud == nil {
				wantError(t, a, 400, "invalid_target")
				return
			}
			access, body := wantToken(t, a)
			if next, _ := body["refresh_token"].(string); next == refresh {
				t.Error("not rotated")
			} else {
				refresh = next
			}
			if got := issuerkit.Claims(t, access)["aud"]; !reflect.DeepEqual(got, row.aud) {
				t.Errorf("aud %v, want %v", got, row.aud)
			}
			if got := issuerkit.Claims(t, refresh)["aud"]; !reflect.DeepEqual(got, []any{shop, billing, "third"}) {
				t.Errorf("the refresh token's aud %v", got)
			}
		})
	}
	bare := opened(t, issuerkit.Options{})
	wantError(t, sendForm(t, bare, tokenPath, nil, "grant_type", "refresh_token", "refresh_token", bare.MustLogin(t, "alice").Refresh, "resource", shop), 400, "invalid_target")
}
