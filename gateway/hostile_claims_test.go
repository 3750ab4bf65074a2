package gateway

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// Two members of one name are two tokens in one, whatever their case and however
// they are escaped: golang-jwt reads the last.
func TestMustHold03_StrictJSON(t *testing.T) {
	refusedEach(t, func(f *forge) forgeries {
		out := forgeries{}
		for name, member := range map[string]string{
			"a second sub": `"sub":"root"`, "a second sub in upper case": `"SUB":"root"`, "a second sub with a long s": `"ſub":"root"`, "a second sub, escaped": `"\u0073ub":"root"`, "a second jti in upper case": `"JTI":"fresh"`, "a second exp in upper case": `"EXP":9999999999`,
			"a second iss": `"iss":"https://evil.test"`, "a second member of no meaning": `"x":1,"x":2`, "two members in two cases": `"Xy":1,"xY":2`,
		} {
			out[name+", first"] = f.sign(f.head(nil), "{"+member+","+f.claims(nil)[1:])
			claims := f.claims(nil)
			out[name+", last"] = f.sign(f.head(nil), claims[:len(claims)-1]+","+member+"}")
		}
		for name, text := range map[string]string{
			"%s and a second object": "%s{}", "%s and a word": "%s x", "%s and a NUL": "%s\x00", "%s in an array": "[%s]", "%s behind a byte order mark": "\ufeff%s", "%s as text": "%q", "%s with a comma": "%s,", "a comment before %s": "/**/%s",
		} {
			out[fmt.Sprintf(name, "claims")] = f.sign(f.head(nil), fmt.Sprintf(text, f.claims(nil)))
			out[fmt.Sprintf(name, "header")] = f.sign(fmt.Sprintf(text, f.head(nil)), f.claims(nil))
		}
		for _, claims := range []string{"", "null", "[]", "1", `"x"`, "{}", "{", "{]", strings.Repeat("[", 2000), `{"a":`, "{\"sub\":\"\xff\"}", `{"sub":"\ud800"}`, "{'sub':'42'}", "{sub:42}"} {
			out["claims are "+claims[:min(len(claims), 20)]] = f.sign(f.head(nil), claims)
			out["header is "+claims[:min(len(claims), 20)]] = f.sign(claims, f.claims(nil))
		}
		out["a second alg"] = f.sign(`{"alg":"none",`+f.head(nil)[1:], f.claims(nil))
		out["a second alg in upper case"] = f.sign(`{"ALG":"none",`+f.head(nil)[1:], f.claims(nil))
		out["a second kid"] = f.sign(`{"kid":"nobody",`+f.head(nil)[1:], f.claims(nil))
		out["text that is no UTF-8"] = f.sign(f.head(nil), strings.Replace(f.claims(nil), "read write", "\xc3\x28", 1))
		return out
	})
}

// Nothing that a header asks for is done, and nothing is fetched because of a
// token: jwx CVE-2023-49290, CVE-2024-28122, go-jose CVE-2024-28180,
// GHSA-2c7c.
func TestMustHold04_HeaderGivesNoOrders(t *testing.T) {
	refusedEach(t, func(f *forge) forgeries {
		out := forgeries{}
		orders := members{
			"crit": []string{"exp"}, "b64": false, "jku": f.fetch + "/jwks", "x5u": f.fetch + "/chain", "jwk": members{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "x5c": []string{"AA"}, "zip": "DEF", "enc": "A256GCM", "cty": "JWT",
		}
		for name, value := range orders {
			out[name] = f.under(members{name: value})
			out[name+", empty"] = f.under(members{name: ""})
			out[name+", null"] = f.under(members{name: null})
		}
		out["crit that is known"] = f.under(members{"crit": []string{"b64"}, "b64": true})
		out["an empty crit"] = f.under(members{"crit": []string{}})
		out["password-based encryption"] = f.under(members{"alg": "PBES2-HS512+A256KW", "p2c": 1 << 30, "p2s": "AA"})
		return out
	})
}

func TestMustHold05_AccessTokensOnly(t *testing.T) {
	refusedEach(t, func(f *forge) forgeries {
		out := forgeries{}
		for _, kind := range []any{"refresh", "sliding", "Access", "access ", "ACCESS", "", "id", "logout", "impersonation", 1, true, []string{"access"}, members{"access": true}, null, nil} {
			out[fmt.Sprintf("token_type %v", kind)] = f.with(members{"token_type": kind})
		}
		for _, typ := range []any{"refresh+jwt", "rt+jwt", "id+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWE", "JOSE", "JOSE+JSON", "application/logout+jwt", 1, []string{"JWT"}} {
			out[fmt.Sprintf("typ %v", typ)] = f.under(members{"typ": typ})
		}
		return out
	})
}

// ZITADEL GHSA-wxg7-w2v3-w38g, CVE-2026-55669, Casdoor CVE-2026-9097,
// dgrijalva/jwt-go CVE-2020-26160.
func TestMustHold06_ClaimsAreSound(t *testing.T) {
	refusedEach(t, func(f *forge) forgeries {
		now := time.Now().Unix()
		out := forgeries{
			"expired": f.with(members{"exp": now - 60}), "expired beyond the leeway by 1 s": f.with(members{"exp": now - 11}), "not yet valid": f.with(members{"nbf": now + 60}), "issued in the future": f.with(members{"iat": now + 60}),
			"bound to a key: DPoP": f.with(members{"cnf": members{"jkt": "x"}}), "bound to a certificate": f.with(members{"cnf": members{"x5t#S256": "x"}}),
		}
		for _, exp := range []any{nil, null, 0, -1, 1e18, 1e300, "9999999999", true, []int64{now + 300}, members{"exp": now}, math.MaxInt64, "", fmt.Sprint(now + 300)} {
			out[fmt.Sprintf("exp %v", exp)] = f.with(members{"exp": exp})
		}
		for _, iat := range []any{"now", true, 1e18, -1e18, []int64{now}} {
			out[fmt.Sprintf("iat %v", iat)] = f.with(members{"iat": iat})
			out[fmt.Sprintf("nbf %v", iat)] = f.with(members{"nbf": iat})
		}
		for _, iss := range []any{nil, null, "", issuerName + "/", strings.ToUpper(issuerName), " " + issuerName, []string{issuerName}, "https://evil.test", 1, issuerName + "\x00"} {
			out[fmt.Sprintf("iss %v", iss)] = f.with(members{"iss": iss})
		}
		for _, id := range []any{nil, null, "", 42, true, []string{"42"}, members{"42": 42}, strings.Repeat("x", 256), "a\nb", "a\x00b", "a\x7fb", "\r\nX-Admin: 1"} {
			out[fmt.Sprintf("sub %.20v", id)] = f.with(members{"sub": id})
			out[fmt.Sprintf("jti %.20v", id)] = f.with(members{"jti": id})
		}
		return out
	})
}
