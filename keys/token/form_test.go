package token_test

import (
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"tollgate/keys/token"
)

// TestRefusesOtherSpellings: one token has one spelling. Must-hold 1 of the
// security reference.
func TestRefusesOtherSpellings(t *testing.T) {
	w := mustWorld(t)
	good := w.mustMintSpelled(t)
	part := strings.Split(good, ".")
	h, p, s := part[0], part[1], part[2]
	standard := strings.NewReplacer("-", "+", "_", "/")
	const malformed = token.ReasonMalformed
	w.run(t, []hostile{
		{"nothing", "", token.ReasonMissing},
		{"no signature segment", h + "." + p, malformed},
		{"empty signature", h + "." + p + ".", malformed},
		{"empty payload", h + ".." + s, malformed},
		{"empty header", "." + p + "." + s, malformed},
		{"two dots", "..", malformed},
		{"one dot", ".", malformed},
		{"one segment", h, malformed},
		{"four segments", good + "." + s, malformed},
		{"five segments, as of a JWE", good + "." + p + "." + s, malformed},
		{"five segments, three of them empty", h + "...." + s, malformed},
		{"a dot before", "." + good, malformed},
		{"a dot after", good + ".", malformed},
		{"padded header", h + "=." + p + "." + s, malformed},
		{"padded payload", h + "." + p + "==." + s, malformed},
		{"padded signature", good + "==", malformed},
		{"standard alphabet in the signature", h + "." + p + "." + standard.Replace(s), malformed},
		{"standard alphabet in the payload", h + "." + standard.Replace(p) + "." + s, malformed},
		{"unused bits in the header", mustUnusedBits(t, h) + "." + p + "." + s, malformed},
		{"unused bits in the payload", h + "." + mustUnusedBits(t, p) + "." + s, malformed},
		{"unused bits in the signature", h + "." + p + "." + mustUnusedBits(t, s), malformed},
		{"a lone character at the end", good + "AAA", malformed},
		{"newline after", good + "\n", malformed},
		{"CRLF after", good + "\r\n", malformed},
		{"newline before", "\n" + good, malformed},
		{"newline within", h + "." + p[:8] + "\n" + p[8:] + "." + s, malformed},
		{"carriage return within", h + "." + p + "." + s[:8] + "\r" + s[8:], malformed},
		{"blank before", " " + good, malformed},
		{"blank after", good + " ", malformed},
		{"tab within", h + "\t." + p + "." + s, malformed},
		{"NUL after", good + "\x00", malformed},
		{"no-break space", good + "\u00a0", malformed},
		{"byte order mark", "\ufeff" + good, malformed},
		{"invalid UTF-8", good + "\xff", malformed},
		{"a fullwidth dot", h + "．" + p + "." + s, malformed},
		{"percent-escaped dot", h + "%2e" + p + "." + s, malformed},
		{"with its scheme", "Bearer " + good, malformed},
		{"in quotes", `"` + good + `"`, malformed},
		{"twice", good + "," + good, malformed},
		{"9 KiB", w.es.mint(head(w.es).String(), claims().with("fat", `"`+strings.Repeat("x", 9<<10)+`"`).String()), malformed},
		{"9 KiB of dots", strings.Repeat(".", 9<<10), malformed},
		{"10 MiB", strings.Repeat("A", 10<<20), malformed},
	})
}

// TestRefusesJSONSerialisations: jwx v2 verifies the flattened JWS and then reads
// the claims of the object around it (security reference 1.1).
func TestRefusesJSONSerialisations(t *testing.T) {
	w := mustWorld(t)
	part := strings.Split(w.good(), ".")
	member := func(name, value string) string { return `"` + name + `":"` + value + `"` }
	jws := member("payload", part[1]) + "," + member("protected", part[0]) + "," + member("signature", part[2])
	general := `{` + member("payload", part[1]) + `,"signatures":[{` + member("protected", part[0]) + `,` + member("signature", part[2]) + `}]}`
	forged := claims().with("sub", `"canary-admin"`).with("jti", `"canary-fresh"`).plus(jws).String()
	rows := []hostile{}
	for name, text := range map[string]string{
		"flattened":                          `{` + jws + `}`,
		"general":                            general,
		"general with no signatures":         `{` + member("payload", part[1]) + `,"signatures":[]}`,
		"claims around the flattened":        forged,
		"claims around the flattened, blank": " \n" + forged,
		"unprotected header":                 `{` + jws + `,"header":{"kid":"kid-es"}}`,
		"array of tokens":                    `["` + w.good() + `"]`,
		"string":                             `"` + w.good() + `"`,
	} {
		rows = append(rows, hostile{name, text, token.ReasonMalformed}, hostile{name + ", in base64url", b64(text), token.ReasonMalformed})
	}
	// The same attack one layer down, where three segments hide it.
	rows = append(rows,
		hostile{"forged claims as the payload", part[0] + "." + b64(forged) + "." + part[2], token.ReasonSignature},
		hostile{"flattened JWS as the header", b64(forged) + "." + part[1] + "." + part[2], token.ReasonAlgorithm})
	w.run(t, rows)
}

func TestRefusesBrokenSignatures(t *testing.T) {
	w := mustWorld(t)
	good := w.good()
	at := strings.LastIndexByte(good, '.')
	input, sig := good[:at+1], mustDecode(t, good[at+1:])
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	pair := func(r, s *big.Int) string {
		return string(r.FillBytes(make([]byte, 32))) + string(s.FillBytes(make([]byte, 32)))
	}
	flipped := append([]byte(nil), sig...)
	flipped[40] ^= 1
	body := strings.Split(good, ".")[1]
	rows := []hostile{
		{"another body", b64(head(w.es).String()) + "." + b64(claims().with("sub", `"canary-admin"`).String()) + "." + good[at+1:], token.ReasonSignature},
		{"another header", b64(head(w.es).with("typ", `"at+jwt"`).String()) + "." + body + "." + good[at+1:], token.ReasonSignature},
		{"nobody's key under our kid", w.stranger.mint(head(w.es).String(), claims().String()), token.ReasonSignature},
	}
	for name, bytes := range map[string]string{
		"one bit": string(flipped), "cut": string(sig[:63]), "cut to one byte": string(sig[:1]), "longer": string(sig) + "\x00",
		"twice": string(sig) + string(sig), "DER": string(der), "r and s swapped": pair(s, r),
		"zero (CVE-2022-21449)": pair(new(big.Int), new(big.Int)), "r and s of the order": pair(n, n), "r and s of one": pair(big.NewInt(1), big.NewInt(1)),
		"of HMAC": string(w.secret.sign(good[:at])), "of Ed25519": string(w.ed.sign(good[:at])), "of RSA": string(w.rs.sign(good[:at])),
	} {
		rows = append(rows, hostile{"signature " + name, input + b64(bytes), token.ReasonSignature})
	}
	w.run(t, rows)
	// An ECDSA signature (r, n-s) is as good as (r, s): anybody can write it. So
	// nothing may tell tokens apart by their signature; the jti stays the same.
	twin := w.mustAccept(t, input+b64(pair(r, new(big.Int).Sub(n, s))), &token.Policy{})
	if twin.JTI != "canary-jti" {
		t.Errorf("jti %q", twin.JTI)
	}
}

func TestTakesTokensUpToTheSize(t *testing.T) {
	w := mustWorld(t)
	fit := func(size int) string {
		for n := size*3/4 - 700; n < size; n++ {
			body := claims().with("fat", `"`+strings.Repeat("x", n)+`"`).String()
			for _, blanks := range []string{"", " ", "  "} {
				if raw := w.es.mint(head(w.es).String()+blanks, body); len(raw) == size {
					return raw
				}
			}
		}
		t.Fatalf("no token has %d bytes", size)
		return ""
	}
	w.mustAccept(t, fit(8192), &token.Policy{})
	over := fit(8193)
	id, err := w.verifier.Authenticate(t.Context(), over, &token.Policy{}, allClear)
	w.refused(t, over, id, err, token.ReasonMalformed)
}

// mustMintSpelled mints a good token of whose segments each has unused bits, and
// whose payload and signature use the characters that base64url changed.
func (w *world) mustMintSpelled(tb testing.TB) string {
	tb.Helper()
	header := head(w.es).String()
	for len(header)%3 == 0 {
		header += " "
	}
	body := claims().with("nick", `"~~~???>>>"`).String()
	for !strings.ContainsAny(b64(body), "-_") || len(body)%3 != 1 {
		body = " " + body
	}
	for range 1000 {
		raw := w.es.mint(header, body)
		if s := raw[strings.LastIndexByte(raw, '.'):]; strings.ContainsAny(s, "-_") {
			w.mustAccept(tb, raw, &token.Policy{})
			return raw
		}
	}
	tb.Fatal("no signature has - or _")
	return ""
}

// mustUnusedBits returns another spelling of the same bytes, as a lenient decoder
// reads it.
func mustUnusedBits(tb testing.TB, segment string) string {
	tb.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(segment) - 1
	for i := range alphabet {
		other := segment[:last] + alphabet[i:i+1]
		if b, err := base64.RawURLEncoding.DecodeString(other); other != segment && err == nil && string(b) == string(mustDecode(tb, segment)) {
			return other
		}
	}
	tb.Fatalf("segment %s has no unused bits", segment)
	return ""
}

func mustDecode(tb testing.TB, segment string) []byte {
	tb.Helper()
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
