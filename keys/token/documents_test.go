package token_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tollgate/keys"
	"tollgate/keys/token"
)

// TestVectorsOfJSON runs nst/JSONTestSuite through the path twice: each document
// as the claims set, and each as the value of a claim in a good one.
func TestVectorsOfJSON(t *testing.T) {
	w := mustWorld(t)
	files, err := filepath.Glob(filepath.Join(mustVectors(t), "json-test-suite", "test_parsing", "*.json"))
	if err != nil || len(files) < 300 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	// Implementations may differ about these; we say what we do: numbers are
	// text until somebody asks for their value, text has to be UTF-8.
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		accept := name[0] == 'y' || strings.HasPrefix(name, "i_number")
		if strings.HasPrefix(name, "y_object_duplicated_key") {
			accept = false // legal JSON, RFC 8259 section 4, and no JWT, RFC 7519 section 4
		}
		// As claims: a good document goes on to the question who issued it.
		raw := w.es.mint(head(w.es).String(), string(text))
		want := token.ReasonMalformed
		if accept && bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
			want = token.ReasonIssuer
		}
		id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
		w.refused(t, raw, id, err, want)

		raw = w.es.mint(head(w.es).String(), claims().with("x", string(text)).String())
		if id, err = w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear); !accept {
			w.refused(t, raw, id, err, token.ReasonMalformed)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got, _ := id.Raw("x"); !bytes.Equal(got, bytes.TrimSpace(text)) {
			t.Errorf("%s became %s", name, got)
		}
	}
}

// TestVectorsOfJSONTransforms: what two readers would read differently is refused.
func TestVectorsOfJSONTransforms(t *testing.T) {
	w := mustWorld(t)
	files, err := filepath.Glob(filepath.Join(mustVectors(t), "json-test-suite", "test_transform", "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		differs := strings.Contains(name, "same_key") || strings.Contains(name, "invalid_codepoint")
		raw := w.es.mint(head(w.es).String(), claims().with("x", string(text)).String())
		if id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear); differs {
			w.refused(t, raw, id, err, token.ReasonMalformed)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVectorsOfNaughtyStrings puts each string wherever a token holds a string.
// What is accepted is the string itself, byte for byte.
func TestVectorsOfNaughtyStrings(t *testing.T) {
	w := mustWorld(t)
	var list []string
	mustJSON(t, mustVector(t, "naughty-strings/blns.json"), &list)
	if len(list) < 500 {
		t.Fatalf("%d strings", len(list))
	}
	for i, s := range list {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		quoted := string(text)
		authenticate := func(signer *signer, header, body doc) (*token.Identity, error) {
			return w.verifier.Authenticate(t.Context(), signer.mint(header.String(), body.String()), &token.Policy{}, allClear)
		}
		expect := func(what string, want bool, id *token.Identity, err error, got func() string) {
			t.Helper()
			if (err == nil) != want || err == nil && got() != s {
				t.Errorf("%d %s as %s: %v", i, quoted, what, err)
			}
			if err != nil && len(s) > 12 && strings.Contains(err.Error(), s) {
				t.Errorf("%d %s as %s is repeated: %v", i, quoted, what, err)
			}
		}
		named := len(s) > 0 && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
		id, err := authenticate(w.es, head(w.es), claims().with("sub", quoted))
		expect("sub", named, id, err, func() string { return id.Subject })
		id, err = authenticate(w.es, head(w.es), claims().with("jti", quoted))
		expect("jti", named, id, err, func() string { return id.JTI })
		id, err = authenticate(w.foreign, head(w.foreign), others().with("sid", quoted))
		expect("sid", named, id, err, func() string { return id.SID })
		id, err = authenticate(w.es, head(w.es), claims().with("x", quoted))
		expect("value", true, id, err, func() string { text, _ := id.Text("x"); return text })
		id, err = authenticate(w.es, head(w.es), claims().plus(quoted+":"+quoted))
		expect("name", true, id, err, func() string { text, _ := id.Text(s); return text })
		id, err = authenticate(w.es, head(w.es), claims().with("iss", quoted))
		expect("iss", false, id, err, nil)
		id, err = authenticate(w.es, head(w.es).with("kid", quoted), claims())
		expect("kid", false, id, err, nil)
		id, err = authenticate(w.es, head(w.es).with("alg", quoted), claims())
		expect("alg", false, id, err, nil)
	}
}

// TestVectorsOfLeakedSecrets signs with secrets that are known to everybody. Our
// own keys are asymmetric, and a legacy secret is 32 random bytes.
func TestVectorsOfLeakedSecrets(t *testing.T) {
	const most = 2000 // of 103,979; they are sorted by nothing in particular
	w := mustWorld(t)
	lines := bufio.NewScanner(bytes.NewReader(mustVector(t, "wordlists/wallarm-jwt-secrets/jwt.secrets.list")))
	n := 0
	for ; n < most && lines.Scan(); n++ {
		for want, forged := range map[token.Reason]struct{ header, body doc }{
			token.ReasonAlgorithm:  {head(w.es).with("alg", `"HS256"`), claims()},
			token.ReasonSignature:  {head(w.secret), others()},
			token.ReasonUnknownKey: {head(w.secret), claims()},
		} {
			raw := (&signer{alg: keys.HS256, secret: bytes.Clone(lines.Bytes())}).mint(forged.header.String(), forged.body.String())
			if id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear); err == nil || !strings.Contains(err.Error(), fmt.Sprintf(": %s: ", want)) {
				t.Errorf("%q gave %v, %v", lines.Text(), id, err)
			}
		}
	}
	if n < most || lines.Err() != nil {
		t.Errorf("%d secrets, %v", n, lines.Err())
	}
}
