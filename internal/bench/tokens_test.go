//go:build bench

package bench

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const issuer = "https://issuer.test"

// minter signs tokens of one algorithm, and keeps them in files.
type minter struct {
	alg, kid string
	key      crypto.Signer
}

func mustMinters(t *testing.T) map[string]*minter {
	t.Helper()
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	es, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*minter{"RS256": {"RS256", "rs256-1", rs}, "ES256": {"ES256", "es256-1", es}}
}

// jwk is the public half as a JWK.
func (m *minter) jwk(t *testing.T) map[string]string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	out := map[string]string{"alg": m.alg, "use": "sig", "kid": m.kid}
	switch k := m.key.Public().(type) {
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		out["kty"], out["crv"], out["x"], out["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	}
	return out
}

// pem is the public half for HAProxy.
func (m *minter) pem(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(m.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// mustMint writes so many tokens, one a line, and returns the file.
func (m *minter) mustMint(t *testing.T, dir, name string, count int) string {
	t.Helper()
	path := filepath.Join(dir, name+"-"+m.alg)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	now, b64 := time.Now().Unix(), base64.RawURLEncoding.EncodeToString
	head := b64(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"JWT"}`, m.alg, m.kid))
	for i := range count {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		claims, err := json.Marshal(map[string]any{
			"iss": issuer, "sub": fmt.Sprint(i), "user_id": fmt.Sprint(i), "aud": "api", "iat": now, "nbf": now, "exp": now + 86400,
			"jti": fmt.Sprintf("%x", id), "token_type": "access", "scope": "read write",
		})
		if err != nil {
			t.Fatal(err)
		}
		signed := head + "." + b64(claims)
		fmt.Fprintf(out, "%s.%s\n", signed, b64(m.mustSign(t, signed)))
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

func (m *minter) mustSign(t *testing.T, signed string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(signed))
	switch k := m.key.(type) {
	case *rsa.PrivateKey:
		s, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	t.Fatalf("a key of type %T", m.key)
	return nil
}
