package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"tollgate/keys"
	"tollgate/keys/token"
)

// mustFixedSigners returns keys that are the same in every process, with
// signatures that are the same each time: the fuzzer's workers share their
// corpus, and each must know the good tokens in it.
func mustFixedSigners(tb testing.TB) (ed, es *signer, fixed func(header, claims string) string) {
	tb.Helper()
	seed := sha256.Sum256([]byte("a fixed key for fuzzing"))
	ed = mustSignerOf(tb, "kid-ed", keys.EdDSA, ed25519.NewKeyFromSeed(seed[:]))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		tb.Fatal(err)
	}
	es = mustSignerOf(tb, "kid-es", keys.ES256, k)
	return ed, es, func(header, claims string) string {
		input := b64(header) + "." + b64(claims)
		sum := sha256.Sum256([]byte(input))
		der, err := k.Sign(nil, sum[:], crypto.SHA256) // without randomness: RFC 6979
		var rs struct{ R, S *big.Int }
		if err == nil {
			_, err = asn1.Unmarshal(der, &rs)
		}
		if err != nil {
			tb.Fatal(err)
		}
		return input + "." + b64(string(append(rs.R.FillBytes(make([]byte, 32)), rs.S.FillBytes(make([]byte, 32))...)))
	}
}

// FuzzAuthenticateNeverPanicsNorAccepts: no text but the good tokens themselves
// is accepted, and whatever else comes is refused with a reason of the set.
func FuzzAuthenticateNeverPanicsNorAccepts(f *testing.F) {
	ed, es, sign := mustFixedSigners(f)
	w := &world{signers: []*signer{ed, es}, verifier: mustVerifier(f, token.Issuer{Name: otherIssuer, Keys: mustKeys(f, ed, es)})}
	good := []string{ed.mint(head(ed).String(), others().String()), sign(head(es).String(), others().String())}
	for _, raw := range good {
		w.mustAccept(f, raw, &token.Policy{})
		part := strings.Split(raw, ".")
		for _, seed := range []string{
			raw, raw + "=", raw + "\n", raw + ".", part[0] + "." + part[1] + ".", part[0] + ".." + part[2], part[1] + "." + part[0] + "." + part[2],
			b64(`{"alg":"none"}`) + "." + part[1] + "." + part[2], part[0] + "." + b64(others().with("sub", `"root"`).String()) + "." + part[2],
			part[0] + "." + b64(`{"a":"\`) + "." + part[2], b64(`{"a":"\ud800\`) + "." + part[1] + "." + part[2],
			`{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`,
		} {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
		if slices.Contains(good, raw) {
			if err != nil {
				t.Errorf("the good token was refused: %v", err)
			}
			return
		}
		if err == nil {
			t.Fatalf("%q gave %+v", raw, id)
		}
		r, ok := errors.AsType[*token.Refusal](err)
		if !ok || id != nil || !slices.Contains(token.Reasons(), r.Reason) || r.Token != nil {
			t.Errorf("%q: %v, %#v", raw, id, err)
		}
	})
}

// FuzzSignedTokensGiveSoundIdentities: even an issuer that signs whatever it is
// given cannot make an identity that breaks the rules of the claims, nor one
// that encoding/json reads otherwise.
func FuzzSignedTokensGiveSoundIdentities(f *testing.F) {
	ed, _, _ := mustFixedSigners(f)
	v := mustVerifier(f, token.Issuer{Name: otherIssuer, Keys: mustKeys(f, ed)})
	header := head(ed).String()
	for _, body := range []string{
		others().String(), others().plus(`"SUB":"x"`).String(), others().with("exp", "1e18").String(), others().with("sub", `"\u0000"`).String(),
		others().with("aud", `["a","b"]`).String(), others().with("scope", `["a b"," "]`).String(), others().with("sub", `"\`).String(), others().without("exp").String(),
	} {
		f.Add(header, body)
	}
	f.Add(header, others().with("huge", "1e99999").String())
	f.Add(strings.ToUpper(header), others().String())
	f.Add(`{"alg":"EdDSA","kid":"kid-ed","crit":[]}`, others().String())
	f.Fuzz(func(t *testing.T, header, body string) {
		id, err := v.Authenticate(t.Context(), ed.mint(header, body), &token.Policy{}, allClear)
		if err != nil {
			return
		}
		var read map[string]any
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber() // 1e99999 is a number, and no float64
		if err := dec.Decode(&read); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if read["iss"] != otherIssuer || read["sub"] != id.Subject || read["jti"] != id.JTI || read["sid"] != nil && read["sid"] != id.SID || read["cnf"] != nil {
			t.Errorf("%s became %+v", body, id)
		}
		n, _ := read["exp"].(json.Number)
		if exp, err := n.Float64(); err != nil || exp <= float64(kitTime.Unix()-10) || exp > 253402300799 {
			t.Errorf("%s has exp %v", body, read["exp"])
		}
		for _, s := range []string{id.Subject, id.JTI} {
			if s == "" || len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%s has an identifier %q", body, s)
			}
		}
		var h struct{ Alg, Kid string }
		if err := json.Unmarshal([]byte(header), &h); err != nil || h.Alg != "EdDSA" || h.Kid != "kid-ed" || id.TokenType != "" && id.TokenType != "access" {
			t.Errorf("header %s was accepted", header)
		}
	})
}
