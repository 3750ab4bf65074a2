package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"tollgate/keys"
)

// mustJWK returns the JWK of a key as members, to be spoiled by a test.
func mustJWK(t *testing.T, raw any, more map[string]any) map[string]any {
	t.Helper()
	j, err := jwk.FromRaw(raw)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range more {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	return m
}

func mustDoc(t *testing.T, members ...any) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": members})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestJWKSHasPublicMembersOnly(t *testing.T) {
	var all []*keys.Key
	for _, alg := range keys.Algorithms() {
		k := mustKey(t, alg)
		if _, ok := mustSet(t, all...).Key(k.ID()); ok { // RSA keys are shared between algorithms
			var err error
			if k, err = keys.NewKeyWithID(string(alg), k.Public(), alg); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, k)
	}
	secret, err := keys.NewKeyWithID("legacy", bytes.Repeat([]byte("s"), 32), keys.HS256)
	if err != nil {
		t.Fatal(err)
	}
	set := mustSet(t, append(all, secret)...)
	data, err := set.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Keys []map[string]any }
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Keys) != len(all) {
		t.Fatalf("%d keys published, want the %d asymmetric ones", len(doc.Keys), len(all))
	}
	allowed := map[string]string{"EC": "kty kid alg use crv x y", "RSA": "kty kid alg use n e", "OKP": "kty kid alg use crv x"}
	for i, m := range doc.Keys {
		names := strings.Fields(allowed[m["kty"].(string)])
		if len(m) != len(names) {
			t.Errorf("%v: other members than %v", m, names)
		}
		for _, n := range names {
			if s, ok := m[n].(string); !ok || s == "" {
				t.Errorf("%v: no %s", m, n)
			}
		}
		if m["kid"] != all[i].ID() || m["alg"] != string(all[i].Algorithm()) || m["use"] != "sig" {
			t.Errorf("key %d is %v", i, m)
		}
	}
	again, errs := keys.ParseJWKS(data, nil)
	if len(errs) != 0 || again.Len() != len(all) {
		t.Fatalf("read back: %d keys, %v", again.Len(), errs)
	}
	for _, k := range all {
		if o, ok := again.Key(k.ID()); !ok || !k.Same(o) {
			t.Errorf("%s %s came back as another key", k.Algorithm(), k.ID())
		}
	}
	if twice, _ := again.JWKS(); !bytes.Equal(twice, data) {
		t.Error("the same set gave other bytes")
	}
}

func TestSet(t *testing.T) {
	a, b := mustKey(t, keys.ES256), mustKey(t, keys.EdDSA)
	named, err := keys.NewKeyWithID(a.ID(), b.Public(), keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.NewSet(a, named); err == nil {
		t.Error("two keys with one id made a set")
	}
	if _, err := keys.NewSet(a, nil); err == nil {
		t.Error("a nil key made a set")
	}
	s := mustSet(t, a, b)
	got := s.Keys()
	got[0] = nil
	if s.Keys()[0] != a || s.Keys()[1] != b || s.Len() != 2 {
		t.Error("the set changed with the slice it handed out")
	}
	var none *keys.Set
	if _, ok := none.Key("x"); ok || none.Len() != 0 || none.Keys() != nil {
		t.Error("a nil set is not empty")
	}
	if data, err := none.JWKS(); err != nil || string(data) != `{"keys":[]}` {
		t.Errorf("a nil set publishes %s, %v", data, err)
	}
}

func TestParseJWKSDropsOneByOne(t *testing.T) {
	good := mustSigner(t, keys.ES256)
	other := mustSigner(t, keys.ES256).Public()
	rsaPub := rsaKey().Public()
	y := mustJWK(t, mustSigner(t, keys.ES256).Public(), nil)["y"]
	big := base64.RawURLEncoding.EncodeToString([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})
	for name, bad := range map[string]any{
		"unknown type":        map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "kid": "q", "pub": "AAAA"},
		"unknown curve":       map[string]any{"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ", "kid": "q"},
		"secret":              map[string]any{"kty": "oct", "k": "c2VjcmV0", "kid": "q"},
		"secret with alg":     map[string]any{"kty": "oct", "k": strings.Repeat("A", 64), "kid": "q", "alg": "HS256"},
		"private EC":          mustJWK(t, mustSigner(t, keys.ES256), nil),
		"private RSA":         mustJWK(t, rsaKey(), nil),
		"private Ed25519":     mustJWK(t, mustSigner(t, keys.EdDSA), nil),
		"stray private":       mustJWK(t, other, map[string]any{"d": nil, "qi": ""}),
		"for encryption":      mustJWK(t, rsaPub, map[string]any{"use": "enc"}),
		"encryption alg":      mustJWK(t, rsaPub, map[string]any{"alg": "RSA-OAEP"}),
		"only encrypt":        mustJWK(t, rsaPub, map[string]any{"key_ops": []string{"encrypt"}}),
		"key_ops no list":     mustJWK(t, rsaPub, map[string]any{"key_ops": "verify"}),
		"use no string":       mustJWK(t, rsaPub, map[string]any{"use": 1}),
		"alg none":            mustJWK(t, other, map[string]any{"alg": "none"}),
		"alg lower case":      mustJWK(t, other, map[string]any{"alg": "es256"}),
		"RSA called ES256":    mustJWK(t, rsaPub, map[string]any{"alg": "ES256"}),
		"RSA called HS256":    mustJWK(t, rsaPub, map[string]any{"alg": "HS256"}),
		"P-256 called ES384":  mustJWK(t, other, map[string]any{"alg": "ES384"}),
		"not on the curve":    mustJWK(t, other, map[string]any{"y": y}),
		"huge exponent":       mustJWK(t, rsaPub, map[string]any{"e": big}),
		"exponent 1":          mustJWK(t, rsaPub, map[string]any{"e": "AQ"}),
		"short modulus":       mustJWK(t, rsaPub, map[string]any{"n": strings.Repeat("_", 100)}),
		"no modulus":          mustJWK(t, rsaPub, map[string]any{"n": nil}),
		"null modulus":        mustJWK(t, rsaPub, map[string]any{"n": json.RawMessage("null")}),
		"no kty":              mustJWK(t, other, map[string]any{"kty": nil}),
		"kid number":          mustJWK(t, other, map[string]any{"kid": 7}),
		"kid empty":           mustJWK(t, other, map[string]any{"kid": ""}),
		"kid with a newline":  mustJWK(t, other, map[string]any{"kid": "a\nb"}),
		"kid of 129":          mustJWK(t, other, map[string]any{"kid": strings.Repeat("k", 129)}),
		"duplicate member":    json.RawMessage(`{"kty":"EC","kty":"EC"}`),
		"null":                json.RawMessage(`null`),
		"string":              "key",
		"X25519":              map[string]any{"kty": "OKP", "crv": "X25519", "x": strings.Repeat("A", 43), "alg": "EdDSA"},
		"Ed25519 of 31 bytes": map[string]any{"kty": "OKP", "crv": "Ed25519", "x": strings.Repeat("A", 42)},
		"bad base64":          map[string]any{"kty": "OKP", "crv": "Ed25519", "x": "!!!!"},
	} {
		t.Run(name, func(t *testing.T) {
			set, errs := keys.ParseJWKS(mustDoc(t, bad, mustJWK(t, good.Public(), map[string]any{"kid": "good"})), nil)
			if _, ok := set.Key("good"); !ok || set.Len() != 1 || len(errs) != 1 {
				t.Errorf("%d keys, errors %v", set.Len(), errs)
			}
		})
	}
}

func TestParseJWKSIgnoresWhatItDoesNotKnow(t *testing.T) {
	m := mustJWK(t, mustSigner(t, keys.ES256).Public(), map[string]any{
		"kid": "a", "x5c": []string{"no certificate"}, "x5t": 7, "D": "not d", "key_ops": []string{"verify"},
	})
	if set, errs := keys.ParseJWKS(mustDoc(t, m), nil); set.Len() != 1 || len(errs) != 0 {
		t.Errorf("%d keys, %v", set.Len(), errs)
	}
}

func TestParseJWKSBindsAlgorithms(t *testing.T) {
	rsaPub, ec, ed := rsaKey().Public(), mustSigner(t, keys.ES384).Public(), mustSigner(t, keys.EdDSA).Public()
	for _, c := range []struct {
		name    string
		pub     any
		alg     any
		allowed []keys.Algorithm
		want    keys.Algorithm // "" for dropped
	}{
		{"RSA without alg", rsaPub, nil, nil, keys.RS256},
		{"RSA takes the first RSA algorithm", rsaPub, nil, []keys.Algorithm{keys.ES256, keys.PS384, keys.RS256}, keys.PS384},
		{"RSA where only ES256 is allowed", rsaPub, nil, []keys.Algorithm{keys.ES256}, ""},
		{"RSA says PS256", rsaPub, "PS256", nil, keys.PS256},
		{"RSA says PS256, not allowed", rsaPub, "PS256", []keys.Algorithm{keys.RS256}, ""},
		{"curve decides", ec, nil, nil, keys.ES384},
		{"curve not allowed", ec, nil, []keys.Algorithm{keys.ES256, keys.EdDSA}, ""},
		{"Ed25519", ed, nil, []keys.Algorithm{keys.EdDSA}, keys.EdDSA},
	} {
		set, errs := keys.ParseJWKS(mustDoc(t, mustJWK(t, c.pub, map[string]any{"alg": c.alg})), c.allowed)
		var got keys.Algorithm
		if set.Len() == 1 {
			got = set.Keys()[0].Algorithm()
		}
		if got != c.want || (len(errs) == 0) != (c.want != "") {
			t.Errorf("%s: got %q, errors %v", c.name, got, errs)
		}
	}
}

func TestParseJWKSDuplicates(t *testing.T) {
	a, b := mustSigner(t, keys.ES256).Public(), mustSigner(t, keys.ES256).Public()
	x, y, z := mustJWK(t, a, map[string]any{"kid": "x"}), mustJWK(t, b, map[string]any{"kid": "x"}), mustJWK(t, b, map[string]any{"kid": "z"})
	if set, errs := keys.ParseJWKS(mustDoc(t, x, z, x), nil); set.Len() != 2 || len(errs) != 1 {
		t.Errorf("the same key twice: %d keys, %v", set.Len(), errs)
	}
	set, errs := keys.ParseJWKS(mustDoc(t, x, z, y), nil)
	if _, ok := set.Key("x"); ok || set.Len() != 1 || len(errs) != 2 {
		t.Errorf("two keys under one kid: %d keys, %v", set.Len(), errs)
	}
}

func TestParseJWKSBoundsTheNumberOfKeys(t *testing.T) {
	var members []any
	for i := range keys.MaxKeys + 1 {
		members = append(members, mustJWK(t, mustSigner(t, keys.EdDSA).Public(), map[string]any{"kid": fmt.Sprint(i)}))
	}
	if set, errs := keys.ParseJWKS(mustDoc(t, members...), nil); set.Len() != keys.MaxKeys || len(errs) != 1 {
		t.Errorf("%d keys, %v", set.Len(), errs)
	}
}

func TestParseJWKSRefusesOtherDocuments(t *testing.T) {
	for _, doc := range []string{
		"", "{}", "[]", "null", `"keys"`, `{"keys":{}}`, `{"keys":null}`, `{"KEYS":[]}`, `{"keys":[]`,
		`{"keys":[],"keys":[]}`, `{"keys":[]} {}`, "{\"keys\":[],\"a\":\"\xff\"}", "\ufeff{\"keys\":[]}",
	} {
		if set, errs := keys.ParseJWKS([]byte(doc), nil); set == nil || set.Len() != 0 || len(errs) != 1 {
			t.Errorf("%q: %v, %v", doc, set, errs)
		}
	}
	if set, errs := keys.ParseJWKS([]byte(` {"a":1,"keys":[]} `), nil); set.Len() != 0 || len(errs) != 0 {
		t.Errorf("an empty set: %v", errs)
	}
}

// TestParseJWKSOnHostileJSON feeds each file as a document and as a key.
func TestParseJWKSOnHostileJSON(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "vectors", "json-test-suite", "*", "*.json"))
	if len(files) == 0 {
		t.Skip("no test vectors")
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if set, errs := keys.ParseJWKS(data, nil); set.Len() != 0 || len(errs) == 0 {
			t.Errorf("%s: %d keys, %v", filepath.Base(f), set.Len(), errs)
		}
		nested := append(append([]byte(`{"keys":[`), data...), `]}`...)
		if set, _ := keys.ParseJWKS(nested, nil); set.Len() != 0 {
			t.Errorf("%s as a key: accepted", filepath.Base(f))
		}
	}
}

// FuzzParseJWKSGivesOnlyPublishableKeys holds that whatever a document says, what
// comes out is a sound public set that publishes itself and reads back the same.
func FuzzParseJWKSGivesOnlyPublishableKeys(f *testing.F) {
	for _, alg := range keys.Algorithms() {
		s, err := keys.NewSet(mustKey(f, alg))
		if err != nil {
			f.Fatal(err)
		}
		doc, err := s.JWKS()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
		j, err := jwk.FromRaw(mustSigner(f, alg))
		if err != nil {
			f.Fatal(err)
		}
		priv, err := json.Marshal(j)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(`{"keys":[` + string(priv) + `]}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, _ := keys.ParseJWKS(data, nil)
		out, err := set.JWKS()
		if err != nil {
			t.Fatalf("publish: %v", err)
		}
		var doc struct{ Keys []map[string]string }
		if err := json.Unmarshal(out, &doc); err != nil {
			t.Fatal(err)
		}
		for _, m := range doc.Keys {
			for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
				if _, there := m[private]; there {
					t.Fatalf("published %q", private)
				}
			}
		}
		if again, errs := keys.ParseJWKS(out, nil); len(errs) != 0 || again.Len() != set.Len() {
			t.Fatalf("read back %d of %d keys: %v", again.Len(), set.Len(), errs)
		}
	})
}
