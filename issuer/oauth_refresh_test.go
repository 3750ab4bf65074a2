package issuer_test

import (
	"net/http"
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
