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

// BenchmarkParse is the form, the header and the claims of a token.
func BenchmarkParse(b *testing.B) {
	w := mustWorld(b)
	raw := w.es.mint(head(w.es).String(), claims().String())
	for name, stage := range map[string]func(){"digest": func() { token.Digest(raw) }, "parse": func() {
		if err := token.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stage()
			}
		})
	}
}

// TestAllocations holds what a token costs in garbage: seen before none, else what its
// claims need and what the standard library's signature checks do (whose share moves
// with its releases; hence the room in the figures of the misses).
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	ctx, policy := t.Context(), &token.Policy{}
	for _, c := range []struct {
		name   string
		alg    keys.Algorithm
		memory int64
		most   float64
	}{
		{"hit ES256", keys.ES256, 1 << 20, 0},
		{"hit RS256", keys.RS256, 1 << 20, 0},
		{"miss RS256", keys.RS256, 0, 21},
		{"miss ES256", keys.ES256, 0, 32},
		{"miss EdDSA", keys.EdDSA, 0, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustSigner(t, "kid", c.alg)
			issuer := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)}
			v := mustVerifier(t, issuer)
			if c.memory > 0 {
				v, _ = mustRemembering(t, c.memory, issuer)
			}
			raw := s.mint(head(s).String(), others().String())
			check := func() {
				if _, err := v.Authenticate(ctx, raw, policy, allClear); err != nil {
					t.Fatal(err)
				}
			}
			least := testing.AllocsPerRun(200, check)
			for range 3 { // the memory's own upkeep may fall into a series
				least = min(least, testing.AllocsPerRun(200, check))
			}
			if least > c.most {
				t.Errorf("%v allocations, %v are accepted", least, c.most)
			}
		})
	}
	w := mustWorld(t)
	raw := w.es.mint(head(w.es).String(), claims().String())
	if n := testing.AllocsPerRun(200, func() { _ = token.Parse(raw) }); n > 9 {
		t.Errorf("parsing: %v allocations, 9 are accepted", n)
	}
}
