package token_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// TestExplain: each step can be the one that fails, those before it were passed, and
// the verdict is that of Authenticate.
func TestExplain(t *testing.T) {
	w := mustWorld(t)
	sign := func(d doc) string { return w.es.mint(head(w.es).String(), d.String()) }
	plain := &token.Policy{}
	for _, row := range []struct {
		failed  token.Step
		raw     string
		policy  *token.Policy
		verdict revocation.Verdict
	}{
		{"", w.good(), plain, revocation.Verdict{State: revocation.Clear}},
		{token.StepForm, "", plain, revocation.Verdict{}},
		{token.StepForm, "a.b", plain, revocation.Verdict{}},
		{token.StepHeader, b64(`[]`) + "." + b64(`{}`) + ".AAAA", plain, revocation.Verdict{}},
		{token.StepPayload, b64(head(w.es).String()) + "." + b64(`[]`) + ".AAAA", plain, revocation.Verdict{}},
		{token.StepIssuer, sign(claims().with("iss", `"nobody"`)), plain, revocation.Verdict{}},
		{token.StepKey, w.es.mint(head(w.es).with("kid", `"other"`).String(), claims().String()), plain, revocation.Verdict{}},
		{token.StepAlgorithm, w.es.mint(head(w.es).with("alg", `"RS256"`).String(), claims().String()), plain, revocation.Verdict{}},
		{token.StepSignature, w.stranger.mint(head(w.stranger).String(), claims().String()), plain, revocation.Verdict{}},
		{token.StepTyp, w.es.mint(head(w.es).with("typ", `"logout+jwt"`).String(), claims().String()), plain, revocation.Verdict{}},
		{token.StepClaims, sign(claims().without("jti")), plain, revocation.Verdict{}},
		{token.StepTimes, sign(claims().with("exp", "1500000000")), plain, revocation.Verdict{}},
		{token.StepAudience, sign(claims().with("aud", `"x"`)), plain, revocation.Verdict{}},
		{token.StepTokenType, sign(claims().with("token_type", `"refresh"`)), plain, revocation.Verdict{}},
		{token.StepRevocation, w.good(), plain, revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}},
		{token.StepRevocation, w.good(), plain, revocation.Verdict{Cause: revocation.CauseUnreachable}},
		{token.StepScope, w.good(), &token.Policy{Scopes: []string{"x"}}, revocation.Verdict{State: revocation.Clear}},
		{token.StepClaimRules, w.good(), &token.Policy{Claims: []token.ClaimRule{{Name: "x"}}}, revocation.Verdict{State: revocation.Clear}},
	} {
		t.Run(string(row.failed), func(t *testing.T) {
			e := w.verifier.Explain(t.Context(), row.raw, row.policy, &staticChecker{row.verdict})
			want := token.Steps()
			if row.failed != "" {
				want = want[:slices.Index(want, row.failed)]
			}
			if e.Failed != row.failed || !slices.Equal(e.Passed, want) {
				t.Errorf("failed at %q after %q, want %q after %q", e.Failed, e.Passed, row.failed, want)
			}
			id, err := w.verifier.Authenticate(t.Context(), row.raw, row.policy, &staticChecker{row.verdict})
			if refused, ok := errors.AsType[*token.Refusal](err); ok {
				if e.Refusal == nil || e.Refusal.Reason != refused.Reason || e.Refusal.Fault != refused.Fault || (e.Token == nil) != (refused.Token == nil) {
					t.Errorf("explained as %v, refused with %v", e.Refusal, refused)
				}
				if strings.Contains(e.Refusal.Error(), canary) {
					t.Errorf("the refusal repeats the token: %v", e.Refusal)
				}
				return
			}
			if err != nil || e.Refusal != nil || e.Token.JTI != id.JTI {
				t.Errorf("%v, %+v", err, e)
			}
		})
	}
}

// TestExplainRemembersNothing: a token that was explained is not known by it, and
// one that is known is checked again.
func TestExplainRemembersNothing(t *testing.T) {
	s := mustSigner(t, "kid", "ES256")
	v, _ := mustRemembering(t, 1<<20, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)})
	raw := s.mint(head(s).String(), others().String())
	for range 2 {
		if e := v.Explain(t.Context(), raw, &token.Policy{}, allClear); e.Refusal != nil || len(e.Passed) != len(token.Steps()) {
			t.Fatalf("%+v", e)
		}
	}
	if n, _, hits, misses := v.Remembered(); n != 0 || hits != 0 || misses != 0 {
		t.Errorf("%d remembered, %d hits, %d misses", n, hits, misses)
	}
}
