package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"tollgate/revocation"
)

// TestStartWaitsForASlowRedis: a step of the start that Redis did not answer in time is
// done again; a fault of another sort, or the end of the patience, ends it.
func TestStartWaitsForASlowRedis(t *testing.T) {
	settings := redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": "redis://127.0.0.1:1"})
	a := &app{config: &Config{Redis: *settings}, log: slog.New(slog.DiscardHandler)}
	slow, fault := fmt.Errorf("step: %w", revocation.ErrUnavailable), errors.New("no such thing")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx   context.Context
		fails []error
		want  error
		tries int
	}{
		"at once":              {t.Context(), nil, nil, 1},
		"the second time":      {t.Context(), []error{slow}, nil, 2},
		"another fault":        {t.Context(), []error{fault, slow}, fault, 1},
		"a fault after a wait": {t.Context(), []error{slow, fault}, fault, 2},
		"patience is over":     {ended, []error{slow, slow}, revocation.ErrUnavailable, 1},
	} {
		tries := 0
		err := a.whileAway(tt.ctx, func(context.Context) error {
			tries++
			if tries <= len(tt.fails) {
				return tt.fails[tries-1]
			}
			return nil
		})
		if !errors.Is(err, tt.want) || tries != tt.tries {
			t.Errorf("%s: %v after %d tries, want %v after %d", name, err, tries, tt.want, tt.tries)
		}
	}
}
