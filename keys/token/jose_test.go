package token_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"tollgate/keys"
	"tollgate/keys/token"
)

// wycheproof is a file of C2SP/wycheproof about JOSE.
type wycheproof struct {
	TestGroups []struct {
		Comment string
		Public  *jwk
		Private *jwk
		Tests   []struct {
			TcID    int
			Comment string
			Jws     json.RawMessage // a string, or an object
			Result  string
		}
	}
}

// runWycheproof takes every vector through the path as far as the signature:
// valid ones pass but for those in refused, and no other does.
func runWycheproof(t *testing.T, file string, atLeast int, refused map[int]string) {
	t.Helper()
	var doc wycheproof
	mustJSON(t, mustVector(t, "wycheproof/"+file), &doc)
	passed, total := 0, 0
	for _, g := range doc.TestGroups {
		key := g.Public
		if key == nil {
			key = g.Private
		}
		source := key.source(t)
		issuer := &token.Issuer{Name: otherIssuer, Keys: source}
		v := mustVerifier(t, *issuer)
		valid := map[string]bool{} // under this key
		for _, c := range g.Tests {
			total++
			raw := string(c.Jws)
			var text string
			if json.Unmarshal(c.Jws, &text) == nil {
				raw = text
			}
			_, excused := refused[c.TcID]
			// Two of the padding vectors lost their padding: they are labelled
			// invalid, and are the text of a valid one, byte for byte.
			want := c.Result == "valid" && !excused || valid[raw]
			valid[raw] = want
			err := token.SignatureHolds(raw, issuer)
			if (err == nil) != want {
				t.Errorf("tc%d (%s, %s) is %s: %v", c.TcID, g.Comment, c.Comment, c.Result, err)
			}
			if err == nil {
				passed++
			}
			if id, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear); err == nil {
				t.Errorf("tc%d (%s) gave %+v", c.TcID, c.Comment, id)
			}
		}
	}
	if passed < atLeast {
		t.Errorf("only %d of %d vectors passed, want %d", passed, total, atLeast)
	}
}

func TestVectorsOfWycheproofSignatures(t *testing.T) {
	const payload, alphabet, alg = "an empty payload is no claims set", "? is no base64url", "the JWK says another algorithm"
	runWycheproof(t, "json_web_signature_test.json", 34, map[int]string{
		259: payload, 264: payload, 268: payload, 272: payload, 320: payload, 325: payload,
		372: alphabet, 373: alphabet, 346: alg, 350: alg, 347: alg, 351: alg,
	})
}

func TestVectorsOfWycheproofKeys(t *testing.T) {
	const set, alg = "a document brings no secret in", "HS384 and HS512 are not verified"
	runWycheproof(t, "json_web_key_test.json", 2, map[int]string{2: set, 14: alg, 15: alg})
}

func TestVectorsOfRFCs(t *testing.T) {
	var doc struct {
		Vectors []struct {
			Name, JWS string
			JWK       *jwk
		}
	}
	mustJSON(t, mustVector(t, "rfc/rfc_appendix_vectors.json"), &doc)
	want := map[string]token.Reason{
		"rfc7515-A.1-HS256": token.ReasonUnknownKey, // no kid, like the next two
		"rfc7515-A.2-RS256": token.ReasonUnknownKey, "rfc7515-A.3-ES256": token.ReasonUnknownKey,
		"rfc7515-A.4-ES512": token.ReasonMalformed, // the payload is no claims set
		"rfc7515-A.5-none":  token.ReasonMalformed, // no signature
		"rfc8037-A.4-EdDSA": token.ReasonMalformed, // the payload is no claims set
	}
	for _, v := range doc.Vectors {
		w := &world{verifier: mustVerifier(t, token.Issuer{Name: "joe", Keys: token.NewStaticKeys(nil)})}
		if v.JWK != nil {
			w.verifier = mustVerifier(t, token.Issuer{Name: "joe", Keys: v.JWK.source(t)})
		}
		id, err := w.verifier.Authenticate(t.Context(), v.JWS, &token.Policy{}, allClear)
		w.refused(t, v.JWS, id, err, want[v.Name])
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("vectors not there: %v", want)
	}
}

// cookbook is a JWS example of RFC 7520, 7797 or 8037.
type cookbook struct {
	Input struct {
		Key json.RawMessage // a JWK, or a list of them
		Alg json.RawMessage
	}
	Output struct {
		Compact  string
		JSON     json.RawMessage `json:"json"`
		JSONFlat json.RawMessage `json:"json_flat"`
	}
}

func TestVectorsOfCookbook(t *testing.T) {
	good := map[string]bool{ // compact, attached, with a kid
		"jws/4_1.rsa_v15_signature.json": true, "jws/4_2.rsa-pss_signature.json": true, "jws/4_3.ecdsa_signature.json": true,
		"jws/4_4.hmac-sha2_integrity_protection.json": true,
	}
	var files []string
	for _, pattern := range []string{"jws/*.json", "rfc7797/*.json", "curve25519/jws.json", "jwe/*.json"} {
		found, err := filepath.Glob(filepath.Join(mustVectors(t), "jose-cookbook", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	root := filepath.Join(mustVectors(t), "jose-cookbook")
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		var doc cookbook
		mustJSON(t, mustVector(t, filepath.Join("jose-cookbook", name)), &doc)
		issuer := &token.Issuer{Name: otherIssuer, Keys: token.NewStaticKeys(nil)}
		var key jwk
		var alg string
		// Examples with several keys have no compact form, those of encryption
		// have no algorithm of ours.
		if json.Unmarshal(doc.Input.Key, &key) == nil && json.Unmarshal(doc.Input.Alg, &alg) == nil {
			issuer.Keys = key.public(t).source(t, keys.Algorithm(alg))
		}
		w := &world{verifier: mustVerifier(t, *issuer)}
		for _, raw := range []string{doc.Output.Compact, string(doc.Output.JSON), string(doc.Output.JSONFlat)} {
			if raw == "" {
				continue
			}
			err := token.SignatureHolds(raw, issuer)
			if want := good[name] && raw == doc.Output.Compact; (err == nil) != want {
				t.Errorf("%s: %v", name, err)
			}
			// None of them signs a claims set.
			id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
			w.refused(t, raw, id, err, token.ReasonMalformed)
		}
	}
}
