package keyfile_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/keys"
	"tollgate/keys/keyfile"
	"tollgate/keys/ring"
)

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustPrivate(t *testing.T, data []byte, passphrase string, alg keys.Algorithm) keyfile.Private {
	t.Helper()
	p, err := keyfile.ReadPrivate(data, []byte(passphrase), alg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOpenSSLsFiles reads one and the same key in every form in which OpenSSL 3
// writes it; the files in testdata are OpenSSL's.
func TestOpenSSLsFiles(t *testing.T) {
	want := mustPrivate(t, mustRead(t, "pkcs8.pem"), "", "")
	for _, c := range []struct {
		file, passphrase string
		want             error
		text             string
	}{
		{"sec1.pem", "", nil, ""},
		{"sec1-with-params.pem", "", nil, ""},
		{"pbes2-aes256.pem", "secret", nil, ""},
		{"pbes2-aes128-sha1.pem", "secret", nil, ""},
		{"pbes2-aes192-sha512.pem", "secret", nil, ""},
		{"pbes2-sha384.pem", "secret", nil, ""},
		{"pbes2-3des.pem", "secret", nil, ""},
		{"pbes2-scrypt.pem", "secret", nil, ""},
		{"pbes2-aes256.pem", "wrong", keyfile.ErrPassphrase, ""},
		{"pbes2-aes256.pem", "", keyfile.ErrPassphrase, ""},
		{"pbes2-scrypt.pem", "wrong", keyfile.ErrPassphrase, ""},
		{"pbes1.pem", "secret", nil, "not with PBES2"},
		{"camellia.pem", "secret", nil, "neither AES nor 3DES"},
		{"traditional.pem", "secret", nil, "openssl pkcs8 -topk8"},
		{"public.pem", "", keyfile.ErrNoKey, ""},
	} {
		t.Run(c.file+" "+c.passphrase, func(t *testing.T) {
			p, err := keyfile.ReadPrivate(mustRead(t, c.file), []byte(c.passphrase), "")
			switch {
			case c.want != nil && !errors.Is(err, c.want), c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)):
				t.Errorf("%v, want %v %s", err, c.want, c.text)
			case c.want == nil && c.text == "" && err != nil:
				t.Error(err)
			case err == nil && (p.Algorithm != keys.ES256 || !p.Signer.(*ecdsa.PrivateKey).Equal(want.Signer)):
				t.Error("another key")
			}
		})
	}
}

// TestEveryTypeThereAndBack writes a key of each type as PKCS #8 and as JWK, and
// reads the same one.
func TestEveryTypeThereAndBack(t *testing.T) {
	for _, alg := range keys.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			priv, err := ring.Generate(alg)
			if err != nil {
				t.Fatal(err)
			}
			text, err := keyfile.PrivatePEM(priv)
			if err != nil {
				t.Fatal(err)
			}
			for name, data := range map[string][]byte{"PEM": text, "JWK": jwkOf(t, priv, nil), "JWKS": []byte(`{"keys":[` + string(jwkOf(t, priv, nil)) + `]}`)} {
				p := mustPrivate(t, data, "", alg)
				if p.Algorithm != alg || !p.Signer.(interface{ Equal(crypto.PrivateKey) bool }).Equal(priv) {
					t.Errorf("%s: another key", name)
				}
			}
			pub, err := keyfile.PublicPEM(priv.Public())
			if err != nil || bytes.Contains(pub, []byte("PRIVATE")) {
				t.Errorf("%s %v", pub, err)
			}
			block, _ := pem.Decode(pub)
			back, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil || !priv.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(back) {
				t.Errorf("the public half is another one: %v", err)
			}
		})
	}
	t.Run("PKCS #1", func(t *testing.T) {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		data := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
		if p := mustPrivate(t, data, "", ""); p.Algorithm != keys.RS256 || !k.Equal(p.Signer) {
			t.Errorf("%s key", p.Algorithm)
		}
		if p := mustPrivate(t, data, "", keys.PS384); p.Algorithm != keys.PS384 {
			t.Errorf("%s key", p.Algorithm)
		}
	})
}

// jwkOf writes a private JWK by hand: RFC 7518 section 6 and RFC 8037 section 2.
func jwkOf(t *testing.T, priv crypto.Signer, more map[string]string) []byte {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	m := map[string]string{}
	switch k := priv.(type) {
	case *ecdsa.PrivateKey:
		point, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		d, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		n := (len(point) - 1) / 2
		m = map[string]string{"kty": "EC", "crv": k.Params().Name, "x": b64(point[1 : 1+n]), "y": b64(point[1+n:]), "d": b64(d)}
	case *rsa.PrivateKey:
		m = map[string]string{
			"kty": "RSA", "n": b64(k.N.Bytes()), "e": "AQAB", "d": b64(k.D.Bytes()), "p": b64(k.Primes[0].Bytes()), "q": b64(k.Primes[1].Bytes()),
			"dp": b64(k.Precomputed.Dp.Bytes()), "dq": b64(k.Precomputed.Dq.Bytes()), "qi": b64(k.Precomputed.Qinv.Bytes()),
		}
	case ed25519.PrivateKey:
		m = map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64(k.Public().(ed25519.PublicKey)), "d": b64(k.Seed())}
	}
	for name, value := range more {
		m[name] = value
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRefused(t *testing.T) {
	ec, other := mustPrivate(t, mustRead(t, "pkcs8.pem"), "", "").Signer.(*ecdsa.PrivateKey), mustGenerate(t, keys.ES256).(*ecdsa.PrivateKey)
	strange, err := other.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	weak, err := x509.MarshalPKCS8PrivateKey(mustGenerate(t, keys.ES384))
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for name, c := range map[string]struct {
		data []byte
		alg  keys.Algorithm
		want string
	}{
		"nothing":              {nil, "", "no such key"},
		"no key":               {[]byte("hello"), "", "no such key"},
		"too long":             {bytes.Repeat([]byte("x"), keyfile.MaxBytes+1), "", "longer than"},
		"two keys":             {append(mustRead(t, "pkcs8.pem"), mustRead(t, "sec1.pem")...), "", "more than one"},
		"broken PKCS #8":       {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1, 2, 3}}), "", "cannot be read"},
		"broken encrypted":     {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1, 2, 3}}), "", "not PKCS #8"},
		"a curve of another":   {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: weak}), keys.ES256, "does not fit"},
		"RS256 with an EC key": {mustRead(t, "pkcs8.pem"), keys.RS256, "does not fit"},
		"public JWK":           {[]byte(`{"kty":"EC","crv":"P-256"}`), "", "not a private one"},
		"symmetric JWK":        {[]byte(`{"kty":"oct","k":"AAAA"}`), "", "not a private one"},
		"JWK of another":       {jwkOf(t, ec, map[string]string{"d": base64.RawURLEncoding.EncodeToString(strange)}), "", "another key's"},
		"Ed25519 of another":   {jwkOf(t, ed, map[string]string{"x": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}), "", ""},
		"JWK for encryption":   {jwkOf(t, ec, map[string]string{"use": "enc"}), "", "not for signatures"},
		"JWK of no algorithm":  {jwkOf(t, ec, map[string]string{"alg": "none"}), "", "unknown algorithm"},
		"two JWKs":             {[]byte(`{"keys":[{},{}]}`), "", "2 keys"},
		"no JSON":              {[]byte(`{"keys`), "", "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := keyfile.ReadPrivate(c.data, []byte("secret"), c.alg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v %v, want %q", p.Algorithm, err, c.want)
			}
			if d := base64.RawURLEncoding.EncodeToString(strange); strings.Contains(err.Error(), d) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func mustGenerate(t *testing.T, alg keys.Algorithm) crypto.Signer {
	t.Helper()
	k, err := ring.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestJWKSaysWhatItIs(t *testing.T) {
	p := mustPrivate(t, jwkOf(t, mustGenerate(t, keys.RS256), map[string]string{"kid": "2026-01", "alg": "PS256", "use": "sig"}), "", "")
	if p.ID != "2026-01" || p.Algorithm != keys.PS256 {
		t.Errorf("%q %s", p.ID, p.Algorithm)
	}
}

func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	if err := keyfile.WriteNew(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []string{path, link} {
		if err := keyfile.WriteNew(taken, []byte("two")); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if data, _ := os.ReadFile(path); string(data) != "one" {
		t.Errorf("the file was written over: %q", data)
	}
}

// FuzzReadPrivate: whatever the file, no panic, and a key that is read is whole.
func FuzzReadPrivate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pem")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if !strings.Contains(name, "scrypt") && !strings.Contains(name, "192") { // a derivation each time is all the time there is
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := keyfile.ReadPrivate(data, []byte("x"), "")
		if err != nil {
			return
		}
		if _, err := keys.NewKey(p.Signer.Public(), p.Algorithm); err != nil {
			t.Errorf("a key that is none: %v", err)
		}
	})
}
