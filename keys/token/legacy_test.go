package token_test

import (
	"context"
	"fmt"
	"testing"

	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// TestLegacy: each switch excuses from one thing and from no other.
func TestLegacy(t *testing.T) {
	s, second := mustSigner(t, "kid-es", keys.ES256), mustSigner(t, "kid-es-2", keys.ES256)
	one, two := mustKeys(t, s), mustKeys(t, s, second)
	full := others().with("aud", `"shop"`).with("token_type", `"access"`)
	bare := head(s).without("kid")
	for _, row := range []struct {
		name   string
		excuse token.Legacy
		keys   token.KeySource
		header doc
		body   doc
		with   token.Reason // with the switch; without it the token is refused
	}{
		{"no kid", token.Legacy{NoKID: true}, one, bare, full, ""},
		{"no kid, two keys", token.Legacy{NoKID: true}, two, bare, full, token.ReasonUnknownKey},
		{"no kid, no keys", token.Legacy{NoKID: true}, mustKeys(t), bare, full, token.ReasonUnknownKey},
		{"no kid, another algorithm", token.Legacy{NoKID: true}, one, bare.with("alg", `"HS256"`), full, token.ReasonAlgorithm},
		{"a kid that is not there", token.Legacy{NoKID: true}, one, bare.with("kid", `"kid-canary"`), full, token.ReasonUnknownKey},
		{"an empty kid", token.Legacy{NoKID: true}, one, bare.with("kid", `""`), full, token.ReasonMalformed},
		{"no iss", token.Legacy{NoIssuer: true}, one, head(s), full.without("iss"), ""},
		{"empty iss", token.Legacy{NoIssuer: true}, one, head(s), full.with("iss", `""`), token.ReasonIssuer},
		{"null iss", token.Legacy{NoIssuer: true}, one, head(s), full.with("iss", `null`), token.ReasonIssuer},
		{"another iss", token.Legacy{NoIssuer: true}, one, head(s), full.with("iss", `"https://canary.example"`), token.ReasonIssuer},
		{"no aud", token.Legacy{NoAudience: true}, one, head(s), full.without("aud"), ""},
		{"another aud", token.Legacy{NoAudience: true}, one, head(s), full.with("aud", `"canary"`), token.ReasonAudience},
		{"empty aud", token.Legacy{NoAudience: true}, one, head(s), full.with("aud", `[]`), token.ReasonAudience},
		{"no jti", token.Legacy{NoJTI: true}, one, head(s), full.without("jti"), ""},
		{"empty jti", token.Legacy{NoJTI: true}, one, head(s), full.with("jti", `""`), token.ReasonMalformed},
		{"another token_type", token.Legacy{NoTokenType: true}, one, head(s), full.with("token_type", `"canary"`), ""},
		{"no exp", token.Legacy{NoKID: true, NoIssuer: true, NoAudience: true, NoJTI: true, NoTokenType: true}, one, bare, full.without("exp"), token.ReasonMalformed},
		{"no sub", token.Legacy{NoKID: true, NoIssuer: true, NoAudience: true, NoJTI: true, NoTokenType: true}, one, bare, full.without("sub"), token.ReasonMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := s.mint(row.header.String(), row.body.String())
			issuer := token.Issuer{Name: otherIssuer, Keys: row.keys, Audiences: []string{"shop"}}
			w := &world{verifier: mustVerifier(t, issuer), signers: []*signer{s, second}}
			if id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear); err == nil {
				t.Errorf("without the switch: %+v", id)
			}
			issuer.Legacy = row.excuse
			w.verifier = mustVerifier(t, issuer)
			c := &checker{verdict: revocation.Verdict{State: revocation.Clear}}
			id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, c)
			if row.with != "" {
				w.refused(t, raw, id, err, row.with)
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			// However little it says, it can be revoked: by its key, its subject,
			// its issuer, and by itself.
			at := len(raw) - 1 - len(b64(string(make([]byte, 64))))
			if c.asked.Issuer != otherIssuer || c.asked.KeyID != "kid-es" || c.asked.Subject != "canary-sub" || (c.asked.JTI == "") != (string(c.asked.Signed) == raw[:at]) || id.Signed() != raw[:at] {
				t.Errorf("asked for %+v", c.asked)
			}
		})
	}
}

func TestOneIssuerWithoutName(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	a := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s), Legacy: token.Legacy{NoIssuer: true}}
	b := token.Issuer{Name: ownIssuer, Keys: mustKeys(t, mustSigner(t, "kid-es", keys.ES256))}
	v := mustVerifier(t, b, a)
	id, err := v.Authenticate(t.Context(), s.mint(head(s).String(), others().without("iss").String()), &token.Policy{}, allClear)
	if err != nil || id.Issuer != otherIssuer {
		t.Errorf("%+v, %v", id, err)
	}
	b.Legacy.NoIssuer = true
	if err := v.Trust([]token.Issuer{a, b}); err == nil {
		t.Error("two issuers are excused from iss")
	}
}

func TestRefuseBeforeStore(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	for _, refuse := range []bool{false, true} {
		c := &checker{verdict: revocation.Verdict{State: revocation.Clear}}
		v := mustVerifier(t, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s), RefuseBeforeStore: refuse})
		id, err := v.Authenticate(t.Context(), s.mint(head(s).String(), others().String()), &token.Policy{}, c)
		if err != nil || c.asked.Own != refuse || id.Own {
			t.Errorf("%v: asked for %+v, %v", refuse, c.asked, err)
		}
	}
}

// awaited is a source that learns one key when it is asked for one it has not.
type awaited struct {
	token.StaticKeys
	later *keys.Set
	asked []string
}

func (a *awaited) Await(_ context.Context, kid string) *keys.Set {
	a.asked = append(a.asked, kid)
	return a.later
}

// TestAwaitsOnlyUnknownKeys: a kid that is at hand waits for nobody, and a header
// that cannot be believed asks nobody.
func TestAwaitsOnlyUnknownKeys(t *testing.T) {
	s, late := mustSigner(t, "kid-es", keys.ES256), mustSigner(t, "kid-late", keys.ES256)
	now, later := mustKeys(t, s).Set(), mustKeys(t, s, late).Set()
	mint := func(s *signer, header doc) string { return s.mint(header.String(), others().String()) }
	for _, row := range []struct {
		name       string
		now, later *keys.Set
		raw        string
		want       token.Reason
		asked      int
	}{
		{"known", now, later, mint(s, head(s)), "", 0},
		{"known, bad signature", now, later, mint(late, head(s)), token.ReasonSignature, 0},
		{"learnt", now, later, mint(late, head(late)), "", 1},
		{"learnt first of all", nil, later, mint(late, head(late)), "", 1},
		{"learnt, another algorithm", now, later, mint(late, head(late).with("alg", `"RS256"`)), token.ReasonAlgorithm, 1},
		{"not learnt", now, now, mint(late, head(late)), token.ReasonUnknownKey, 1},
		{"nothing to be had", nil, nil, mint(s, head(s)), token.ReasonUnavailable, 1},
		{"no kid", now, later, mint(late, head(late).without("kid")), token.ReasonUnknownKey, 0},
		{"no algorithm", now, later, mint(late, head(late).with("alg", `"none"`)), token.ReasonAlgorithm, 0},
		{"another issuer", now, later, late.mint(head(late).String(), claims().String()), token.ReasonIssuer, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			source := &awaited{StaticKeys: token.NewStaticKeys(row.now), later: row.later}
			w := &world{verifier: mustVerifier(t, token.Issuer{Name: otherIssuer, Keys: source}), signers: []*signer{s, late}}
			id, err := w.verifier.Authenticate(t.Context(), row.raw, &token.Policy{}, allClear)
			if row.want != "" {
				w.refused(t, row.raw, id, err, row.want)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
			if len(source.asked) != row.asked {
				t.Errorf("asked for %q", source.asked)
			}
		})
	}
}

func TestClaimRules(t *testing.T) {
	w := mustWorld(t)
	for _, row := range []struct {
		value string
		oneOf []string
		holds bool
	}{
		{`"acme"`, nil, true}, {`""`, nil, true}, {`false`, nil, true}, {`0`, nil, true}, {`[]`, nil, true}, {`null`, nil, false}, {absent, nil, false},
		{`"acme"`, []string{"acme"}, true}, {`"\u0061cme"`, []string{"other", "acme"}, true}, {`"ACME"`, []string{"acme"}, false}, {`"acme "`, []string{"acme"}, false},
		{absent, []string{""}, false}, {`null`, []string{"null", ""}, false}, {`"null"`, []string{"null"}, true},
		{`["a","acme"]`, []string{"acme"}, true}, {`["a acme"]`, []string{"acme"}, false}, {`[]`, []string{""}, false}, {`["acme",1]`, []string{"acme"}, false},
		{`{"acme":1}`, []string{"acme", `{"acme":1}`}, false}, {`[["acme"]]`, []string{"acme"}, false},
		{`1`, []string{"1"}, true}, {`1.0`, []string{"1"}, true}, {`1e0`, []string{"1"}, true}, {`"1"`, []string{"1"}, true}, {`2`, []string{"1"}, false}, {`1`, []string{"true", "x"}, false},
		{`9007199254740993`, []string{"9007199254740992"}, false}, {`9007199254740993`, []string{"9007199254740993"}, true}, {`1e400`, []string{"inf"}, false},
		{`true`, []string{"true"}, true}, {`false`, []string{"true"}, false}, {`true`, []string{"True", "1"}, false},
	} {
		d := claims().with("tenant", row.value)
		if row.value == absent {
			d = claims()
		}
		raw := w.es.mint(head(w.es).String(), d.String())
		policy := &token.Policy{Claims: []token.ClaimRule{{Name: "iss"}, {Name: "tenant", OneOf: row.oneOf}}}
		t.Run(fmt.Sprintf("%s of %q", row.value, row.oneOf), func(t *testing.T) {
			id, err := w.verifier.Authenticate(t.Context(), raw, policy, allClear)
			if !row.holds {
				w.refused(t, raw, id, err, token.ReasonClaim)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
