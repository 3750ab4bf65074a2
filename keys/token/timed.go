package token

import (
	"context"
	"time"
)

// The stages of AuthenticateTimed.
const (
	StageMemory     = "memory"     // found among the remembered ones
	StageParse      = "parse"      // form, header, claims as JSON, issuer
	StageKey        = "key"        // found, and fit for the algorithm
	StageSignature  = "signature"  // checked
	StageClaims     = "claims"     // everything that the claims have to say, issuer's and route's rules
	StageRevocation = "revocation" // asked about
)

// stageOf names the stage that ends with a step.
func stageOf(s Step) string {
	switch s {
	case StepForm, StepHeader, StepPayload, StepIssuer:
		return StageParse
	case StepKey, StepAlgorithm:
		return StageKey
	case StepSignature:
		return StageSignature
	case StepRevocation:
		return StageRevocation
	case StepTyp, StepClaims, StepTimes, StepAudience, StepTokenType, StepScope, StepClaimRules:
	}
	return StageClaims
}

// watch tells how long each stage took. It belongs to one goroutine.
type watch struct {
	last  time.Time
	stage string
	took  time.Duration
	tell  func(stage string, took time.Duration)
}

// lap adds the time since the last lap to a stage, and reports the stage before when
// another one begins.
func (w *watch) lap(stage string) {
	now := time.Now()
	if stage != w.stage {
		w.end()
		w.stage = stage
	}
	w.took += now.Sub(w.last)
	w.last = now
}

// end reports the stage that was being measured.
func (w *watch) end() {
	if w.stage != "" {
		w.tell(w.stage, w.took)
	}
	w.stage, w.took = "", 0
}

// AuthenticateTimed is Authenticate, and reports how long each stage took that the token
// passed. A stage that comes twice (claims are looked at before and after the
// revocations) is reported twice. It reads the clock at each step, so it is meant for a
// sample of the requests.
func (v *Verifier) AuthenticateTimed(ctx context.Context, raw string, policy *Policy, revocations Checker, tell func(stage string, took time.Duration)) (*Identity, error) {
	if raw == "" {
		return nil, refuse(ReasonMissing, "no token")
	}
	w := &watch{last: time.Now(), tell: tell}
	t := &trace{watch: w}
	id, refusal := v.recognise(ctx, raw, t)
	if refusal == nil {
		refusal = v.judge(ctx, id, policy, revocations, t)
	}
	w.end()
	if refusal != nil {
		refusal.Token = id
		return nil, refusal
	}
	return id, nil
}
