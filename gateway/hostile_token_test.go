package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// forge makes tokens with an edge's own key, each wrong in one respect.
type forge struct {
	*edge
	t     *testing.T
	fetch string // a server that no token may make anybody ask
}

type members = map[string]any

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// head and claims are those of a good token, with changes; a nil takes away.
func (f *forge) head(change members) string {
	return text(changed(members{"alg": "ES256", "kid": f.kid, "typ": "JWT"}, change))
}

func (f *forge) claims(change members) string {
	now := time.Now().Unix()
	return text(changed(members{
		"iss": issuerName, "sub": "42", "user_id": "42", "jti": "jti-1", "token_type": "access", "iat": now, "exp": now + 300, "scope": "read write",
	}, change))
}

func changed(m, change members) members {
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

// null is JSON's own: nil takes a member away.
var null = json.RawMessage("null")

// sign makes a compact token of two texts by a key.
func sign(key *ecdsa.PrivateKey, head, claims string) string {
	input := b64(head) + "." + b64(claims)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + b64(string(r.FillBytes(make([]byte, 32)))+string(s.FillBytes(make([]byte, 32))))
}

func (f *forge) sign(head, claims string) string { return sign(f.key, head, claims) }
func (f *forge) with(claims members) string      { return f.sign(f.head(nil), f.claims(claims)) }
func (f *forge) under(head members) string       { return f.sign(f.head(head), f.claims(nil)) }

// hmac is the oldest confusion: the public key as a secret.
func (f *forge) hmac(secret []byte) string {
	input := b64(f.head(members{"alg": "HS256"})) + "." + b64(f.claims(nil))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + b64(string(mac.Sum(nil)))
}

// forgeries are tokens by name.
type forgeries map[string]string

// refusedEach sends each token to the edge: 401 with its challenge, nothing at the
// back end, no word of it in the answer or the log.
func refusedEach(t *testing.T, list func(*forge) forgeries) {
	t.Helper()
	var asked atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer trap.Close()
	e := mustEdge(t, edgeOptions{})
	f := &forge{edge: e, t: t, fetch: trap.URL}
	if res, body := e.get(t, "GET", "/x", bearerOf(f.with(nil))...); res.StatusCode != 200 {
		t.Fatalf("a good token is refused: %d %s", res.StatusCode, body)
	}
	for name, raw := range list(f) {
		t.Run(name, func(t *testing.T) {
			res, body := e.get(t, "GET", "/x", bearerOf(raw)...)
			challenges := res.Header.Values("WWW-Authenticate")
			if res.StatusCode != 401 || len(challenges) != 1 || !strings.HasPrefix(challenges[0], `Bearer realm="api"`) || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s %q", res.StatusCode, body, challenges)
			}
			for part := range strings.SplitSeq(raw, ".") {
				if len(part) > 8 && strings.Contains(body+fmt.Sprint(res.Header)+e.logs.String(), part) {
					t.Errorf("a part of the token was repeated: %s", part)
				}
			}
		})
	}
	if n := len(e.requests()) - 1; n != 0 {
		t.Errorf("%d hostile tokens reached the back end", n)
	}
	if asked.Load() != 0 {
		t.Error("something was fetched because of a token")
	}
}

// APISIX CVE-2026-49230, json-jwt GHSA-c8v6-786g-vjx6, jwx CVE-2024-21664,
// go-jose CVE-2026-34986, CVE-2016-9122, python-jwt CVE-2022-39227.
func TestMustHold01_CredentialIsACompactToken(t *testing.T) {
	refusedEach(t, func(f *forge) forgeries {
		good := f.with(nil)
		p := strings.Split(good, ".")
		own := members{"payload": p[1], "protected": p[0], "signature": p[2]}
		return forgeries{
			"no signature": p[0] + "." + p[1] + ".", "two segments": p[0] + "." + p[1], "one segment": p[0], "four segments": good + ".x", "five segments: JWE": p[0] + ".x." + p[1] + ".x." + p[2],
			"five empty segments": "....", "no header": "." + p[1] + "." + p[2], "no payload": p[0] + ".." + p[2], "payload and header changed round": p[1] + "." + p[0] + "." + p[2],
			"padding": good + "=", "two of padding": good + "==", "padding within": p[0] + "=." + p[1] + "." + p[2], "standard alphabet": p[0] + "." + p[1] + ".+" + p[2][1:], "a slash": p[0] + "." + p[1] + "./" + p[2][1:],
			"bits that base64 does not use": p[0] + "." + p[1] + "." + spare(p[2]), "truncated by one: ZITADEL CVE-2026-27840": good[:len(good)-1], "longer by one": good + "A", "signature twice": good + p[2],
			"flattened JSON": text(own), "flattened JSON with own claims: jwx v2": text(changed(members{"sub": "admin", "iss": issuerName, "exp": time.Now().Unix() + 300, "jti": "fresh"}, own)),
			"general JSON": text(members{"payload": p[1], "signatures": []members{{"protected": p[0], "signature": p[2]}}}), "JSON array": text([]string{good}), "JSON text": text(good),
			"percent-encoded": strings.ReplaceAll(good, ".", "%2E"), "another dot": strings.Replace(good, ".", "․", 1), "9 KiB": f.with(members{"padding": strings.Repeat("x", 9<<10)}),
		}
	})
}

// spare sets a bit that base64 does not use: another spelling of the same bytes.
func spare(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	return segment[:len(segment)-1] + string(alphabet[last|1])
}

// APISIX CVE-2026-39999, the psychic signature CVE-2022-21449, go-jose
// CVE-2016-9121.
func TestMustHold02_KeyDecidesAlgorithm(t *testing.T) {
	refusedEach(t, func(f *forge) forgeries {
		der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		p := strings.Split(f.with(nil), ".")
		out := forgeries{
			"HS256 with the public key in PEM": f.hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "HS256 with the public key in DER": f.hmac(der), "HS256 with nothing": f.hmac(nil), "HS256 with the kid": f.hmac([]byte(f.kid)),
			"a stranger's key": sign(stranger, f.head(nil), f.claims(nil)), "the signature of another token": p[0] + "." + p[1] + "." + strings.Split(f.with(members{"jti": "other"}), ".")[2],
			"r and s 0": p[0] + "." + p[1] + "." + b64(strings.Repeat("\x00", 64)), "r and s the order": p[0] + "." + p[1] + "." + b64(strings.Repeat(string(order().FillBytes(make([]byte, 32))), 2)),
			"a short signature": p[0] + "." + p[1] + "." + b64(strings.Repeat("x", 63)), "a long signature": p[0] + "." + p[1] + "." + b64(strings.Repeat("x", 65)), "no kid": f.under(members{"kid": nil}),
			"other claims": p[0] + "." + b64(f.claims(members{"sub": "root"})) + "." + p[2], "another header": b64(f.head(members{"typ": "at+jwt"})) + "." + p[1] + "." + p[2],
		}
		for _, alg := range []any{"none", "None", "nOnE", "NONE", "", null, 256, []string{"ES256"}, "es256", "ES256 ", "ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "HS256", "RSA1_5", "dir", nil} {
			raw := f.under(members{"alg": alg})
			out[fmt.Sprintf("alg %v", alg)] = raw
			out[fmt.Sprintf("alg %v, no signature", alg)] = raw[:strings.LastIndexByte(raw, '.')+1]
		}
		for _, kid := range []any{"", null, 1, "nobody", f.kid + " ", strings.ToUpper(f.kid), f.kid + "\x00", "../../../dev/null", "' OR 1=1 --", "{{7*7}}", "$(id)", strings.Repeat("k", 4096), []string{f.kid}, members{"kid": f.kid}} {
			out[fmt.Sprintf("kid %.20v", kid)] = f.under(members{"kid": kid})
		}
		return out
	})
}

func order() *big.Int { return elliptic.P256().Params().N }
