package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"

	"tollgate/keys"
)

func TestParseAlgorithmIsExact(t *testing.T) {
	for _, a := range append(keys.Algorithms(), keys.HS256) {
		got, err := keys.ParseAlgorithm(string(a))
		if err != nil || got != a {
			t.Errorf("%s: got %q, %v", a, got, err)
		}
		if a.Symmetric() != (a == keys.HS256) {
			t.Errorf("%s: Symmetric is %v", a, a.Symmetric())
		}
	}
	for _, s := range []string{"", "none", "None", "es256", "ES256 ", "HS384", "HS512", "ES256K", "Ed25519", "RSA-OAEP"} {
		if a, err := keys.ParseAlgorithm(s); err == nil {
			t.Errorf("%q became %q", s, a)
		}
	}
}

func TestKeyVerifiesItsOwnAlgorithmOnly(t *testing.T) {
	input := []byte("header.payload")
	for _, alg := range keys.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			priv := mustSigner(t, alg)
			k, err := keys.NewKey(priv.Public(), alg)
			if err != nil {
				t.Fatal(err)
			}
			sig := mustSign(t, priv, alg, input)
			if err := k.Verify(input, sig); err != nil {
				t.Errorf("own signature: %v", err)
			}
			for name, bad := range map[string][]byte{
				"empty": nil, "short": sig[1:], "long": append(bytes.Clone(sig), 0), "zero": make([]byte, len(sig)),
			} {
				if err := k.Verify(input, bad); !errors.Is(err, keys.ErrSignature) {
					t.Errorf("%s signature: %v", name, err)
				}
			}
			if err := k.Verify([]byte("header.payloae"), sig); !errors.Is(err, keys.ErrSignature) {
				t.Errorf("another input: %v", err)
			}
			for _, other := range keys.Algorithms() {
				o, err := keys.NewKey(priv.Public(), other)
				if err != nil {
					continue // another key type
				}
				if got := o.Verify(input, sig); (got == nil) != (other == alg) {
					t.Errorf("the same key bound to %s: %v", other, got)
				}
			}
		})
	}
}

func TestVerifyRefusesPSSWithAnotherSaltLength(t *testing.T) {
	input := []byte("header.payload")
	k, err := keys.NewKey(rsaKey().Public(), keys.PS256)
	if err != nil {
		t.Fatal(err)
	}
	sum := crypto.SHA256.New()
	sum.Write(input)
	for _, salt := range []int{0, 20, 31, 33, 48} {
		sig, err := rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, sum.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Verify(input, sig); !errors.Is(err, keys.ErrSignature) {
			t.Errorf("salt of %d bytes: %v", salt, err)
		}
	}
}

func TestHS256NeedsAnIDAndThirtyTwoBytes(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	if _, err := keys.NewKey(secret, keys.HS256); !errors.Is(err, keys.ErrKeyMismatch) {
		t.Errorf("a secret under its own thumbprint: %v", err)
	}
	if _, err := keys.NewKeyWithID("old", secret[1:], keys.HS256); !errors.Is(err, keys.ErrWeakKey) {
		t.Errorf("31 bytes: %v", err)
	}
	k, err := keys.NewKeyWithID("old", secret, keys.HS256)
	if err != nil {
		t.Fatal(err)
	}
	input := []byte("header.payload")
	sig := mustSign(t, secret, keys.HS256, input)
	if err := k.Verify(input, sig); err != nil {
		t.Errorf("own signature: %v", err)
	}
	secret[0] ^= 1
	if err := k.Verify(input, sig); err != nil {
		t.Errorf("after the caller changed its slice: %v", err)
	}
	if err := k.Verify(input, sig[:16]); !errors.Is(err, keys.ErrSignature) {
		t.Errorf("half a signature: %v", err)
	}
}

func TestNewKeyRefuses(t *testing.T) {
	odd := func(bits int) *big.Int { // odd, of exactly that many bits
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return n.SetBit(n, 0, 1)
	}
	even := new(big.Int).SetBit(odd(2048), 0, 0)
	p256, p384 := mustSigner(t, keys.ES256), mustSigner(t, keys.ES384)
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPub := rsaKey().Public()
	for name, c := range map[string]struct {
		pub  any
		alg  keys.Algorithm
		want error
	}{
		"RSA 2047 bits":          {&rsa.PublicKey{N: odd(2047), E: 65537}, keys.RS256, keys.ErrWeakKey},
		"RSA 8193 bits":          {&rsa.PublicKey{N: odd(8193), E: 65537}, keys.PS256, keys.ErrWeakKey},
		"RSA even modulus":       {&rsa.PublicKey{N: even, E: 65537}, keys.RS256, keys.ErrWeakKey},
		"RSA negative modulus":   {&rsa.PublicKey{N: new(big.Int).Neg(odd(2048)), E: 65537}, keys.RS256, keys.ErrWeakKey},
		"RSA exponent 1":         {&rsa.PublicKey{N: odd(2048), E: 1}, keys.RS256, keys.ErrWeakKey},
		"RSA exponent 0":         {&rsa.PublicKey{N: odd(2048), E: 0}, keys.RS256, keys.ErrWeakKey},
		"RSA even exponent":      {&rsa.PublicKey{N: odd(2048), E: 65536}, keys.RS256, keys.ErrWeakKey},
		"RSA negative exponent":  {&rsa.PublicKey{N: odd(2048), E: -3}, keys.RS256, keys.ErrWeakKey},
		"RSA without modulus":    {&rsa.PublicKey{E: 65537}, keys.RS256, keys.ErrKeyMismatch},
		"RSA nil":                {(*rsa.PublicKey)(nil), keys.RS256, keys.ErrKeyMismatch},
		"RSA private":            {rsaKey(), keys.RS256, keys.ErrKeyMismatch},
		"RSA for ES256":          {rsaPub, keys.ES256, keys.ErrKeyMismatch},
		"RSA as HMAC secret":     {rsaPub, keys.HS256, keys.ErrKeyMismatch},
		"P-384 for ES256":        {p384.Public(), keys.ES256, keys.ErrKeyMismatch},
		"P-256 for ES512":        {p256.Public(), keys.ES512, keys.ErrKeyMismatch},
		"P-224":                  {small.Public(), keys.ES256, keys.ErrKeyMismatch},
		"EC empty":               {&ecdsa.PublicKey{}, keys.ES256, keys.ErrKeyMismatch},
		"EC nil":                 {(*ecdsa.PublicKey)(nil), keys.ES256, keys.ErrKeyMismatch},
		"EC private":             {p256, keys.ES256, keys.ErrKeyMismatch},
		"Ed25519 short":          {ed25519.PublicKey(make([]byte, 31)), keys.EdDSA, keys.ErrWeakKey},
		"Ed25519 private":        {mustSigner(t, keys.EdDSA), keys.EdDSA, keys.ErrKeyMismatch},
		"bytes for EdDSA":        {make([]byte, 32), keys.EdDSA, keys.ErrKeyMismatch},
		"no key":                 {nil, keys.ES256, keys.ErrKeyMismatch},
		"algorithm none":         {p256.Public(), "none", keys.ErrKeyMismatch},
		"algorithm in lowercase": {p256.Public(), "es256", keys.ErrKeyMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			if k, err := keys.NewKeyWithID("x", c.pub, c.alg); !errors.Is(err, c.want) || k != nil {
				t.Errorf("got %v, %v; want %v", k, err, c.want)
			}
		})
	}
}

func TestNewKeyWithIDChecksTheID(t *testing.T) {
	pub := mustSigner(t, keys.ES256).Public()
	for _, id := range []string{"", strings.Repeat("a", 129), "a\nb", "a\x00", "a\u0085", "\xff"} {
		if _, err := keys.NewKeyWithID(id, pub, keys.ES256); err == nil {
			t.Errorf("id %q was accepted", id)
		}
	}
	for _, id := range []string{"1", strings.Repeat("ä", 128), "key 2/b+c="} {
		k, err := keys.NewKeyWithID(id, pub, keys.ES256)
		if err != nil || k.ID() != id {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestSameIgnoresTheID(t *testing.T) {
	pub := rsaKey().Public()
	a, _ := keys.NewKey(pub, keys.RS256)
	b, _ := keys.NewKeyWithID("b", pub, keys.RS256)
	c, _ := keys.NewKeyWithID("b", pub, keys.RS384)
	h, _ := keys.NewKeyWithID("h", make([]byte, 32), keys.HS256)
	h2, _ := keys.NewKeyWithID("h2", make([]byte, 32), keys.HS256)
	h3, _ := keys.NewKeyWithID("h", make([]byte, 33), keys.HS256)
	var none *keys.Key
	for _, x := range []struct {
		name string
		a, b *keys.Key
		want bool
	}{
		{"another id", a, b, true},
		{"another algorithm", b, c, false},
		{"another key", mustKey(t, keys.ES256), mustKey(t, keys.ES256), false},
		{"another type", a, mustKey(t, keys.EdDSA), false},
		{"equal secrets", h, h2, true},
		{"other secrets", h, h3, false},
		{"nil and a key", none, a, false},
		{"a key and nil", a, none, false},
		{"nil and nil", none, none, true},
	} {
		if got := x.a.Same(x.b); got != x.want {
			t.Errorf("%s: %v", x.name, got)
		}
	}
}

func TestKeyDoesNotChangeWithItsSource(t *testing.T) {
	pub := *rsaKey().Public().(*rsa.PublicKey)
	pub.N = new(big.Int).Set(pub.N)
	k, err := keys.NewKey(&pub, keys.RS256)
	if err != nil {
		t.Fatal(err)
	}
	input := []byte("header.payload")
	sig := mustSign(t, rsaKey(), keys.RS256, input)
	pub.N.SetInt64(3)
	pub.E = 3
	if err := k.Verify(input, sig); err != nil {
		t.Errorf("after the caller changed its key: %v", err)
	}
	var none *keys.Key
	if err := none.Verify(input, sig); !errors.Is(err, keys.ErrSignature) {
		t.Errorf("a nil key: %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	input := bytes.Repeat([]byte("x"), 400)
	for _, alg := range []keys.Algorithm{keys.ES256, keys.RS256, keys.PS256, keys.EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			priv := mustSigner(b, alg)
			k, err := keys.NewKey(priv.Public(), alg)
			if err != nil {
				b.Fatal(err)
			}
			sig := mustSign(b, priv, alg, input)
			b.ReportAllocs()
			for b.Loop() {
				if err := k.Verify(input, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
