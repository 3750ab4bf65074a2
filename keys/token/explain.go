package token

import "context"

// Step is one check on the way from a token string to an identity.
type Step string

// The steps in their order. Each goes forward only: what stands behind a step that
// failed was not looked at.
const (
	StepForm       Step = "form"       // at most MaxBytes, three segments of canonical base64url
	StepHeader     Step = "header"     // strict JSON, no member that chooses how to check it
	StepPayload    Step = "payload"    // strict JSON
	StepIssuer     Step = "issuer"     // trusted
	StepKey        Step = "key"        // the issuer has the key that the header names
	StepAlgorithm  Step = "algorithm"  // the header's is the key's, and the issuer may use it
	StepSignature  Step = "signature"  // the key signed this
	StepTyp        Step = "typ"        // the header's typ is one that the issuer uses
	StepClaims     Step = "claims"     // in their form: exp, sub, jti, sid, aud, scope, no cnf
	StepTimes      Step = "times"      // exp, nbf, iat, longest life
	StepAudience   Step = "audience"   // of issuer and route
	StepTokenType  Step = "token_type" // one that the route takes
	StepRevocation Step = "revocation" // nothing in force covers it, and somebody can say so
	StepScope      Step = "scope"      // the scopes that the route asks for
	StepClaimRules Step = "claim"      // the claims that the route asks for
)

// Steps lists every step in the order in which they are taken.
func Steps() []Step {
	return []Step{StepForm, StepHeader, StepPayload, StepIssuer, StepKey, StepAlgorithm, StepSignature, StepTyp, StepClaims,
		StepTimes, StepAudience, StepTokenType, StepRevocation, StepScope, StepClaimRules}
}

// trace notes the steps that were passed. Nil notes nothing, which is what every
// request has: a step then costs one comparison.
type trace struct {
	passed []Step
	watch  *watch // takes the time in place of noting; nil: it is to explain
}

func (t *trace) pass(s Step) {
	if t != nil {
		t.note(s)
	}
}

func (t *trace) note(s Step) {
	if t.watch != nil {
		t.watch.lap(stageOf(s))
		return
	}
	t.passed = append(t.passed, s)
}

// found notes that the steps up to the claims' form were passed before.
func (t *trace) found() {
	if t != nil && t.watch != nil {
		t.watch.lap(StageMemory)
	}
}

// explains reports whether the way is to be gone whole.
func (t *trace) explains() bool { return t != nil && t.watch == nil }

// Explanation is how Authenticate came to its verdict.
type Explanation struct {
	// Passed are the steps that the token passed, in their order.
	Passed []Step
	// Failed is the step at which it was refused; empty when it was not.
	Failed Step
	// Refusal is what Authenticate returns; nil when the token is accepted.
	Refusal *Refusal
	// Token is what the token says, known once its signature and form were good.
	Token *Identity
}

// Explain takes a token through the very code of Authenticate and says how far it
// came. Only what is remembered is left out: the signature is checked again.
func (v *Verifier) Explain(ctx context.Context, raw string, policy *Policy, revocations Checker) Explanation {
	var t trace
	if raw == "" {
		return Explanation{Failed: StepForm, Refusal: refuse(ReasonMissing, "no token")}
	}
	id, refusal := v.verify(ctx, raw, digest{}, &t)
	if refusal == nil {
		refusal = v.judge(ctx, id, policy, revocations, &t)
	}
	e := Explanation{Passed: t.passed, Refusal: refusal, Token: id}
	if refusal != nil {
		refusal.Token = id
		e.Failed = Steps()[len(t.passed)] // the order is fixed: it is the next
	}
	return e
}
