package main

import (
	"context"
	"errors"
	"math"
	"time"

	"tollgate/keys/ring"
	"tollgate/revocation"
)

// deadKeysEvery is how often the ring is compared with the revocations. What is
// revoked while this process runs is acted upon at once; this is for a ring that
// comes from elsewhere: an import, a file that was put back from a backup.
const deadKeysEvery = time.Second

// watchDeadKeys compares until ctx ends. Each outage is logged once.
func (a *app) watchDeadKeys(ctx context.Context) error {
	tick := time.NewTicker(deadKeysEvery)
	defer tick.Stop()
	failing := false
	for {
		err := a.dropDeadKeys(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing {
			a.log.Error("a revoked key cannot be taken out of the ring: whoever logs in is refused everywhere", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// dropDeadKeys revokes in the ring whatever the revocations say is revoked: every edge
// refuses the tokens of such a key, so that signing with it helps nobody. While it is
// not known what is revoked, nothing changes.
func (a *app) dropDeadKeys(ctx context.Context) error {
	var errs []error
	for _, k := range a.ring.Ring().Keys {
		if k.State == ring.Revoked || !a.keyIsDead(ctx, k.ID) {
			continue
		}
		a.log.Warn("a key of the ring was revoked before: it is taken out", "kid", k.ID, "state", k.State)
		if _, _, err := a.ring.Revoke(ctx, k.ID); err != nil && !errors.Is(err, ring.ErrUnknownKey) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// keyIsDead asks about a token that nothing but its key could end: it was born last
// of all, and has neither a session nor an id.
func (a *app) keyIsDead(ctx context.Context, kid string) bool {
	v := a.checker().Check(ctx, &revocation.Token{KeyID: kid, Own: true, Born: math.MaxInt64, IssuedAt: math.MaxInt64})
	return v.State == revocation.Revoked && v.Kind == revocation.KindKey
}
