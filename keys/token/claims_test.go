package token_test

import (
	"fmt"
	"strings"
	"testing"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// claimed is a row about one claim of an otherwise good access token: a value as
// JSON text, or no claim at all.
type claimed struct {
	claim, value string
	want         token.Reason
}

const absent = "(absent)"

func (w *world) claimRows(rows []claimed) []hostile {
	out := make([]hostile, len(rows))
	for i, r := range rows {
		d := claims().with(r.claim, r.value)
		if r.value == absent {
			d = claims().without(r.claim)
		}
		out[i] = hostile{fmt.Sprintf("%s %.40s", r.claim, r.value), w.es.mint(head(w.es).String(), d.String()), r.want}
	}
	return out
}

func TestRefusesTimes(t *testing.T) {
	w := mustWorld(t)
	now := kitTime.Unix()
	at := func(seconds int64) string { return fmt.Sprint(now + seconds) }
	const malformed, expired, early, life = token.ReasonMalformed, token.ReasonExpired, token.ReasonNotYetValid, token.ReasonLifetime
	rows := []claimed{
		{"exp", absent, malformed}, {"exp", at(-60), expired}, {"exp", "1300819380", expired}, {"exp", "1", expired}, {"exp", "0.5", expired},
		{"exp", at(-10), expired}, {"exp", at(-11), expired}, {"exp", at(-10) + ".0", expired}, {"exp", at(-11) + ".999999", expired}, // the leeway is 10 s
		{"iat", at(11), early}, {"nbf", at(11), early}, {"nbf", at(10) + ".001", early}, {"nbf", at(86400), early}, {"iat", "253402300799", early},
		{"exp", at(3301), life}, {"exp", at(86400 * 365), life}, {"exp", "253402300799", life}, {"iat", at(-3301), life}, {"iat", "1", life},
		{"iat", absent, ""}, {"exp", at(3300), ""}, {"iat", at(-3300), ""},
		{"exp", at(-9), ""}, {"exp", at(-10) + ".001", ""}, {"exp", at(300) + ".5", ""}, {"exp", "1.8000003e9", ""}, {"exp", "18000003E+2", ""},
		{"iat", at(10), ""}, {"nbf", at(10), ""}, {"nbf", at(0) + ".5", ""}, {"nbf", "0", ""}, {"nbf", "1", ""},
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, value := range []string{
			"-1", "-1800000300", "1e18", "1e400", "-1e400", "253402300800", "9223372036854775808", "null", "true", "false", `""`,
			`"` + at(300) + `"`, `"never"`, "[]", "[" + at(300) + "]", "{}", `{"exp":` + at(300) + `}`,
		} {
			rows = append(rows, claimed{name, value, malformed})
		}
	}
	for _, name := range []string{"exp", "iat"} {
		for _, value := range []string{"0", "0.0", "-0", "0e5", "1e-400"} {
			rows = append(rows, claimed{name, value, malformed})
		}
	}
	w.runEither(t, w.claimRows(rows))
}

// runEither is run for tables with both sides of an edge: a row that wants no
// reason has to pass.
func (w *world) runEither(t *testing.T, rows []hostile) {
	t.Helper()
	var bad []hostile
	for _, row := range rows {
		if row.want != "" {
			bad = append(bad, row)
		} else if id, err := w.verifier.Authenticate(t.Context(), row.raw, &token.Policy{}, allClear); err != nil || id == nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	w.run(t, bad)
}

func TestRefusesNames(t *testing.T) {
	w := mustWorld(t)
	const malformed, issuer = token.ReasonMalformed, token.ReasonIssuer
	longest := `"` + strings.Repeat("a", 255) + `"`
	var rows []claimed
	for _, name := range []string{"sub", "jti"} {
		rows = append(rows, claimed{name, absent, malformed}, claimed{name, longest, ""}, claimed{name, `"\u00e9 \ud83d\ude00"`, ""},
			// 128 characters, but 256 bytes.
			claimed{name, `"` + strings.Repeat("é", 128) + `"`, malformed})
	}
	for _, name := range []string{"sub", "jti", "sid"} {
		for _, value := range []string{
			`""`, "null", "42", "0", "true", "[]", `["canary"]`, `{"canary":1}`, `"` + strings.Repeat("a", 256) + `"`,
			`"canary\u0000"`, `"canary\n"`, `"canary\r\nX-User-Id: root"`, `"\u0007"`, `"canary\u001b[2J"`, `"canary\u007f"`, "\"canary\x7f\"", `"canary\u0085"`, `"\u009b"`, `"canary\ufffd"`,
		} {
			rows = append(rows, claimed{name, value, malformed})
		}
	}
	rows = append(rows,
		claimed{"sid", absent, ""}, claimed{"sid", `"canary"`, malformed}, claimed{"sid", `"` + canarySession + canarySession + `"`, malformed},
		claimed{"sid", `"` + canarySession + `="`, malformed}, claimed{"sid", `"` + canarySession[1:] + `"`, malformed},
		claimed{"sid", `"` + strings.Repeat("A", 32) + `"`, malformed}, // born at 0
		claimed{"sid", `"` + strings.Repeat("_", 32) + `"`, malformed}, // born before 0
		claimed{"sid", `"` + revocation.NewSessionID(1) + `"`, ""},
		claimed{"iss", absent, issuer}, claimed{"iss", "null", issuer}, claimed{"iss", `""`, issuer}, claimed{"iss", "1", issuer},
		claimed{"iss", `["` + ownIssuer + `"]`, issuer}, claimed{"iss", `"` + ownIssuer + `/"`, issuer}, claimed{"iss", `" ` + ownIssuer + `"`, issuer},
		claimed{"iss", `"` + strings.ToUpper(ownIssuer) + `"`, issuer}, claimed{"iss", `"https://own.canary.example\u0000"`, issuer},
		claimed{"iss", `"https://canary.attacker.example"`, issuer}, claimed{"iss", `"https:\/\/own.canary.example"`, ""},
		claimed{"cnf", `{"jkt":"canary"}`, malformed}, claimed{"cnf", `null`, malformed}, claimed{"cnf", `{"x5t#S256":"canary"}`, malformed})
	w.runEither(t, w.claimRows(rows))
}

func TestRefusesAudienceAndType(t *testing.T) {
	w := mustWorld(t)
	const audience, kind, malformed = token.ReasonAudience, token.ReasonTokenType, token.ReasonMalformed
	w.runEither(t, w.claimRows([]claimed{
		{"aud", `"canary"`, audience}, {"aud", absent, audience}, {"aud", `""`, audience}, {"aud", "null", audience}, {"aud", "[]", audience},
		{"aud", `[""]`, audience}, {"aud", `["canary","other"]`, audience}, {"aud", `"SHOP"`, audience}, {"aud", `"shop "`, audience},
		{"aud", `"shop canary"`, audience}, {"aud", "1", audience}, {"aud", `["shop",1]`, audience}, {"aud", `[["shop"]]`, audience},
		{"aud", `{"shop":"shop"}`, audience}, {"aud", `["shop",null]`, audience}, {"aud", `true`, audience},
		{"aud", `["shop"]`, ""}, {"aud", `[ "canary" , "s\u0068op" ]`, ""}, {"aud", `["shop","shop"]`, ""},
		{"token_type", absent, kind}, {"token_type", `"refresh"`, kind}, {"token_type", `"id"`, kind}, {"token_type", `"Access"`, kind},
		{"token_type", `"access "`, kind}, {"token_type", `""`, kind}, {"token_type", "null", kind}, {"token_type", "1", kind},
		{"token_type", `["access"]`, kind}, {"token_type", `"acc\u0065ss"`, ""},
		{"scope", "1", malformed}, {"scope", "true", malformed}, {"scope", `{"canary":1}`, malformed}, {"scope", `["canary",1]`, malformed},
		{"scope", absent, ""}, {"scope", "null", ""}, {"scope", `""`, ""}, {"scope", "[]", ""},
	}))
}

// TestRefusesDuplicates: a reader that keeps the last of two, or folds case as Go
// does, would see another token than the one that was meant. Must-hold 3.
func TestRefusesDuplicates(t *testing.T) {
	w := mustWorld(t)
	var rows []hostile
	for i, text := range []string{
		`"sub":"canary-admin"`, `"sub":"canary-sub"`, `"s\u0075b":"canary-admin"`, `"SUB":"canary-admin"`, `"Sub":"canary-admin"`,
		"\"\u017fub\":\"canary-admin\"", `"\u017fub":"canary-admin"`, `"ſ\u0055B":"canary-admin"`, `"exp":1900000000`, `"EXP":1900000000`,
		`"e\u0078p":1900000000`, `"jti":"canary-fresh"`, `"JTI":"canary-fresh"`, `"iss":"https://canary.example"`, "\"i\u017f\u017f\":\"canary\"",
		`"aud":"shop"`, `"Token_Type":"access"`, `"k":1,"K":2`, "\"k\":1,\"\u212a\":2", "\"\u03c3\":1,\"\u03c2\":2", `"":1,"":2`,
		`"å":1,"Å":2`, "\"\u00e5\":1,\"\u212b\":2", `"tenant":{"a":1,"a":2}`, `"tenant":{"a":{"\u0062":1,"b":2}}`, `"list":[{"a":1,"a":1}]`,
	} {
		rows = append(rows, hostile{fmt.Sprintf("%d %s", i, text), w.es.mint(head(w.es).String(), claims().plus(text).String()), token.ReasonMalformed})
	}
	// Beyond the few that are compared one by one.
	many := claims()
	for i := range 60 {
		many = many.with(fmt.Sprintf("claim%d", i), "1")
	}
	for _, text := range []string{`"claim3":1`, `"CLAIM59":1`, `"SUB":"canary-admin"`, "\"\u017fub\":\"canary-admin\""} {
		rows = append(rows, hostile{"among many " + text, w.es.mint(head(w.es).String(), many.plus(text).String()), token.ReasonMalformed})
	}
	w.run(t, rows)
	// Names that only look alike are two, and nested names may differ by case:
	// Keycloak lists clients there.
	id := w.mustAccept(t, w.es.mint(head(w.es).String(), many.plus(`"sub ":"x","sub\u0000":"y","ѕub":"z","clients":{"app":1,"APP":2}`).String()), &token.Policy{})
	if id.Subject != "canary-sub" {
		t.Errorf("subject %q", id.Subject)
	}
}

func TestRefusesOtherDocuments(t *testing.T) {
	w := mustWorld(t)
	good := claims().String()
	within := func(text string) string { return claims().plus(text).String() }
	var rows []hostile
	for name, text := range map[string]string{
		"empty array": "[]", "claims in an array": "[" + good + "]", "string": `"` + ownIssuer + `"`, "number": "1", "null": "null",
		"words": "canary", "blanks": "   ", "trailing bytes": good + "x", "trailing object": good + "{}", "trailing comma": good + ",", "trailing NUL": good + "\x00",
		"trailing comment": good + "//canary", "leading comment": "/*canary*/" + good, "byte order mark": "\ufeff" + good, "UTF-16": "\xff\xfe{\x00}\x00",
		"cut": good[:len(good)-1], "open string": good[:len(good)-2], "no brace": good[1:], "comma before the end": good[:len(good)-1] + ",}",
		"invalid UTF-8": within("\"a\":\"\xff\""), "invalid UTF-8 in a name": within("\"\xc3\x28\":1"), "overlong slash": within("\"a\":\"\xc0\xaf\""),
		"surrogate in UTF-8": within("\"a\":\"\xed\xa0\x80\""), "lone high surrogate": within(`"a":"\ud800"`), "lone low surrogate": within(`"a":"\udc00"`),
		"two high surrogates": within(`"a":"\ud800\ud800"`), "surrogates turned round": within(`"a":"\udc00\ud800"`), "lone surrogate in a name": within(`"\ud800":1`),
		"half a surrogate pair": within(`"a":"\ud83dx"`), "half an escape": within(`"a":"\u12"`), "unknown escape": within(`"a":"\x41"`), "escape at the end": `{"a":"\`,
		"unicode escape at the end": `{"a":"\u00`, "pair at the end": `{"a":"\ud83d\`, "escape in a name at the end": `{"\`, "raw newline in a string": within("\"a\":\"\n\""),
		"raw unit separator": within("\"a\":\"\x1f\""), "raw unit separator after an escape": within("\"a\":\"\\n\x1f\""), "raw NUL after an escape": within("\"a\":\"\\n\x00\""),
		"a pair's second half by another escape": within(`"a":"\ud83d\nde00"`),
		"raw tab in a name":                      within("\"a\t\":1"), "single quotes": `{'iss':'x'}`, "name without quotes": `{iss:"x"}`, "NaN": within(`"a":NaN`), "Infinity": within(`"a":-Infinity`),
		"leading zero": within(`"a":01`), "leading plus": within(`"a":+1`), "hexadecimal": within(`"a":0x10`), "half a number": within(`"a":1.`), "no digit": within(`"a":-`),
		"exponent without digits": within(`"a":1e`), "True": within(`"a":True`), "undefined": within(`"a":undefined`), "no value": within(`"a":`), "no colon": within(`"a" 1`),
		"vertical tab between": "\v" + good, "no-break space between": "\u00a0" + good,
		"depth bomb of arrays": within(`"a":` + strings.Repeat("[", 2500)), "closed depth bomb": within(`"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000)),
		"depth bomb of objects": within(strings.Repeat(`"a":{`, 500) + strings.Repeat("}", 500)), "17 deep": within(`"a":` + strings.Repeat("[", 17) + strings.Repeat("]", 17)),
		"129 members": within(manyMembers(129 - len(claims()))),
	} {
		rows = append(rows, hostile{name, w.es.mint(head(w.es).String(), text), token.ReasonMalformed},
			hostile{name + ", unsigned", b64(head(w.es).String()) + "." + b64(text) + ".AAAA", token.ReasonMalformed},
			hostile{name + ", as the header", b64(text) + "." + b64(good) + ".AAAA", token.ReasonMalformed})
	}
	w.run(t, rows)
	w.mustAccept(t, w.es.mint(head(w.es).String(), within(manyMembers(128-len(claims())))), &token.Policy{})
	w.mustAccept(t, w.es.mint(head(w.es).String(), within(`"a":`+strings.Repeat("[", 16)+strings.Repeat("]", 16))), &token.Policy{})
	w.mustAccept(t, w.es.mint(" \r\n\t"+head(w.es).String()+" ", "\n"+within(`"a":"\ud83d\ude00 \"\\\/\b\f\n\r\t\u0000"`)+"\n"), &token.Policy{})
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%x":1,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}
