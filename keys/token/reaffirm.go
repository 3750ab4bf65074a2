package token

import "context"

// Reaffirm decides anew about an identity that Authenticate returned earlier: the
// issuer is still trusted, this very key is still its key, and the issuer's
// settings, time, policy and revocations, all as they are now, still allow. It
// never waits for keys. The error is a *Refusal.
func (v *Verifier) Reaffirm(ctx context.Context, id *Identity, policy *Policy, revocations Checker) error {
	if refusal := v.reaffirm(ctx, id, policy, revocations); refusal != nil {
		refusal.Token = id
		return refusal
	}
	return nil
}

func (v *Verifier) reaffirm(ctx context.Context, id *Identity, policy *Policy, revocations Checker) *Refusal {
	id, refusal := v.still(id)
	if refusal != nil {
		return refusal
	}
	return v.judge(ctx, id, policy, revocations, nil)
}

// still returns the identity by the settings that its issuer has now, if the issuer
// is trusted and this very key is still its key.
func (v *Verifier) still(id *Identity) (*Identity, *Refusal) {
	issuer := (*v.issuers.Load())[id.named]
	if issuer == nil {
		return nil, refuse(ReasonIssuer, "the issuer is missing or not trusted")
	}
	set := issuer.Keys.Set()
	if set.Len() == 0 {
		return nil, refuse(ReasonUnavailable, "the issuer's keys are not at hand")
	}
	key, found := set.Key(id.key.ID())
	if !found || key != id.key && !key.Same(id.key) || id.header.kid == "" && set.Len() != 1 {
		return nil, refuse(ReasonUnknownKey, "the issuer has withdrawn the key")
	}
	if issuer != id.issuer {
		return id.under(issuer)
	}
	return id, nil
}

// under reads the token again by the settings of an issuer that Trust has
// replaced since. Only the signature need not be checked again.
func (id *Identity) under(issuer *Issuer) (*Identity, *Refusal) {
	switch {
	case id.header.kid == "" && !issuer.Legacy.NoKID:
		return nil, refuse(ReasonUnknownKey, "the header has no kid")
	case !issuer.allows(id.Algorithm):
		return nil, refuse(ReasonAlgorithm, "the issuer may not use this algorithm any more")
	case !issuer.acceptsTyp(id.header.typ):
		return nil, refuse(ReasonTokenType, FaultWrongType)
	}
	next, refusal := readClaims(id.claims, issuer)
	if refusal != nil {
		return nil, refusal
	}
	next.seal(id.key, id.header, id.signed)
	return next, nil
}
