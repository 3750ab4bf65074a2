package token_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tollgate/keys"
	"tollgate/keys/token"
)

// mustVector reads a file of the published vectors, which stand beside the
// repository and are no part of it: without them the test is skipped.
func mustVector(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(mustVectors(tb), name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func mustVectors(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(filepath.Dir(dir), "shared", "vectors")
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("no test vectors at %s", dir)
	}
	return dir
}

func mustJSON(tb testing.TB, data []byte, into any) {
	tb.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		tb.Fatal(err)
	}
}

// jwk is a key of a vector, public or not, or a set of them.
type jwk struct {
	text                  json.RawMessage
	Kty, Kid, Alg, Use, K string
	Keys                  []*jwk
}

// UnmarshalJSON keeps the whole text beside the members.
func (j *jwk) UnmarshalJSON(b []byte) error {
	type plain jwk
	j.text = slices.Clone(b)
	return json.Unmarshal(b, (*plain)(j))
}

// source returns what a trusted issuer with this key or set would be verified
// with: the asymmetric keys of the document, or the one HS256 secret, which an
// operator configures by hand and no document brings in.
func (j *jwk) source(tb testing.TB, algorithms ...keys.Algorithm) token.KeySource {
	tb.Helper()
	if len(j.Keys) == 1 {
		return j.Keys[0].source(tb, algorithms...)
	}
	text := string(j.text)
	if j.Kty != "" {
		text = `{"keys":[` + text + `]}`
	}
	set, _ := keys.ParseJWKS([]byte(text), algorithms)
	if j.Kty == "oct" && j.Alg == "HS256" && j.Use == "sig" {
		if k, err := keys.NewKeyWithID(j.Kid, mustDecode(tb, j.K), keys.HS256); err == nil {
			if set, err = keys.NewSet(k); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return token.NewStaticKeys(set)
}

// public returns the key without its private members.
func (j *jwk) public(tb testing.TB) *jwk {
	tb.Helper()
	var members map[string]any
	mustJSON(tb, j.text, &members)
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
		delete(members, name)
	}
	text, err := json.Marshal(members)
	if err != nil {
		tb.Fatal(err)
	}
	out := &jwk{}
	mustJSON(tb, text, out)
	return out
}
