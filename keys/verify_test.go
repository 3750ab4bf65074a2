package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"tollgate/keys"
)

// The standard library says the same of every signature, damaged or not.
func TestSignaturesAsStandard(t *testing.T) {
	input := []byte("header.payload")
	digest := sha256.Sum256(input)
	compare := func(t *testing.T, k *keys.Key, signature []byte, standard func([]byte) bool) {
		t.Helper()
		check := func(s []byte) {
			t.Helper()
			if got, want := k.Verify(input, s) == nil, standard(s); got != want {
				t.Fatalf("%x: %t, the standard library %t", s, got, want)
			}
		}
		if !standard(signature) {
			t.Fatal("the standard library refuses its own")
		}
		check(signature)
		for i := range signature {
			s := append([]byte(nil), signature...)
			s[i] ^= byte(1 + i%255)
			check(s)
		}
		for _, s := range [][]byte{nil, signature[1:], signature[:len(signature)-1], append([]byte{0}, signature...), append(signature[:len(signature):len(signature)], 0), make([]byte, len(signature))} {
			check(s)
		}
	}
	for _, bits := range []int{2048, 2056, 3072} { // 2056: no whole number of words
		private, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		k, err := keys.NewKey(&private.PublicKey, keys.RS256)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		compare(t, k, signature, func(s []byte) bool { return rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], s) == nil })
		above := new(big.Int).Add(new(big.Int).SetBytes(signature), private.N) // the same number, not below the modulus
		if above.BitLen() <= bits && k.Verify(input, above.FillBytes(make([]byte, len(signature)))) == nil {
			t.Error("a second form of the same signature")
		}
	}
	for range 20 {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		k, err := keys.NewKey(&private.PublicKey, keys.ES256)
		if err != nil {
			t.Fatal(err)
		}
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		compare(t, k, append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), func(b []byte) bool {
			return len(b) == 64 && ecdsa.Verify(&private.PublicKey, digest[:], new(big.Int).SetBytes(b[:32]), new(big.Int).SetBytes(b[32:]))
		})
	}
}
