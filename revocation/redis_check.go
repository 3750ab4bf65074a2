package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Check asks Redis about t in one round trip. When the store has no epoch, it was
// emptied: the verdict is Unknown, unless something in it says revoked, and a new
// epoch begins, which vouches for tokens born from then on. With Confirm the verdict is
// as old as the latest beat of a Heart that replicas have confirmed: one Redis alone
// cannot say that it is still the primary.
func (r *Redis) Check(ctx context.Context, t *Token) Verdict {
	if t == nil {
		return unreachable(errors.New("check of no token"))
	}
	probes := t.probes(make([]probe, 0, maxProbes), r.settings.Own)
	e, cuts, age, err := r.lookUp(ctx, probes)
	if err != nil {
		return unreachable(fmt.Errorf("check: %w", err))
	}
	v := judge(t, e, probes, cuts)
	if r.copies.replicas > 0 {
		v.Stale = age
	}
	if e.ID == "" {
		if _, err := r.begin(ctx, false); err != nil && v.State == Unknown {
			v.Err = fmt.Errorf("begin epoch: %w", err)
		}
	}
	return v
}

// lookUp reads the epoch, the cut in force of each probe, and how old the latest
// confirmed heartbeat is, at one moment.
func (r *Redis) lookUp(ctx context.Context, probes []probe) (Epoch, []int64, time.Duration, error) {
	keys := make([]string, 1, 1+maxProbes)
	keys[0] = r.names.epoch
	echo := "-"
	for i, p := range probes {
		if i == 0 {
			echo = p.digest.String()
		}
		keys = append(keys, r.names.entry(p.digest))
	}
	reply, err := r.ask(ctx, r.scripts.check, keys, echo)
	if err != nil {
		return Epoch{}, nil, 0, err
	}
	out, err := texts(reply)
	if err != nil {
		return Epoch{}, nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	e, cuts, err := parseCheck(out, echo, probes)
	if err != nil {
		return Epoch{}, nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	age, err := parsePulse(out)
	if err != nil {
		return Epoch{}, nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if e.ID != "" {
		r.see(e.Clock)
	}
	return e, cuts, age, nil
}
