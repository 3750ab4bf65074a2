package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/keys/token"
	"tollgate/revocation"
)

func TestPolicies(t *testing.T) {
	w := mustWorld(t)
	own := func(d doc) string { return w.es.mint(head(w.es).String(), d.String()) }
	other := func(d doc) string { return w.foreign.mint(head(w.foreign).String(), d.String()) }
	refresh := claims().with("token_type", `"refresh"`)
	types := func(names ...string) token.Policy { return token.Policy{TokenTypes: names} }
	audiences := func(names ...string) token.Policy { return token.Policy{Audiences: names} }
	scopes := func(names ...string) token.Policy { return token.Policy{Scopes: names} }
	for _, row := range []struct {
		name   string
		raw    string
		policy token.Policy
		want   token.Reason
	}{
		{"access as access", own(claims()), types("access"), ""},
		{"access as refresh", own(claims()), types("refresh"), token.ReasonTokenType},
		{"refresh as access", own(refresh), token.Policy{}, token.ReasonTokenType},
		{"refresh as refresh", own(refresh), types("refresh"), ""},
		{"either", own(refresh), types("access", "refresh"), ""},
		{"refresh may live a day", own(refresh.with("exp", "1800080000")), types("refresh"), ""},
		{"access may not", own(claims().with("exp", "1800080000")), token.Policy{}, token.ReasonLifetime},
		{"other's without a type, as access", other(others()), token.Policy{}, ""},
		{"other's without a type, as refresh", other(others()), types("refresh"), token.ReasonTokenType},
		{"other's refresh as access", other(others().with("token_type", `"refresh"`)), token.Policy{}, token.ReasonTokenType},
		{"other's with an empty type", other(others().with("token_type", `""`)), token.Policy{}, token.ReasonTokenType},
		{"own without a type where any is taken", own(claims().without("token_type")), types("access", "refresh", ""), token.ReasonTokenType},

		{"route's audience", own(claims().with("aud", `["shop","admin"]`)), audiences("admin"), ""},
		{"one of the route's", own(claims().with("aud", `["shop","admin"]`)), audiences("ops", "admin"), ""},
		{"issuer's audience but not the route's", own(claims()), audiences("admin"), token.ReasonAudience},
		{"route's audience but not the issuer's", own(claims().with("aud", `"admin"`)), audiences("admin"), token.ReasonAudience},
		{"nobody's audience asked for", other(others().with("aud", `"anybody"`)), token.Policy{}, ""},
		{"nobody's audience asked for, malformed all the same", other(others().with("aud", `[]`)), token.Policy{}, token.ReasonAudience},
		{"route's audience of a token without one", other(others()), audiences("shop"), token.ReasonAudience},

		{"scope", own(claims()), scopes("canary:read"), ""},
		{"both scopes", own(claims()), scopes("canary:write", "canary:read"), ""},
		{"a scope too many", own(claims()), scopes("canary:read", "canary:admin"), token.ReasonScope},
		{"scope missing", own(claims().without("scope")), scopes("canary:read"), token.ReasonScope},
		{"scope null", own(claims().with("scope", "null")), scopes("canary:read"), token.ReasonScope},
		{"scope as an array", own(claims().with("scope", `["canary:read","x"]`)), scopes("canary:read"), ""},
		{"an array element is one scope", own(claims().with("scope", `["canary:read x"]`)), scopes("canary:read"), token.ReasonScope},
		{"part of a scope", own(claims().with("scope", `"canary:readonly"`)), scopes("canary:read"), token.ReasonScope},
		{"scope in another case", own(claims().with("scope", `"Canary:Read"`)), scopes("canary:read"), token.ReasonScope},
		{"blanks around", own(claims().with("scope", `"  x   canary:read "`)), scopes("canary:read"), ""},
		{"a no-break space is no blank", own(claims().with("scope", `"x\u00a0canary:read"`)), scopes("canary:read"), token.ReasonScope},
		{"a newline is no blank", own(claims().with("scope", `"x\ncanary:read"`)), scopes("canary:read"), token.ReasonScope},
	} {
		t.Run(row.name, func(t *testing.T) {
			id, err := w.verifier.Authenticate(t.Context(), row.raw, &row.policy, allClear)
			if row.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			w.refused(t, row.raw, id, err, row.want)
		})
	}
}

// TestOrderOfReasons: of several faults the one is reported that comes first in
// the order of the package comment, so that the answer does not depend on chance.
func TestOrderOfReasons(t *testing.T) {
	w := mustWorld(t)
	revoked := &staticChecker{revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}}
	policy := &token.Policy{Scopes: []string{"canary:admin"}}
	d := claims().with("exp", "1").with("nbf", "1900000000").with("aud", `"x"`).with("token_type", `"refresh"`)
	for _, row := range []struct {
		want  token.Reason
		mends func()
	}{
		{token.ReasonExpired, func() { d = d.with("exp", "1900000000") }},
		{token.ReasonNotYetValid, func() { d = d.with("nbf", "1").with("iat", "1") }},
		{token.ReasonLifetime, func() { d = d.with("exp", "1800000300").with("iat", "1800000000") }},
		{token.ReasonAudience, func() { d = d.with("aud", `"shop"`) }},
		{token.ReasonTokenType, func() { d = d.with("token_type", `"access"`) }},
		{token.ReasonRevoked, func() { revoked = allClear }},
		{token.ReasonScope, nil},
	} {
		raw := w.es.mint(head(w.es).String(), d.String())
		id, err := w.verifier.Authenticate(t.Context(), raw, policy, revoked)
		w.refused(t, raw, id, err, row.want)
		if r, ok := errors.AsType[*token.Refusal](err); !ok || r.Token == nil || r.Token.Subject != "canary-sub" {
			t.Errorf("%s: a good signature, and no identity to log", row.want)
		}
		if row.mends != nil {
			row.mends()
		}
	}
}

// TestRefusalKnowsNoUnverifiedIdentity: what is refused before the signature was
// looked at, or for its form, has no identity.
func TestRefusalKnowsNoUnverifiedIdentity(t *testing.T) {
	w := mustWorld(t)
	for want, raw := range map[token.Reason]string{
		token.ReasonMissing: "", token.ReasonMalformed: w.good() + "=", token.ReasonSignature: w.stranger.mint(head(w.stranger).String(), claims().String()),
		token.ReasonAlgorithm:  w.es.mint(head(w.es).with("alg", `"none"`).String(), claims().String()),
		token.ReasonUnknownKey: w.es.mint(head(w.es).without("kid").String(), claims().String()),
		token.ReasonIssuer:     w.es.mint(head(w.es).String(), claims().without("iss").String()),
	} {
		id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
		w.refused(t, raw, id, err, want)
		if r, _ := errors.AsType[*token.Refusal](err); r.Token != nil || r.Err != nil || !strings.HasPrefix(r.Error(), "token refused: "+string(want)+": ") {
			t.Errorf("%s: %#v", want, r)
		}
	}
}

// TestLeewayOfIssuer: an issuer may be held to a smaller one than ours, never to
// a greater one.
func TestLeewayOfIssuer(t *testing.T) {
	s := mustSigner(t, "kid-es", "ES256")
	const none = -1 // the operator's own 0
	for leeway, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Second: time.Second, time.Minute: 10 * time.Second, none: 0} {
		v := mustVerifier(t, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s), Leeway: max(0, leeway), NoLeeway: leeway == none})
		for age, accepted := range map[time.Duration]bool{want - time.Millisecond: true, want: false} {
			exp := fmt.Sprintf("%.3f", float64(kitTime.Add(-age).UnixMilli())/1e3)
			_, err := v.Authenticate(t.Context(), s.mint(head(s).String(), others().with("exp", exp).String()), &token.Policy{}, allClear)
			if (err == nil) != accepted {
				t.Errorf("leeway %s, expired for %s: %v", leeway, age, err)
			}
		}
	}
}
