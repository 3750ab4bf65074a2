package keys_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"tollgate/keys"
)

// TestVectorsOfRawSignatures runs Wycheproof's signature vectors through Verify.
// "acceptable" ones (a PKCS #1 DigestInfo without NULL) count as invalid.
func TestVectorsOfRawSignatures(t *testing.T) {
	for file, alg := range map[string]keys.Algorithm{
		"ecdsa_secp256r1_sha256_p1363_test.json": keys.ES256,
		"ecdsa_secp384r1_sha384_p1363_test.json": keys.ES384,
		"ecdsa_secp521r1_sha512_p1363_test.json": keys.ES512,
		"rsa_signature_2048_sha256_test.json":    keys.RS256,
		"rsa_signature_3072_sha256_test.json":    keys.RS256,
		"rsa_signature_2048_sha384_test.json":    keys.RS384,
		"rsa_signature_2048_sha512_test.json":    keys.RS512,
		"rsa_pss_2048_sha256_mgf1_32_test.json":  keys.PS256,
		"ed25519_test.json":                      keys.EdDSA,
	} {
		t.Run(strings.TrimSuffix(file, "_test.json"), func(t *testing.T) {
			var doc struct {
				TestGroups []struct {
					PublicKeyDer string
					Tests        []struct {
						TcID     int
						Comment  string
						Flags    []string
						Msg, Sig string
						Result   string
					}
				}
			}
			mustVectors(t, "wycheproof/"+file, &doc)
			ran := 0
			for _, g := range doc.TestGroups {
				k := mustDER(t, g.PublicKeyDer, alg)
				if k == nil {
					continue
				}
				for _, c := range g.Tests {
					ran++
					got := k.Verify(mustHex(t, c.Msg), mustHex(t, c.Sig))
					if valid := c.Result == "valid"; (got == nil) != valid {
						t.Errorf("tc%d (%s %v) is %s: %v", c.TcID, c.Comment, c.Flags, c.Result, got)
					}
				}
			}
			if ran < 100 {
				t.Errorf("only %d vectors ran", ran)
			}
		})
	}
}

// mustDER returns the key of a vector, or nil where Wycheproof uses an RSA
// exponent that crypto/rsa cannot hold.
func mustDER(t *testing.T, der string, alg keys.Algorithm) *keys.Key {
	t.Helper()
	pub, err := x509.ParsePKIXPublicKey(mustHex(t, der))
	if err != nil {
		t.Fatalf("public key: %v", err)
	}
	k, err := keys.NewKeyWithID("vector", pub, alg)
	if err != nil {
		if r, ok := pub.(*rsa.PublicKey); ok && r.E > 1<<31-1 {
			return nil
		}
		t.Fatalf("key: %v", err)
	}
	return k
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectorsOfJSONWebKeys runs Wycheproof's JWK vectors: the set that a server
// would publish goes through ParseJWKS, the token's kid picks the key.
func TestVectorsOfJSONWebKeys(t *testing.T) {
	var doc struct {
		TestGroups []struct {
			Comment string
			Public  json.RawMessage
			Private json.RawMessage
			Tests   []struct {
				TcID         int
				Comment, Jws string
				Result       string
			}
		}
	}
	mustVectors(t, "wycheproof/json_web_key_test.json", &doc)
	verified := 0
	for _, g := range doc.TestGroups {
		// A set with a private half or a secret is no set to verify with.
		if s, errs := keys.ParseJWKS(g.Private, nil); len(errs) == 0 || anySymmetric(s) {
			t.Errorf("%s: a private set gave %d keys and %v", g.Comment, s.Len(), errs)
		}
		if g.Public == nil { // symmetric groups have no public half
			continue
		}
		set, _ := keys.ParseJWKS(g.Public, nil)
		for _, c := range g.Tests {
			err := verifyCompact(set, c.Jws)
			if valid := c.Result == "valid"; (err == nil) != valid {
				t.Errorf("tc%d (%s, %s) is %s: %v", c.TcID, g.Comment, c.Comment, c.Result, err)
			}
			verified++
		}
	}
	if verified < 8 {
		t.Errorf("only %d vectors had a public set", verified)
	}
}

func anySymmetric(s *keys.Set) bool {
	for _, k := range s.Keys() {
		if k.Algorithm().Symmetric() {
			return true
		}
	}
	return false
}

// verifyCompact checks one compact JWS by kid, as far as keys alone can.
func verifyCompact(set *keys.Set, token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return keys.ErrSignature
	}
	var header struct{ Kid, Alg string }
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		return err
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	k, ok := set.Key(header.Kid)
	if !ok || string(k.Algorithm()) != header.Alg {
		return keys.ErrKeyMismatch
	}
	return k.Verify([]byte(parts[0]+"."+parts[1]), sig)
}

func TestVectorsOfStandards(t *testing.T) {
	var doc struct {
		Vectors []struct {
			Name, JWS string
			JWK       json.RawMessage
			Valid     bool `json:"signature_valid"`
		}
		Thumbprints []struct {
			Name, SHA256 string
			JWK          json.RawMessage
		}
	}
	mustVectors(t, "rfc/rfc_appendix_vectors.json", &doc)
	for _, v := range doc.Thumbprints {
		set, errs := keys.ParseJWKS([]byte(`{"keys":[`+string(v.JWK)+`]}`), nil)
		if set.Len() != 1 || set.Keys()[0].ID() != v.SHA256 {
			t.Errorf("%s: %v, want kid %s", v.Name, errs, v.SHA256)
		}
	}
	for _, v := range doc.Vectors {
		if v.JWK == nil || strings.Contains(v.Name, "HS256") {
			continue
		}
		set, errs := keys.ParseJWKS([]byte(`{"keys":[`+string(v.JWK)+`]}`), nil)
		if set.Len() != 1 {
			t.Errorf("%s: %v", v.Name, errs)
			continue
		}
		at := strings.LastIndexByte(v.JWS, '.')
		sig, err := base64.RawURLEncoding.DecodeString(v.JWS[at+1:])
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Keys()[0].Verify([]byte(v.JWS[:at]), sig); (err == nil) != v.Valid {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

// TestThumbprint is RFC 7638 section 3.1, so that it runs without the vectors.
func TestThumbprint(t *testing.T) {
	const doc = `{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}`
	set, errs := keys.ParseJWKS([]byte(doc), nil)
	k, ok := set.Key("2011-04-29")
	if !ok {
		t.Fatalf("no key: %v", errs)
	}
	again, err := keys.NewKey(k.Public(), keys.RS256)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("thumbprint %s", again.ID())
	}
}
