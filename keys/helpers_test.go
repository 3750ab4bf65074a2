package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"tollgate/keys"
)

// mustVectors reads one file of the published test vectors, which stand beside
// the repository and are no part of it.
func mustVectors(t *testing.T, name string, into any) {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "vectors")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no test vectors at %s", dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// mustSigner returns a private key that fits the algorithm; RSA keys are shared.
func mustSigner(tb testing.TB, alg keys.Algorithm) crypto.Signer {
	tb.Helper()
	var k crypto.Signer
	var err error
	switch alg {
	case keys.ES256:
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case keys.ES384:
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case keys.ES512:
		k, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case keys.EdDSA:
		_, k, err = ed25519.GenerateKey(rand.Reader)
	default:
		k = rsaKey()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func mustKey(tb testing.TB, alg keys.Algorithm) *keys.Key {
	tb.Helper()
	k, err := keys.NewKey(mustSigner(tb, alg).Public(), alg)
	if err != nil {
		tb.Fatalf("%s: %v", alg, err)
	}
	return k
}

func mustSet(tb testing.TB, ks ...*keys.Key) *keys.Set {
	tb.Helper()
	s, err := keys.NewSet(ks...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func mustSign(tb testing.TB, priv any, alg keys.Algorithm, input []byte) []byte {
	tb.Helper()
	s, err := jws.NewSigner(jwa.SignatureAlgorithm(alg))
	if err != nil {
		tb.Fatal(err)
	}
	sig, err := s.Sign(input, priv)
	if err != nil {
		tb.Fatalf("sign with %s: %v", alg, err)
	}
	return sig
}
