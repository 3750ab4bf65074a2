package token_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // crypto.Hash.New
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// signer is the private side that the verifier never sees. It signs with the
// standard library alone, so that a fault of the path under test cannot hide in
// the tokens it is tested with.
type signer struct {
	kid    string
	alg    keys.Algorithm
	secret any // crypto.Signer, or []byte for HS256
	public *keys.Key
}

var sharedRSA = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// mustSigner makes a key of the algorithm. RSA keys are one and the same: the
// tests that need two have other algorithms.
func mustSigner(tb testing.TB, kid string, alg keys.Algorithm) *signer {
	tb.Helper()
	curves := map[keys.Algorithm]elliptic.Curve{keys.ES256: elliptic.P256(), keys.ES384: elliptic.P384(), keys.ES512: elliptic.P521()}
	var secret any
	var err error
	switch alg {
	case keys.ES256, keys.ES384, keys.ES512:
		secret, err = ecdsa.GenerateKey(curves[alg], rand.Reader)
	case keys.EdDSA:
		_, secret, err = ed25519.GenerateKey(rand.Reader)
	case keys.HS256:
		b := make([]byte, 32)
		_, err = rand.Read(b)
		secret = b
	default:
		secret = sharedRSA()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return mustSignerOf(tb, kid, alg, secret)
}

func mustSignerOf(tb testing.TB, kid string, alg keys.Algorithm, secret any) *signer {
	tb.Helper()
	public := secret
	if s, ok := secret.(crypto.Signer); ok {
		public = s.Public()
	}
	k, err := keys.NewKeyWithID(kid, public, alg)
	if err != nil {
		tb.Fatalf("key %s: %v", kid, err)
	}
	return &signer{kid: kid, alg: alg, secret: secret, public: k}
}

// sign returns the JWS signature of RFC 7518 section 3, or of RFC 8037.
func (s *signer) sign(input string) []byte {
	if secret, ok := s.secret.([]byte); ok {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	if k, ok := s.secret.(ed25519.PrivateKey); ok {
		return ed25519.Sign(k, []byte(input))
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[string(s.alg[2:])]
	h := hash.New()
	h.Write([]byte(input))
	var out []byte
	var err error
	switch k := s.secret.(type) {
	case *ecdsa.PrivateKey:
		var r, t *big.Int
		if r, t, err = ecdsa.Sign(rand.Reader, k, h.Sum(nil)); err == nil {
			size := (k.Params().BitSize + 7) / 8
			out = append(r.FillBytes(make([]byte, size)), t.FillBytes(make([]byte, size))...)
		}
	case *rsa.PrivateKey:
		if s.alg[0] == 'P' {
			out, err = rsa.SignPSS(rand.Reader, k, hash, h.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			out, err = rsa.SignPKCS1v15(nil, k, hash, h.Sum(nil))
		}
	}
	if err != nil {
		panic(err)
	}
	return out
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// mint signs two JSON texts as they are, whatever they are.
func (s *signer) mint(header, claims string) string {
	input := b64(header) + "." + b64(claims)
	return input + "." + b64(string(s.sign(input)))
}

// doc is a JSON object as the list of its members, so that tests can write what
// no encoder would: members twice, broken values, any order.
type doc [][2]string

// with replaces the member's value (JSON text), or appends the member.
func (d doc) with(name, value string) doc {
	out := append(doc(nil), d...)
	for i := range out {
		if out[i][0] == name {
			out[i][1] = value
			return out
		}
	}
	return append(out, [2]string{name, value})
}

// plus appends members as text (`"sub":"x"`), there or not.
func (d doc) plus(text string) doc { return append(append(doc(nil), d...), [2]string{"", text}) }

func (d doc) without(names ...string) doc {
	var out doc
	for _, m := range d {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+m[0]+" ") {
			out = append(out, m)
		}
	}
	return out
}

func (d doc) String() string {
	members := make([]string, len(d))
	for i, m := range d {
		if members[i] = m[1]; m[0] != "" {
			members[i] = `"` + m[0] + `":` + m[1]
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// checker answers every question with the same verdict and keeps the question.
type checker struct {
	verdict revocation.Verdict
	asked   *revocation.Token
}

func (c *checker) Check(_ context.Context, t *revocation.Token) revocation.Verdict {
	c.asked = t
	return c.verdict
}

var allClear = &staticChecker{revocation.Verdict{State: revocation.Clear}}

type staticChecker struct{ verdict revocation.Verdict }

func (c *staticChecker) Check(context.Context, *revocation.Token) revocation.Verdict {
	return c.verdict
}

func mustKeys(tb testing.TB, signers ...*signer) token.KeySource {
	tb.Helper()
	list := make([]*keys.Key, len(signers))
	for i, s := range signers {
		list[i] = s.public
	}
	set, err := keys.NewSet(list...)
	if err != nil {
		tb.Fatal(err)
	}
	return token.NewStaticKeys(set)
}

// kitTime is the only now of these tests.
var kitTime = time.Unix(1_800_000_000, 0)

func mustVerifier(tb testing.TB, issuers ...token.Issuer) *token.Verifier {
	tb.Helper()
	v, err := token.New(token.Config{Issuers: issuers, Leeway: 10 * time.Second, Now: func() time.Time { return kitTime }})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}
