package remote_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/remote"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// mint signs a token of the issuer. With no kid the header has none.
func mint(tb testing.TB, secret any, alg, kid, iss string, now time.Time) string {
	tb.Helper()
	header := fmt.Sprintf(`{"alg":%q,"typ":"JWT","kid":%q}`, alg, kid)
	if kid == "" {
		header = fmt.Sprintf(`{"alg":%q}`, alg)
	}
	claims := fmt.Sprintf(`{"iss":%q,"sub":"alice","jti":"j","iat":%d,"exp":%d}`, iss, now.Unix(), now.Unix()+60)
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	digest := sha256.Sum256([]byte(input))
	var signature []byte
	switch k := secret.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		must(tb, err)
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case crypto.Signer:
		var err error
		signature, err = k.Sign(rand.Reader, digest[:], crypto.SHA256)
		must(tb, err)
	case []byte:
		m := hmac.New(sha256.New, k)
		m.Write([]byte(input))
		signature = m.Sum(nil)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestTokens follows tokens through the verifier: over a rotation at the issuer,
// and by a PEM and a secret of issuers that name no keys.
func TestTokens(t *testing.T) {
	const issuerB, issuerC = "https://b.example", "legacy"
	c, dir := newClock(), t.TempDir()
	one, two, secret := mustEC(t), mustEC(t), []byte("0123456789abcdef0123456789abcdef")
	set := func(kid string, k *ecdsa.PrivateKey) http.HandlerFunc {
		key, err := keys.NewKeyWithID(kid, k.Public(), keys.ES256)
		must(t, err)
		return says(documentOf(t, key))
	}
	der, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	must(t, err)
	mustWrite(t, filepath.Join(dir, "b.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	mustWrite(t, filepath.Join(dir, "c"), string(secret)+"\n")
	h := mustHost(t, status(http.StatusBadGateway))
	specs, _, err := remote.ReadFile([]byte(`issuers:
- {issuer: https://a.example, jwks_url: "` + h.URL + `"}
- {issuer: https://b.example, key_file: b.pem, legacy: {no_kid: true}}
- {issuer: legacy, hs256_secret_file: c, legacy: {no_kid: true}}
`))
	must(t, err)
	i := mustOpen(t, remote.Config{Dir: dir, Now: c.Now}, specs...)
	verifier, err := token.New(token.Config{Issuers: i.Issuers(), Now: c.Now})
	must(t, err)
	revoked := revocation.NewMemory(revocation.Settings{AccessLife: time.Hour, SessionLife: time.Hour}, c.Now)
	check := func(what, raw string, want token.Reason) {
		t.Helper()
		_, err := verifier.Authenticate(t.Context(), raw, &token.Policy{}, revoked)
		var got token.Reason
		if refusal, ok := errors.AsType[*token.Refusal](err); ok {
			got = refusal.Reason
		}
		if got != want {
			t.Errorf("%s: refused as %q, want %q (%v)", what, got, want, err)
		}
	}
	first := mint(t, one, "ES256", "k1", issuerA, c.Now())
	check("no keys yet", first, token.ReasonUnavailable)
	h.now(set("k1", one))
	c.Advance(remoteMinRefetch)
	check("the keys are there", first, "")
	rotated := mint(t, two, "ES256", "k2", issuerA, c.Now())
	check("rotated within MinRefetch", rotated, token.ReasonUnknownKey)
	h.now(set("k2", two))
	c.Advance(remoteMinRefetch)
	check("rotated", rotated, "")
	check("the withdrawn key", first, token.ReasonUnknownKey)
	check("by the key of another issuer", mint(t, two, "ES256", "k2", issuerB, c.Now()), token.ReasonUnknownKey)
	check("by the key of another issuer without kid", mint(t, two, "ES256", "", issuerB, c.Now()), token.ReasonAlgorithm)
	check("PEM", mint(t, rsaKey(), "RS256", "", issuerB, c.Now()), "")
	check("secret", mint(t, secret, "HS256", "", issuerC, c.Now()), "")
	check("the public key taken for a secret", mint(t, der, "HS256", "", issuerB, c.Now()), token.ReasonAlgorithm)
	h.now(status(http.StatusBadGateway))
	c.Advance(24*time.Hour + 1)
	check("too old", mint(t, two, "ES256", "k2", issuerA, c.Now()), token.ReasonUnavailable)
}
