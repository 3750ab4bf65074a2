package revocation

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Bounds of a HeartConfig.
const (
	DefaultEvery = 250 * time.Millisecond
	minEvery     = 10 * time.Millisecond
	maxEvery     = 10 * time.Second
	leaseBeats   = 4 // beats that may be missed before another process takes over
)

// HeartConfig says where a Heart beats.
type HeartConfig struct {
	// Client must have ContextTimeoutEnabled, as that of a Feed.
	Client redis.UniversalClient
	// Prefix is that of the store. Without braces.
	Prefix string
	// Replicas is how many must have a beat; at least 1.
	Replicas int
	// Within is how long they have for it. DefaultWithin.
	Within time.Duration
	// Every is the time between two beats, and so how much a reader's knowledge ages
	// beyond its Block: a quarter of the smallest Block of any process is good.
	// DefaultEvery; at least 10 ms, at most 10 s.
	Every time.Duration
	// Log takes when replicas stop to confirm, and when they do so again. Nil: nobody.
	Log *slog.Logger
}

// Heart beats in the epoch, so that readers know that it is still the store's: a beat
// is written, replicas confirm it, then it is noted as confirmed. A primary that was
// deposed, but still answers those who have not heard of it, can write beats; nobody
// confirms them. Every process has a heart; by lease one of them beats at a time.
type Heart struct {
	cfg    HeartConfig
	epoch  string // key
	name   string // of this process in the lease; random
	copies copies
	beat   *redis.Script
	note   *redis.Script
	every  atomic.Int64 // ns; see SetEvery
	silent bool         // the last beat failed
}

// NewHeart returns a heart that does not beat yet. ErrInvalid.
func NewHeart(cfg HeartConfig) (*Heart, error) {
	n, err := newNames(cfg.Prefix)
	if err != nil {
		return nil, fmt.Errorf("heart: %w", err)
	}
	if cfg.Every == 0 {
		cfg.Every = DefaultEvery
	}
	if cfg.Within <= 0 {
		cfg.Within = DefaultWithin
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	problem := ""
	switch {
	case cfg.Client == nil:
		problem = "no Redis client"
	case !honoursDeadlines(cfg.Client):
		problem = "a Redis client without ContextTimeoutEnabled"
	case cfg.Replicas < 1:
		problem = "nobody to confirm a beat"
	case cfg.Every < minEvery || cfg.Every > maxEvery:
		problem = "every must be between 10ms and 10s"
	}
	if problem != "" {
		return nil, fmt.Errorf("heart: %w: %s", ErrInvalid, problem)
	}
	h := &Heart{
		cfg: cfg, epoch: n.epoch, name: nonce(8), copies: copies{cfg.Replicas, cfg.Within},
		beat: redis.NewScript(clockLua + heartLua), note: redis.NewScript(confirmedLua),
	}
	h.every.Store(int64(cfg.Every))
	return h, nil
}

// SetEvery replaces Every, within its bounds, from the next beat on.
func (h *Heart) SetEvery(d time.Duration) {
	h.every.Store(int64(min(max(d, minEvery), maxEvery)))
}

// Run beats, or waits for the lease, until ctx ends; then it gives the lease up and
// returns nil. It goes on after every failure. One Run at a time.
func (h *Heart) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		next := time.Now().Add(time.Duration(h.every.Load()))
		rest, err := h.once(ctx)
		if ctx.Err() != nil {
			break
		}
		h.report(err)
		select {
		case <-ctx.Done():
		case <-time.After(max(rest, time.Until(next))):
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), waitAnswer)
	defer cancel()
	_ = onPrimary(ctx, h.cfg.Client, h.epoch, func(conn *redis.Conn) error {
		return h.beat.Run(ctx, conn, []string{h.epoch}, h.name, "0").Err()
	}) // what is not given up runs out
	return nil
}

// once writes a beat and has it confirmed. When another process has the lease, it
// returns how long that lasts unless it is renewed.
func (h *Heart) once(ctx context.Context) (rest time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Within+2*waitAnswer)
	defer cancel()
	err = onPrimary(ctx, h.cfg.Client, h.epoch, func(conn *redis.Conn) (err error) {
		rest, err = h.on(ctx, conn)
		return err
	})
	return rest, err
}

func (h *Heart) on(ctx context.Context, conn *redis.Conn) (rest time.Duration, err error) {
	lease := leaseBeats*time.Duration(h.every.Load()) + h.cfg.Within
	reply, err := h.beat.Run(ctx, conn, []string{h.epoch}, h.name, lease.Milliseconds()).Result()
	if err != nil {
		return 0, err
	}
	out, err := texts(reply)
	if err != nil || len(out) != 4 {
		return 0, fmt.Errorf("heart: %w", errReply)
	}
	beat, id := out[0], out[1]
	left, err := number(out[2])
	if err != nil {
		return 0, fmt.Errorf("heart: %w", err)
	}
	if beat == "0" {
		if id == "" {
			return 0, errNoEpoch
		}
		return time.Duration(left) * time.Millisecond, nil
	}
	if err := h.copies.wait(ctx, conn); err != nil {
		return 0, err
	}
	return 0, h.note.Run(ctx, conn, []string{h.epoch}, beat, id, out[3]).Err()
}

// report logs when beats begin to fail, and when they do not any more.
func (h *Heart) report(err error) {
	switch {
	case err != nil && !h.silent:
		h.cfg.Log.Warn("the store's heartbeat is not confirmed: knowledge of revocations gets stale", "error", err)
	case err == nil && h.silent:
		h.cfg.Log.Info("the store's heartbeat is confirmed again")
	}
	h.silent = err != nil
}
