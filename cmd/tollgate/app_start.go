package main

import (
	"context"
	"errors"
	"time"

	"tollgate/revocation"
)

// whileAway does what a start needs Redis for, again and again while Redis does not
// answer it in time, until ctx ends: a start waits for a slow Redis as it does for one
// that is not there yet.
func (a *app) whileAway(ctx context.Context, do func(context.Context) error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := do(ctx)
		if err == nil || !errors.Is(err, revocation.ErrUnavailable) {
			return err
		}
		a.log.Warn("Redis cannot be used yet", "redis", a.config.Redis.name(), "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
