package issuer_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

// The paths of drf-jwt.
const (
	drfAuth        = "/api-token-auth/"
	drfRefresh     = "/api-token-refresh/"
	drfVerify      = "/api-token-verify/"
	drfLogout      = "/auth/logout/"
	drfImpersonate = "/api-token-impersonate/"
)

// drfOpened is opened with the endpoints of both profiles, drf-jwt's first.
func drfOpened(t *testing.T, change ...func(*issuer.Config)) *issuerkit.Kit {
	t.Helper()
	return opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Compat = []problem.Profile{problem.DRF, problem.SimpleJWT}
		for _, f := range change {
			f(c)
		}
	}})
}

// wantDRF checks status and body, and that nobody may keep the answer.
func wantDRF(t *testing.T, a issuerkit.Answer, status int, body string) {
	t.Helper()
	var got, expected any
	if err := json.Unmarshal([]byte(body), &expected); err != nil {
		t.Fatal(err)
	}
	a.Into(t, &got)
	have, _ := json.Marshal(got)
	should, _ := json.Marshal(expected)
	if a.Status != status || string(have) != string(should) {
		t.Errorf("%d %s, want %d %s", a.Status, a.Body, status, body)
	}
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", a.Header)
	}
	if (status == http.StatusUnauthorized) && a.Header.Get("WWW-Authenticate") == "" {
		t.Error("a 401 without a challenge")
	}
}

// nonField is a ValidationError of drf-jwt.
func nonField(message string) string { return `{"non_field_errors":["` + message + `"]}` }

// drfLogin logs in and returns the token.
func drfLogin(t *testing.T, k *issuerkit.Kit, name string) string {
	t.Helper()
	return tokenOf(t, k.Post(t, drfAuth, map[string]any{"username": name, "password": issuerkit.Password}))
}

// tokenOf is the token of a 201, whose pk has to be its iat.
func tokenOf(t *testing.T, a issuerkit.Answer) string {
	t.Helper()
	m := a.Must(t, http.StatusCreated).Map(t)
	raw, _ := m["token"].(string)
	if iat := issuerkit.Claims(t, raw)["iat"]; len(m) != 2 || m["pk"] != iat {
		t.Errorf("%v, iat %v", m, iat)
	}
	return raw
}

func post(t *testing.T, k *issuerkit.Kit, path, raw string) issuerkit.Answer {
	t.Helper()
	return k.Post(t, path, map[string]any{"token": raw})
}

// drfAlive checks whether tokens are good, by verify and on a page.
func drfAlive(t *testing.T, k *issuerkit.Kit, alive bool, tokens ...string) {
	t.Helper()
	for i, raw := range tokens {
		a := post(t, k, drfVerify, raw)
		if alive && a.Status != http.StatusCreated || !alive && (a.Status != http.StatusBadRequest || a.Body != nonField("Token is blacklisted.")) {
			t.Errorf("token %d, want alive %t: %d %s", i, alive, a.Status, a.Body)
		}
		// A page, with a body that it refuses only once the caller is known.
		page := k.Post(t, drfLogout, map[string]any{"token": ""}, raw)
		if alive && page.Status != http.StatusBadRequest || !alive && (page.Status != http.StatusForbidden || page.Body != `{"detail":"Token is blacklisted."}`) {
			t.Errorf("token %d on a page, want alive %t: %d %s", i, alive, page.Status, page.Body)
		}
	}
}

// drfForge signs the claims of a token of alice's (id 1), changed; nil takes one out.
func drfForge(t *testing.T, k *issuerkit.Kit, change map[string]any) string {
	t.Helper()
	u, err := k.Users.ByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	birth, err := k.Revocations.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.Sessions.StartSolo(t.Context(), session.Start{Birth: birth, Subject: u.ID}, session.Solo{UUID: true, Renews: true})
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{
		"iss": issuerkit.Issuer, "sub": u.ID, "user_id": u.ID, "username": "alice", "token_type": "access", "jti": p.Access.JTI, "sid": p.SID,
		"iat": p.Access.IssuedAt.Unix(), "exp": p.Access.ExpiresAt.Unix(), "orig_iat": p.Access.IssuedAt.Unix(),
	}
	for name, v := range change {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	return k.MustForge(t, claims)
}

// disable keeps a user from logging in, and leaves his sessions as they are.
func disable(t *testing.T, k *issuerkit.Kit, name string) {
	t.Helper()
	no := false
	if _, err := k.Users.Update(t.Context(), name, users.Patch{IsActive: &no}); err != nil {
		t.Fatal(err)
	}
}

const drfLife = issuerkit.AccessTTL + issuerkit.Leeway + time.Second
