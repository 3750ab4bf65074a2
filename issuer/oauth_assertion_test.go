package issuer_test

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
)

const assertionURN = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func sendAssertion(t *testing.T, k *issuerkit.Kit, assertion string, more ...string) issuerkit.Answer {
	t.Helper()
	k.Logs.Secret(assertion)
	return sendForm(t, k, tokenPath, nil, append([]string{"grant_type", "client_credentials", "client_assertion_type", assertionURN, "client_assertion", assertion}, more...)...)
}

// TestPrivateKeyJWT is RFC 7523 section 3, clause by clause.
func TestPrivateKeyJWT(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Limiter = nil }})
	own, next, stranger := mustKeyPair(t, "k"), mustKeyPair(t, "next"), mustKeyPair(t, "k")
	bare := mustKeyPair(t, "")
	add := func(c store.Client) string {
		added, _, err := k.Clients.Add(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return added.ID
	}
	id := add(store.Client{ID: "svc", JWKS: jwksOf(t, own, next), Grants: store.Grants()})
	single := add(store.Client{JWKS: jwksOf(t, own), Grants: store.Grants()})
	other := add(store.Client{ID: "other", JWKS: jwksOf(t, stranger), Grants: store.Grants()})
	secretive := mustClient(t, k, store.Client{ID: "secretive"})
	bare.private = own.private
	now := k.Now()
	claims := func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}
	hs := func() string { // the public key as a secret
		parts := strings.Split(own.assertion(t, k, id, nil), ".")
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"k"}`)) + "." + parts[1] + "." + parts[2]
	}
	for name, row := range map[string]struct {
		assertion string
		more      []string
		good      bool
	}{
		"token endpoint":            {own.assertion(t, k, id, nil), nil, true},
		"issuer":                    {own.assertion(t, k, id, claims("aud", issuerkit.Issuer)), nil, true},
		"a list with it":            {own.assertion(t, k, id, claims("aud", []string{"x", issuerkit.Issuer})), nil, true},
		"second key":                {next.assertion(t, k, id, nil), nil, true},
		"client_id beside":          {own.assertion(t, k, id, nil), []string{"client_id", id}, true},
		"no iat":                    {own.assertion(t, k, id, claims("iat", nil)), nil, true},
		"one key, no kid":           {bare.assertion(t, k, single, nil), nil, true},
		"two keys, no kid":          {bare.assertion(t, k, id, nil), nil, false},
		"no iss":                    {own.assertion(t, k, id, claims("iss", nil)), nil, false},
		"iss is another":            {own.assertion(t, k, id, claims("iss", other)), nil, false},
		"iss is ours":               {own.assertion(t, k, id, claims("iss", issuerkit.Issuer)), nil, false},
		"sub is another":            {own.assertion(t, k, id, claims("sub", other)), nil, false},
		"no sub":                    {own.assertion(t, k, id, claims("sub", nil)), nil, false},
		"no aud":                    {own.assertion(t, k, id, claims("aud", nil)), nil, false},
		"aud is another":            {own.assertion(t, k, id, claims("aud", "https://id.example/other")), nil, false},
		"no exp":                    {own.assertion(t, k, id, claims("exp", nil)), nil, false},
		"expired":                   {own.assertion(t, k, id, claims("exp", now.Add(-time.Minute).Unix(), "iat", now.Add(-2*time.Minute).Unix())), nil, false},
		"for an hour":               {own.assertion(t, k, id, claims("exp", now.Add(time.Hour).Unix())), nil, false},
		"for an hour, no iat":       {own.assertion(t, k, id, claims("exp", now.Add(time.Hour).Unix(), "iat", nil)), nil, false},
		"not yet":                   {own.assertion(t, k, id, claims("nbf", now.Add(time.Minute).Unix())), nil, false},
		"no jti":                    {own.assertion(t, k, id, claims("jti", nil)), nil, false},
		"another client's key":      {stranger.assertion(t, k, id, nil), nil, false},
		"another's name by own key": {own.assertion(t, k, other, nil), nil, false},
		"a client with a secret":    {own.assertion(t, k, secretive.id, nil), nil, false},
		"symmetric":                 {hs(), nil, false},
		"our own access token":      {secretive.mustToken(t, k), nil, false},
		"garbage":                   {"x", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := sendAssertion(t, k, row.assertion, row.more...)
			if row.good {
				wantToken(t, a)
				return
			}
			wantError(t, a, 401, "invalid_client")
		})
	}
	wantError(t, sendAssertion(t, k, own.assertion(t, k, id, nil), "client_id", other), 400, "invalid_request")
	wantError(t, sendAssertion(t, k, own.assertion(t, k, id, nil), "client_secret", "x", "client_id", id), 400, "invalid_request")
	wantError(t, sendForm(t, k, tokenPath, nil, "grant_type", "client_credentials", "client_assertion", own.assertion(t, k, id, nil)), 400, "invalid_request")
	wantError(t, sendForm(t, k, tokenPath, nil, "grant_type", "client_credentials", "client_assertion_type", assertionURN), 400, "invalid_request")
}

// TestAssertionComesOnce: of many at the same time one is taken, and none later. One
// that was refused for another reason has used nothing up.
func TestAssertionComesOnce(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Connections: 8, Issuer: func(c *issuer.Config) { c.Limiter = nil }})
	own := mustKeyPair(t, "k")
	if _, _, err := k.Clients.Add(t.Context(), store.Client{ID: "svc", JWKS: jwksOf(t, own), Grants: store.Grants()}); err != nil {
		t.Fatal(err)
	}
	jti := rand.Text()
	wantError(t, sendAssertion(t, k, own.assertion(t, k, "svc", map[string]any{"jti": jti, "aud": "x"})), 401, "invalid_client")
	assertion := own.assertion(t, k, "svc", map[string]any{"jti": jti})
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if sendAssertion(t, k, assertion).Status == 200 {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d times", taken.Load())
	}
	// For as long as it could be accepted by the leeway.
	k.Advance(time.Minute + issuerkit.Leeway - time.Second)
	wantError(t, sendAssertion(t, k, assertion), 401, "invalid_client")
}
