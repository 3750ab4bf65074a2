package token_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// TestAuthenticateTimed: the verdict is that of Authenticate, what was found in memory
// is told as that, and stages come in their order.
func TestAuthenticateTimed(t *testing.T) {
	w := mustWorld(t)
	remembering, err := token.New(token.Config{MemoryBytes: 1 << 20, Leeway: 10 * time.Second, Now: func() time.Time { return kitTime }, Issuers: []token.Issuer{{Name: otherIssuer, Keys: mustKeys(t, w.es)}}})
	if err != nil {
		t.Fatal(err)
	}
	good := w.es.mint(head(w.es).String(), others().String())
	whole := []string{token.StageParse, token.StageKey, token.StageSignature, token.StageClaims, token.StageRevocation, token.StageClaims}
	for _, row := range []struct {
		name, raw string
		checker   token.Checker
		stages    []string
		reason    token.Reason
	}{
		{"no token", "", allClear, nil, token.ReasonMissing},
		{"malformed", "x", allClear, nil, token.ReasonMalformed},
		{"never seen", good, allClear, whole, ""},
		{"remembered", good, allClear, []string{token.StageMemory, token.StageClaims, token.StageRevocation, token.StageClaims}, ""},
		{"revoked", good, &staticChecker{revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}}, []string{token.StageMemory, token.StageClaims}, token.ReasonRevoked},
		{"another key", w.es.mint(head(w.es).with("kid", `"x"`).String(), others().String()), allClear, []string{token.StageParse}, token.ReasonUnknownKey},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stages []string
			id, err := remembering.AuthenticateTimed(t.Context(), row.raw, &token.Policy{}, row.checker, func(stage string, took time.Duration) {
				if took < 0 {
					t.Errorf("%s took %s", stage, took)
				}
				stages = append(stages, stage)
			})
			if !slices.Equal(stages, row.stages) {
				t.Errorf("stages %q, want %q", stages, row.stages)
			}
			if row.reason != "" {
				if refused, ok := errors.AsType[*token.Refusal](err); !ok || refused.Reason != row.reason || id != nil {
					t.Fatalf("%v, want %s", err, row.reason)
				}
				return
			}
			if err != nil || id == nil {
				t.Fatal(err)
			}
		})
	}
}
