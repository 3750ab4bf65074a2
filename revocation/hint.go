package revocation

import (
	"context"
	"fmt"
)

// HintRing is the Kind of a feed record that tells of no revocation: the issuer's keys
// have changed, and whoever holds a copy of them should fetch it anew. Nothing in the
// record is to be believed but that; keys are never taken from Redis.
const HintRing Kind = "ring"

// hintLife is how long (s) a hint stands in the feed: who was away for longer has
// fetched by himself.
const hintLife = 60

// Hint tells whoever follows the feed that the issuer's keys have changed.
// ErrUnavailable; a hint that is lost is made up for by the next regular fetch.
func (r *Redis) Hint(ctx context.Context) error {
	reply, err := r.run(ctx, r.scripts.hint, []string{r.names.epoch, r.names.feed}, fresh(16), r.seen.Load(), fresh(8), string(HintRing), hintLife)
	if err != nil {
		return fmt.Errorf("hint: %w", err)
	}
	out, err := texts(reply)
	if err != nil || len(out) != 1 {
		return fmt.Errorf("hint: %w: %w", ErrUnavailable, errReply)
	}
	now, err := number(out[0])
	if err != nil {
		return fmt.Errorf("hint: %w: %w", ErrUnavailable, err)
	}
	r.see(now)
	return nil
}
