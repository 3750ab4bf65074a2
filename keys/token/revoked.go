package token

import (
	"context"
	"time"

	"tollgate/revocation"
)

// judgeRevocation asks about the token and then about its actor, if it has one: both
// have to stand.
func judgeRevocation(ctx context.Context, id *Identity, p *Policy, revocations Checker) *Refusal {
	refusal := judgeStanding(ctx, id, &id.revocable, p, revocations)
	if refusal == nil && id.acting != nil {
		refusal = judgeStanding(ctx, id, id.acting, p, revocations)
	}
	return refusal
}

// judgeStanding decides about one of the two.
func judgeStanding(ctx context.Context, id *Identity, t *revocation.Token, p *Policy, revocations Checker) *Refusal {
	verdict := id.check(ctx, t, revocations)
	fresh := verdict.Stale <= p.MaxStale
	if verdict.State == revocation.Clear && !fresh {
		if c, ok := revocations.(CatcherUp); ok {
			verdict, fresh = caughtUp(ctx, id, t, p, revocations, c)
		}
	}
	switch {
	case verdict.State == revocation.Revoked:
		return refuse(ReasonRevoked, revokedBy(verdict.Kind))
	case verdict.State == revocation.Clear && fresh:
		return nil
	case p.OnUnavailable == Allow && (verdict.State == revocation.Clear || verdict.Cause == revocation.CauseUnreachable):
		if p.Uncertain != nil {
			p.Uncertain(verdict)
		}
		return nil
	}
	return &Refusal{Reason: ReasonUnavailable, Fault: unavailableBecause(verdict), Err: verdict.Err}
}

// caughtUp asks again after the copy was brought up to date. What is then no older
// than the question itself is fresh under every policy. When it could not be brought
// up to date the verdict is Unknown, and says whether that is because nobody answers.
func caughtUp(ctx context.Context, id *Identity, t *revocation.Token, p *Policy, revocations Checker, c CatcherUp) (verdict revocation.Verdict, fresh bool) {
	asked := time.Now()
	err := c.CatchUp(ctx)
	verdict = id.check(ctx, t, revocations)
	fresh = verdict.Stale <= max(p.MaxStale, time.Since(asked))
	if verdict.State == revocation.Clear && !fresh {
		verdict = revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseOf(err), Stale: verdict.Stale, Err: err}
	}
	return verdict, fresh
}

// Preparer is a Checker that answers faster about a token it has prepared: the
// digests of a remembered token are made once.
type Preparer interface {
	Checker
	Prepare(t *revocation.Token) *revocation.Prepared
	CheckPrepared(p *revocation.Prepared) revocation.Verdict
}

// preparedToken is what one Preparer has made of a token.
type preparedToken struct {
	by            Preparer
	token, acting *revocation.Prepared // acting is nil where nobody acts
}

// check asks about t, which is the token or its actor's standing.
func (id *Identity) check(ctx context.Context, t *revocation.Token, revocations Checker) revocation.Verdict {
	by, ok := revocations.(Preparer)
	if !ok {
		return revocations.Check(ctx, t)
	}
	p := id.prepared.Load()
	if p == nil || p.by != by {
		p = &preparedToken{by: by, token: by.Prepare(&id.revocable)}
		if id.acting != nil {
			p.acting = by.Prepare(id.acting)
		}
		id.prepared.Store(p)
	}
	if t == id.acting {
		return by.CheckPrepared(p.acting)
	}
	return by.CheckPrepared(p.token)
}

func revokedBy(k revocation.Kind) Fault {
	switch k {
	case revocation.KindSession:
		return "the session was ended"
	case revocation.KindSubject:
		return "the subject's sessions were ended"
	case revocation.KindKey:
		return "the key was revoked"
	case revocation.KindAll:
		return "all tokens of the issuer up to then were revoked"
	}
	return "the token was revoked"
}

func unavailableBecause(v revocation.Verdict) Fault {
	switch v.Cause {
	case revocation.CauseLost:
		return "the token is older than what the revocation store can vouch for"
	case revocation.CauseLoading:
		return "the revocations are not loaded yet"
	case revocation.CauseUnreachable:
		return "the revocation store cannot be reached"
	case revocation.CauseBroken:
		return "the revocation store answers with errors"
	}
	return "what is known of the revocations is too old"
}
