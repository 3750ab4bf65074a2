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
	issuer, refusal := v.issuerOf(id.claims)
	if refusal != nil {
		return refusal
	}
	if key, found := issuer.Keys.Set().Key(id.key.ID()); !found || !key.Same(id.key) {
		return refuse(ReasonUnknownKey, "the issuer has withdrawn the key")
	}
	if issuer != id.issuer {
		if id, refusal = id.under(issuer); refusal != nil {
			return refusal
		}
	}
	return v.judge(ctx, id, policy, revocations)
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
	next.KeyID, next.Algorithm, next.key, next.signed, next.header = id.KeyID, id.Algorithm, id.key, id.signed, id.header
	return next, nil
}
