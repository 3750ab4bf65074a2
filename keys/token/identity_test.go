package token_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
)

func TestIdentity(t *testing.T) {
	w := mustWorld(t)
	id := w.mustAccept(t, w.good(), &token.Policy{})
	if id.Issuer != ownIssuer || id.Subject != "canary-sub" || id.JTI != "canary-jti" || id.SID != canarySession || id.KeyID != "kid-es" ||
		id.TokenType != "access" || id.Algorithm != keys.ES256 || !id.Own || id.Born != 1_799_999_000_000_000 {
		t.Errorf("identity %+v", id)
	}
	if !id.IssuedAt.Equal(kitTime.Add(-5*time.Minute)) || !id.ExpiresAt.Equal(kitTime.Add(5*time.Minute)) {
		t.Errorf("from %s to %s", id.IssuedAt, id.ExpiresAt)
	}
	if !slices.Equal(id.Scopes(), []string{"canary:read", "canary:write"}) || !slices.Equal(id.Audience(), []string{"shop"}) {
		t.Errorf("scopes %q, audience %q", id.Scopes(), id.Audience())
	}
	names := []string{"iss", "sub", "jti", "token_type", "iat", "exp", "aud", "sid", "scope"}
	if !slices.Equal(id.Names(), names) {
		t.Errorf("names %q", id.Names())
	}
	bare := w.mustAccept(t, w.foreign.mint(head(w.foreign).String(), others().without("iat", "scope").with("exp", "1800000300.75").String()), &token.Policy{})
	if !bare.IssuedAt.IsZero() || bare.ExpiresAt.Unix() != 1800000300 || bare.TokenType != "" || bare.SID != "" || bare.Born != 0 || bare.Scopes() != nil || bare.Audience() != nil {
		t.Errorf("identity %+v", bare)
	}
}

func TestClaims(t *testing.T) {
	w := mustWorld(t)
	const absence = "(none)"
	for _, row := range []struct{ value, text, raw string }{
		{`"plain"`, "plain", `"plain"`}, {`""`, "", `""`}, {`"\u00e9\n\ud83d\ude00\/"`, "é\n😀/", `"\u00e9\n\ud83d\ude00\/"`},
		{`42`, "42", "42"}, {`-0.50e+1`, "-0.50e+1", "-0.50e+1"}, {`12345678901234567890123`, "12345678901234567890123", "12345678901234567890123"},
		{`true`, "true", "true"}, {`false`, "false", "false"}, {`null`, absence, "null"},
		{`["a","b c"]`, "a b c", `["a","b c"]`}, {` [ ] `, "", `[ ]`}, {`["\u0061" , "b"]`, "a b", `["\u0061" , "b"]`},
		{`["a",1]`, `["a",1]`, `["a",1]`}, {`[["a"]]`, `[["a"]]`, `[["a"]]`}, {`{"b": 1, "a":[ ]}`, `{"b": 1, "a":[ ]}`, `{"b": 1, "a":[ ]}`},
	} {
		id := w.mustAccept(t, w.es.mint(head(w.es).String(), claims().with("x", row.value).String()), &token.Policy{})
		text, ok := id.Text("x")
		if ok != (row.text != absence) || ok && text != row.text {
			t.Errorf("Text of %s: %q, %v", row.value, text, ok)
		}
		if raw, ok := id.Raw("x"); !ok || string(raw) != row.raw {
			t.Errorf("Raw of %s: %s, %v", row.value, raw, ok)
		}
		if !id.Has("x") {
			t.Errorf("Has of %s", row.value)
		}
		n, ok := id.Number("x")
		if isNumber := strings.ContainsAny(row.value[:1], "-0123456789"); ok != isNumber || row.value == "-0.50e+1" && n != -5 {
			t.Errorf("Number of %s: %v, %v", row.value, n, ok)
		}
	}
	id := w.mustAccept(t, w.good(), &token.Policy{})
	for _, name := range []string{"x", "SUB", "\u017fub", ""} {
		_, text := id.Text(name)
		_, raw := id.Raw(name)
		_, number := id.Number(name)
		if text || raw || number || id.Has(name) {
			t.Errorf("a claim %q", name)
		}
	}
}
