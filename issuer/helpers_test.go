package issuer_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/users"
)

// The bodies of SimpleJWT that come again and again.
const (
	noAccount     = `{"detail":"No active account found with the given credentials"}`
	noAccountNow  = `{"detail":"No active account found for the given token."}`
	invalid       = `{"detail":"Token is invalid","code":"token_not_valid"}`
	expired       = `{"detail":"Token is expired","code":"token_not_valid"}`
	wrongType     = `{"detail":"Token has wrong type","code":"token_not_valid"}`
	blacklisted   = `{"detail":"Token is blacklisted","code":"token_not_valid"}`
	blacklisted4  = `{"non_field_errors":["Token is blacklisted"]}` // verify alone, with 400
	goodbye       = `{"status":"OK, goodbye"}`
	goodbyeAll    = `{"status":"OK, goodbye, all refresh tokens blacklisted"}`
	noCredentials = `{"detail":"Authentication credentials were not provided."}`
)

// opened returns a kit with the users alice (id 1) and bob (id 2).
func opened(t *testing.T, o issuerkit.Options) *issuerkit.Kit {
	t.Helper()
	k := issuerkit.MustOpen(t, o)
	k.MustUser(t, users.New{Username: "alice", Email: "alice@example.com"})
	k.MustUser(t, users.New{Username: "bob"})
	return k
}

// want checks an answer of a token endpoint whole: status, body, and the headers
// that every such answer has.
func want(t *testing.T, a issuerkit.Answer, status int, body string) {
	t.Helper()
	if a.Status != status {
		t.Errorf("status %d, want %d: %s", a.Status, status, a.Body)
		return
	}
	var got, expected any
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
		t.Fatalf("body %q: %v", a.Body, err)
	}
	if err := json.Unmarshal([]byte(body), &expected); err != nil {
		t.Fatalf("expected body %q: %v", body, err)
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	wantHeaders(t, a)
}

func wantHeaders(t *testing.T, a issuerkit.Answer) {
	t.Helper()
	h := a.Header
	if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || h.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("headers %v", h)
	}
	challenge := h.Get("WWW-Authenticate")
	if (a.Status == http.StatusUnauthorized) != strings.HasPrefix(challenge, `Bearer realm="api"`) {
		t.Errorf("status %d with the challenge %q", a.Status, challenge)
	}
	if h.Get("Set-Cookie") != "" {
		t.Errorf("a cookie: %v", h)
	}
}

// wantRefusedPage checks the answer of a row that needs an access token.
func wantRefusedPage(t *testing.T, a issuerkit.Answer, message, reason string) {
	t.Helper()
	body := `{"detail":"Given token not valid for any token type","code":"token_not_valid",` +
		`"messages":[{"token_class":"AccessToken","token_type":"access","message":"` + message + `"}]`
	if reason != "" {
		body += `,"reason":"` + reason + `"`
	}
	want(t, a, http.StatusUnauthorized, body+"}")
	if !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Errorf("challenge %q", a.Header.Get("WWW-Authenticate"))
	}
}

// refresh presents a refresh token.
func refresh(t *testing.T, k *issuerkit.Kit, token string) issuerkit.Answer {
	t.Helper()
	return k.Post(t, "/api/token/refresh/", map[string]any{"refresh": token})
}

// ended fails the test unless every one of these tokens is refused as revoked.
func ended(t *testing.T, k *issuerkit.Kit, pairs ...issuerkit.Pair) {
	t.Helper()
	for i, p := range pairs {
		want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": p.Access}), 400, blacklisted4)
		wantRefusedPage(t, k.Post(t, "/api/logout/", nil, p.Access), "Token is blacklisted", "revoked")
		if status := k.Verify(t, p.Refresh); status != 400 {
			t.Errorf("pair %d: verify of the refresh token: %d", i, status)
		}
		want(t, refresh(t, k, p.Refresh), 401, blacklisted)
	}
}

// alive fails the test unless both tokens are good. Nothing is spent.
func alive(t *testing.T, k *issuerkit.Kit, pairs ...issuerkit.Pair) {
	t.Helper()
	for i, p := range pairs {
		for _, token := range []string{p.Access, p.Refresh} {
			if status := k.Verify(t, token); status != 200 {
				t.Errorf("pair %d: a %s token is refused: %d", i, issuerkit.Text(t, token, "token_type"), status)
			}
		}
	}
}
