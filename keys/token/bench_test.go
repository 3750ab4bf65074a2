package token_test

import (
	"strings"
	"testing"

	"tollgate/keys"
	"tollgate/keys/token"
)

// BenchmarkAuthenticate is a token that was never seen before, with a store that
// answers at once.
func BenchmarkAuthenticate(b *testing.B) {
	for _, alg := range append(keys.Algorithms(), keys.HS256) {
		b.Run(string(alg), func(b *testing.B) {
			s := mustSigner(b, "kid", alg)
			v := mustVerifier(b, token.Issuer{Name: otherIssuer, Keys: mustKeys(b, s)})
			raw, policy, ctx := s.mint(head(s).String(), others().String()), &token.Policy{}, b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Authenticate(ctx, raw, policy, allClear); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what a flood of worthless tokens costs.
func BenchmarkRefuse(b *testing.B) {
	w := mustWorld(b)
	for name, raw := range map[string]string{
		"no token": "x", "unknown kid": w.es.mint(head(w.es).with("kid", `"other"`).String(), claims().String()),
		"bad signature": w.stranger.mint(head(w.stranger).String(), claims().String()), "too long": strings.Repeat("A", 9<<10),
		"many members": b64(head(w.es).String()) + "." + b64("{"+manyMembers(128)+"}") + ".AAAA",
	} {
		b.Run(name, func(b *testing.B) {
			policy, ctx := &token.Policy{}, b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.verifier.Authenticate(ctx, raw, policy, allClear); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

// BenchmarkRemembered is a token that was seen before.
func BenchmarkRemembered(b *testing.B) {
	for _, alg := range []keys.Algorithm{keys.ES256, keys.RS256} {
		b.Run(string(alg), func(b *testing.B) {
			s := mustSigner(b, "kid", alg)
			v, _ := mustRemembering(b, 1<<20, token.Issuer{Name: otherIssuer, Keys: mustKeys(b, s)})
			raw, policy, ctx := s.mint(head(s).String(), others().String()), &token.Policy{}, b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Authenticate(ctx, raw, policy, allClear); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
