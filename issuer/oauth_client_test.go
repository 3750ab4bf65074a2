package issuer_test

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
)

// TestClientAuthentication is RFC 6749 section 2.3.
func TestClientAuthentication(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Limiter = nil }})
	c := mustClient(t, k, store.Client{ID: "c.1"})
	other := mustClient(t, k, store.Client{})
	disabled := mustClient(t, k, store.Client{Disabled: true})
	keyed, _, err := k.Clients.Add(t.Context(), store.Client{JWKS: jwksOf(t, mustKeyPair(t, "k")), Grants: store.Grants()})
	if err != nil {
		t.Fatal(err)
	}
	basic := func(text string) http.Header {
		return http.Header{"Authorization": {"basic " + base64.StdEncoding.EncodeToString([]byte(text))}}
	}
	for name, row := range map[string]struct {
		header http.Header
		pairs  []string
		status int
		code   string
	}{
		"client_secret_basic":       {c.basic(), nil, 200, ""},
		"the scheme in lower case":  {basic(c.id + ":" + c.secret), nil, 200, ""},
		"escaped":                   {basic("c%2E1:" + c.secret), nil, 200, ""},
		"client_secret_post":        {nil, []string{"client_id", c.id, "client_secret", c.secret}, 200, ""},
		"Basic with its client_id":  {c.basic(), []string{"client_id", c.id}, 200, ""},
		"Basic with another":        {c.basic(), []string{"client_id", other.id}, 400, "invalid_request"},
		"two ways":                  {c.basic(), []string{"client_id", c.id, "client_secret", c.secret}, 400, "invalid_request"},
		"two ways, one an unknown":  {c.basic(), []string{"client_assertion", "x"}, 400, "invalid_request"},
		"id alone":                  {nil, []string{"client_id", c.id}, 401, "invalid_client"},
		"secret alone":              {nil, []string{"client_secret", c.secret}, 401, "invalid_client"},
		"wrong secret":              {basic(c.id + ":wrong"), nil, 401, "invalid_client"},
		"empty secret":              {basic(c.id + ":"), nil, 401, "invalid_client"},
		"secret of another":         {basic(c.id + ":" + other.secret), nil, 401, "invalid_client"},
		"unknown client":            {basic("nobody:" + c.secret), nil, 401, "invalid_client"},
		"disabled client":           {disabled.basic(), nil, 401, "invalid_client"},
		"no colon":                  {basic("x"), nil, 401, "invalid_client"},
		"bad escape":                {basic("%zz:x"), nil, 401, "invalid_client"},
		"not base64":                {http.Header{"Authorization": {"Basic ***"}}, nil, 401, "invalid_client"},
		"a secret where keys are":   {basic(keyed.ID + ":"), nil, 401, "invalid_client"},
		"hash in place of a secret": {basic(keyed.ID + ":e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), nil, 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			a := sendForm(t, k, tokenPath, row.header, append([]string{"grant_type", "client_credentials"}, row.pairs...)...)
			if row.status == 200 {
				wantToken(t, a)
				return
			}
			wantError(t, a, row.status, row.code)
		})
	}
	// Every failure reads the same.
	unknown := sendForm(t, k, tokenPath, basic("nobody:x"), "grant_type", "client_credentials")
	wrong := sendForm(t, k, tokenPath, basic(c.id+":x"), "grant_type", "client_credentials")
	if unknown.Body != wrong.Body {
		t.Errorf("%s and %s", unknown.Body, wrong.Body)
	}
}

// TestClientFailuresAreLimited: failures count, successes do not; then the secret
// itself is no way in, from that address.
func TestClientFailuresAreLimited(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c, other := mustClient(t, k, store.Client{}), mustClient(t, k, store.Client{})
	for range 25 {
		c.mustToken(t, k)
	}
	wrong := oauthClient{c.id, "wrong"}
	for range 10 {
		wantError(t, sendForm(t, k, tokenPath, wrong.basic(), "grant_type", "client_credentials"), 401, "invalid_client")
	}
	for _, who := range []oauthClient{wrong, c} {
		for _, path := range []string{tokenPath, introspectPath, revokePath} {
			wantError(t, sendForm(t, k, path, who.basic(), "grant_type", "client_credentials", "token", "x"), 429, "temporarily_unavailable")
		}
	}
	if line := k.Logs.Last(t, "issuer:oauth-token"); line["reason"] != "rate" {
		t.Errorf("logged %v", line)
	}
	other.mustToken(t, k)
	k.Advance(time.Minute)
	c.mustToken(t, k)
}

// TestRotatedSecret: both secrets hold for the overlap.
func TestRotatedSecret(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	_, secret, err := k.Clients.Rotate(t.Context(), c.id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	next := oauthClient{c.id, secret}
	c.mustToken(t, k)
	next.mustToken(t, k)
	k.Advance(time.Hour)
	wantError(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"), 401, "invalid_client")
	next.mustToken(t, k)
}
