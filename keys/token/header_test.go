package token_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"tollgate/keys/token"
)

// TestRefusesOtherAlgorithms: the key decides the algorithm, not the header
// (RFC 8725 section 3.1). Must-hold 2.
func TestRefusesOtherAlgorithms(t *testing.T) {
	w := mustWorld(t)
	body := claims().String()
	var rows []hostile
	for i, alg := range []string{
		`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"none "`, `" none"`, `"n\u006fne"`, `"none\u0000"`, `""`, `null`, `false`, `0`, `["ES256"]`, `{"ES256":1}`,
		`"es256"`, `"Es256"`, `"ES256 "`, `"ES256\n"`, `"ES256K"`, `"ES384"`, `"ES512"`, `"EdDSA"`, `"eddsa"`, `"RS256"`, `"rs256"`, `"PS256"`,
		`"HS256"`, `"HS384"`, `"HS512"`, `"hs256"`, `"A128KW"`, `"dir"`, `"RSA1_5"`, `"SHA256"`, `"ES256,none"`,
	} {
		header := head(w.es).with("alg", alg).String()
		rows = append(rows,
			hostile{fmt.Sprintf("%d %s, signed well", i, alg), w.es.mint(header, body), token.ReasonAlgorithm},
			hostile{fmt.Sprintf("%d %s, any signature", i, alg), b64(header) + "." + b64(body) + ".AAAA", token.ReasonAlgorithm},
			hostile{fmt.Sprintf("%d %s, no signature", i, alg), b64(header) + "." + b64(body) + ".", token.ReasonMalformed})
	}
	rows = append(rows,
		hostile{"no alg", w.es.mint(head(w.es).without("alg").String(), body), token.ReasonAlgorithm},
		hostile{"ALG", w.es.mint(head(w.es).without("alg").with("ALG", `"ES256"`).String(), body), token.ReasonAlgorithm},
		hostile{"empty header", w.es.mint("{}", body), token.ReasonAlgorithm},
		hostile{"PS256 by an RS256 key", mustSignerOf(t, "kid-rs", "PS256", sharedRSA()).mint(head(w.rs).with("alg", `"PS256"`).String(), body), token.ReasonAlgorithm},
		hostile{"RS512 by an RS256 key", mustSignerOf(t, "kid-rs", "RS512", sharedRSA()).mint(head(w.rs).with("alg", `"RS512"`).String(), body), token.ReasonAlgorithm},
	)
	w.run(t, rows)
}

// TestRefusesPublicKeyAsSecret is the confusion of CVE-2015-9235: HS256 with the
// bytes of a public key in any of their published forms.
func TestRefusesPublicKeyAsSecret(t *testing.T) {
	w := mustWorld(t)
	var rows []hostile
	for _, s := range []*signer{w.es, w.rs, w.ed} {
		for form, secret := range mustForms(t, s) {
			mint := func(kid, claims string) string {
				input := b64(`{"alg":"HS256","kid":"`+kid+`","typ":"JWT"}`) + "." + b64(claims)
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(input))
				return input + "." + b64(string(mac.Sum(nil)))
			}
			name := s.kid + " as " + form
			rows = append(rows,
				hostile{name, mint(s.kid, claims().String()), token.ReasonAlgorithm},
				hostile{name + ", unknown kid", mint("kid-canary", claims().String()), token.ReasonUnknownKey},
				// The other issuer has an HS256 key: its kid must not open the door.
				hostile{name + ", kid of an HS256 key", mint(w.secret.kid, others().String()), token.ReasonSignature},
				hostile{name + ", another issuer's HS256 key", mint(w.secret.kid, claims().String()), token.ReasonUnknownKey})
		}
	}
	w.run(t, rows)
}

func mustForms(t *testing.T, s *signer) map[string][]byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.public.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := mustKeys(t, s).Set().JWKS()
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return map[string][]byte{
		"DER": der, "PEM": text, "PEM without its last newline": []byte(strings.TrimSpace(string(text))),
		"JWKS": jwks, "JWK": []byte(strings.TrimSuffix(strings.TrimPrefix(string(jwks), `{"keys":[`), `]}`)), "nothing": nil,
	}
}

func TestRefusesOtherKeys(t *testing.T) {
	w := mustWorld(t)
	body := claims().String()
	kid := func(value string) string { return w.es.mint(head(w.es).with("kid", value).String(), body) }
	w.run(t, []hostile{
		{"no kid", w.es.mint(head(w.es).without("kid").String(), body), token.ReasonUnknownKey},
		{"unknown kid", kid(`"kid-canary"`), token.ReasonUnknownKey},
		{"another key's kid", kid(`"kid-es-2"`), token.ReasonSignature},
		{"kid of another algorithm's key", kid(`"kid-rs"`), token.ReasonAlgorithm},
		{"kid in another case", kid(`"KID-ES"`), token.ReasonUnknownKey},
		{"kid with a blank", kid(`"kid-es "`), token.ReasonMalformed},
		{"empty kid", kid(`""`), token.ReasonMalformed},
		{"numeric kid", kid(`0`), token.ReasonMalformed},
		{"null kid", kid(`null`), token.ReasonMalformed},
		{"list of kids", kid(`["kid-es"]`), token.ReasonMalformed},
		{"kid of 128", kid(`"` + strings.Repeat("k", 128) + `"`), token.ReasonUnknownKey},
		{"kid of 129", kid(`"` + strings.Repeat("k", 129) + `"`), token.ReasonMalformed},
		{"kid with a control character", kid(`"kid-es\u0000canary"`), token.ReasonMalformed},
		{"kid with a delete", kid(`"kid-es\u007f"`), token.ReasonMalformed},
		{"kid with a newline", kid(`"kid-es\ncanary"`), token.ReasonMalformed},
		{"kid outside ASCII", kid(`"kid-\u00e9s-canary"`), token.ReasonMalformed},
		{"kid as a path", kid(`"../../../../dev/null"`), token.ReasonUnknownKey},
		{"kid as SQL", kid(`"x'/**/UNION/**/SELECT/**/'canary"`), token.ReasonUnknownKey},
		{"kid as a URL", kid(`"http://canary.example/jwks.json"`), token.ReasonUnknownKey},
		{"KID", w.es.mint(head(w.es).without("kid").with("KID", `"kid-es"`).String(), body), token.ReasonUnknownKey},
		// A key vouches for its own issuer and for no other's iss.
		{"other issuer's key for our iss", w.foreign.mint(head(w.es).String(), body), token.ReasonSignature},
		{"our key for the other's iss", w.es.mint(head(w.es).String(), others().String()), token.ReasonSignature},
		{"our second key for the other's iss", w.es2.mint(head(w.es2).String(), others().String()), token.ReasonUnknownKey},
		{"the other's secret for our iss", w.secret.mint(head(w.secret).String(), body), token.ReasonUnknownKey},
	})
}

// TestRefusesHeaderMembers: nothing in a header may change how the token is read
// or where its key comes from. Must-hold 4.
func TestRefusesHeaderMembers(t *testing.T) {
	w := mustWorld(t)
	var rows []hostile
	for member, values := range map[string][]string{
		"crit": {`["b64"]`, `["exp"]`, `[]`, `null`, `"exp"`}, "b64": {`true`, `false`, `null`},
		"jku": {`"https://canary.example/jwks.json"`, `""`}, "jwk": {`{"kty":"oct","k":"Y2FuYXJ5"}`, `null`},
		"x5u": {`"https://canary.example/x.pem"`}, "x5c": {`["Y2FuYXJ5"]`, `[]`},
		"zip": {`"DEF"`}, "enc": {`"A256GCM"`}, "cty": {`"JWT"`, `"json"`},
		`\u0063rit`: {`["b64"]`}, `j\u006bu`: {`"https://canary.example/"`}, `\u0062\u0036\u0034`: {`false`},
	} {
		for _, value := range values {
			rows = append(rows, hostile{member + " " + value, w.es.mint(head(w.es).with(member, value).String(), claims().String()), token.ReasonMalformed})
		}
	}
	for i, text := range []string{
		`"alg":"ES256"`, `"alg":"none"`, `"\u0061lg":"none"`, `"ALG":"none"`, `"Alg":"ES256"`, `"kid":"kid-es-2"`, `"Kid":"kid-es"`,
		"\"\u212aid\":\"kid-canary\"", `"\u212Aid":"kid-canary"`, `"k\u0069d":"kid-es"`, `"typ":"JWT"`, `"TYP":"at+jwt"`, `"x":1,"x":1`, `"ß":1,"ẞ":2`,
	} {
		rows = append(rows, hostile{fmt.Sprintf("%d twice: %s", i, text), w.es.mint(head(w.es).plus(text).String(), claims().String()), token.ReasonMalformed})
	}
	w.run(t, rows)
}

func TestHeaderType(t *testing.T) {
	w := mustWorld(t)
	mint := func(typ string) string { return w.es.mint(head(w.es).with("typ", typ).String(), claims().String()) }
	var rows []hostile
	for _, typ := range []string{`"logout+jwt"`, `"dpop+jwt"`, `"secevent+jwt"`, `"id+jwt"`, `"JWS"`, `"JOSE"`, `"at+jwt "`, `"text/at+jwt"`, `"application/application/jwt"`, `" "`} {
		rows = append(rows, hostile{typ, mint(typ), token.ReasonTokenType})
	}
	for _, typ := range []string{`""`, `"application/"`, `null`, `1`, `["JWT"]`} {
		rows = append(rows, hostile{typ, mint(typ), token.ReasonMalformed})
	}
	w.run(t, rows)
	for _, typ := range []string{`"JWT"`, `"jwt"`, `"at+jwt"`, `"AT+JWT"`, `"application/at+jwt"`, `"Application/JWT"`} {
		w.mustAccept(t, mint(typ), &token.Policy{})
	}
	w.mustAccept(t, w.es.mint(head(w.es).without("typ").String(), claims().String()), &token.Policy{})
	// Members that decide nothing are ignored, RFC 7515 section 4.
	w.mustAccept(t, w.es.mint(head(w.es).with("x5t", `"Y2FuYXJ5"`).with("CRIT", `["b64"]`).with("iss", `"canary"`).String(), claims().String()), &token.Policy{})
}
