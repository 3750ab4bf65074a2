package revocation

import (
	"context"
	"fmt"
	"time"
)

// Recovery says how a store that has lost revocations, of which nobody who knew them
// all is left, is to vouch for old tokens again.
type Recovery struct {
	// EndAll makes a cut-off of every one of Issuers first: all sessions end, and
	// people log in again. Without it what was lost counts as never revoked.
	EndAll  bool
	Issuers []string
	// Endless says of which of them it is not known how long a token can live: its
	// cut-off does not end. Nil: of none.
	Endless func(issuer string) bool
	Reason  string // of the cut-offs, for people
	Actor   string // who said so, for people
}

// Recover makes the epoch vouch for every token, and ends the mending of a loss.
// ErrInvalid when EndAll names no issuer. ErrUnavailable: it may be done in part;
// asking again is safe.
func (r *Redis) Recover(ctx context.Context, how Recovery) error {
	return r.recoverBy(ctx, how, r.Revoke)
}

// recoverBy is Recover with its cut-offs made by revoke.
func (r *Redis) recoverBy(ctx context.Context, how Recovery, revoke func(context.Context, Order) (Revocation, error)) error {
	if how.EndAll && len(how.Issuers) == 0 {
		return fmt.Errorf("recover: %w: no issuer", ErrInvalid)
	}
	if len(how.Actor) > MaxText {
		return fmt.Errorf("recover: %w: actor longer than %d bytes", ErrInvalid, MaxText)
	}
	mode := "accept-loss"
	if how.EndAll {
		mode = "end-all"
		for _, issuer := range how.Issuers {
			o := Order{Kind: KindAll, Issuer: issuer, Reason: how.Reason, Actor: how.Actor}
			if how.Endless != nil && how.Endless(issuer) {
				o.ExpiresAt = time.Unix(Latest, 0)
			}
			if _, err := revoke(ctx, o); err != nil {
				return fmt.Errorf("recover: %w", err)
			}
		}
	}
	_, err := r.run(ctx, r.scripts.recover, []string{r.names.epoch, r.names.feed}, fresh(16), r.seen.Load(), mode+" "+how.Actor)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	return nil
}
