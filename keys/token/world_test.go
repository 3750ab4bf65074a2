package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// Whatever a hostile token says, it says with this word in it; no refusal may
// repeat it.
const canary = "canary"

const (
	ownIssuer   = "https://own.canary.example"
	otherIssuer = "https://other.canary.example"
)

// world is two trusted issuers, one of them our own, and their private keys.
type world struct {
	verifier *token.Verifier
	signers  []*signer
	es, es2  *signer // our own
	rs, ed   *signer
	foreign  *signer // the other issuer's, under the kid of es
	stranger *signer // nobody's, under the kid of es
	secret   *signer // the other issuer's legacy HS256 secret
}

func mustWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{
		es: mustSigner(tb, "kid-es", keys.ES256), es2: mustSigner(tb, "kid-es-2", keys.ES256),
		rs: mustSigner(tb, "kid-rs", keys.RS256), ed: mustSigner(tb, "kid-ed", keys.EdDSA),
		foreign: mustSigner(tb, "kid-es", keys.ES256), stranger: mustSigner(tb, "kid-es", keys.ES256),
		secret: mustSigner(tb, "kid-hs", keys.HS256),
	}
	w.signers = []*signer{w.es, w.es2, w.rs, w.ed, w.foreign, w.secret}
	w.verifier = mustVerifier(tb,
		token.Issuer{
			Name: ownIssuer, Own: true, Keys: mustKeys(tb, w.es, w.es2, w.rs, w.ed), Audiences: []string{"shop"},
			MaxLifetime: map[string]time.Duration{"access": time.Hour, "refresh": 24 * time.Hour},
		},
		token.Issuer{Name: otherIssuer, Keys: mustKeys(tb, w.foreign, w.secret), MaxLifetime: map[string]time.Duration{"": time.Hour}},
	)
	return w
}

// head is the header of a good token by s.
func head(s *signer) doc {
	return doc{{"alg", `"` + string(s.alg) + `"`}, {"kid", `"` + s.kid + `"`}, {"typ", `"JWT"`}}
}

// claims are those of a good access token of our own, five minutes old and five
// minutes from its end.
func claims() doc {
	now := kitTime.Unix()
	return doc{
		{"iss", `"` + ownIssuer + `"`}, {"sub", `"canary-sub"`}, {"jti", `"canary-jti"`}, {"token_type", `"access"`},
		{"iat", fmt.Sprint(now - 300)}, {"exp", fmt.Sprint(now + 300)}, {"aud", `"shop"`},
		{"sid", `"` + canarySession + `"`}, {"scope", `"canary:read canary:write"`},
	}
}

var canarySession = revocation.NewSessionID(1_799_999_000_000_000)

// others are the claims of a good token of the other issuer.
func others() doc {
	return claims().with("iss", `"`+otherIssuer+`"`).without("token_type", "aud", "sid")
}

func (w *world) good() string { return w.es.mint(head(w.es).String(), claims().String()) }

// refused is what must hold of every refusal of raw.
func (w *world) refused(tb testing.TB, raw string, id *token.Identity, err error, want token.Reason) {
	tb.Helper()
	if err == nil || id != nil {
		tb.Fatalf("identity %v, error %v, want a refusal (%s)", id, err, want)
	}
	r, ok := errors.AsType[*token.Refusal](err)
	if !ok {
		tb.Fatalf("the error is a %T", err)
	}
	if r.Reason != want {
		tb.Errorf("refused with %v, want %s", r, want)
	}
	if !slices.Contains(token.Reasons(), r.Reason) || r.Fault == "" {
		tb.Errorf("a refusal outside the closed set: %#v", r)
	}
	said := r.Error() + "\n" + string(r.Fault)
	if strings.Contains(said, canary) || strings.Contains(said, "kid-") {
		tb.Errorf("the refusal repeats the token's words: %s", said)
	}
	for part := range strings.SplitSeq(raw, ".") {
		if len(part) > 8 && strings.Contains(said, part) {
			tb.Errorf("the refusal repeats the token: %s", said)
		}
	}
	if r.Token != nil && !w.signed(raw) {
		tb.Errorf("%v carries an identity, and nobody signed it", r)
	}
}

// signed says by the standard library alone whether some key of the world signed
// raw: the oracle for Refusal.Token.
func (w *world) signed(raw string) bool {
	at := strings.LastIndexByte(raw, '.')
	if at < 0 {
		return false
	}
	sig, err := base64.RawURLEncoding.DecodeString(raw[at+1:])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(raw[:at]))
	return slices.ContainsFunc(w.signers, func(s *signer) bool {
		switch k := s.secret.(type) {
		case *ecdsa.PrivateKey:
			return len(sig) == 64 && ecdsa.Verify(&k.PublicKey, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
		case ed25519.PrivateKey:
			return ed25519.Verify(k.Public().(ed25519.PublicKey), []byte(raw[:at]), sig)
		}
		return hmac.Equal(s.sign(raw[:at]), sig) // deterministic: HS256, RS256
	})
}

// hostile is one row of the tables of tokens that must be refused.
type hostile struct {
	name string
	raw  string
	want token.Reason
}

func (w *world) run(t *testing.T, rows []hostile) {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row.name] {
			t.Errorf("two rows are called %q", row.name)
		}
		seen[row.name] = true
		t.Run(row.name, func(t *testing.T) {
			id, err := w.verifier.Authenticate(t.Context(), row.raw, &token.Policy{}, allClear)
			w.refused(t, row.raw, id, err, row.want)
		})
	}
}

// mustAccept returns the identity of a token that has to pass.
func (w *world) mustAccept(tb testing.TB, raw string, policy *token.Policy) *token.Identity {
	tb.Helper()
	id, err := w.verifier.Authenticate(tb.Context(), raw, policy, allClear)
	if err != nil {
		tb.Fatalf("refused: %v", err)
	}
	return id
}
