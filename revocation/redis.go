package revocation

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is the store that processes share. Its methods may be called at the same
// time.
//
// The client should have ContextTimeoutEnabled: otherwise a Redis that hangs is
// waited for past a context's deadline.
type Redis struct {
	client   redis.UniversalClient
	settings Settings
	names    names
	scripts  scripts
	copies   copies
	role     serverRole
	longest  atomic.Int64 // ms: see Allow
	// shutPatience is that constant, but for tests.
	shutPatience time.Duration
	seen         atomic.Int64                                                   // greatest store time this process has seen; 0: no epoch yet
	due          atomic.Pointer[[]Digest]                                       // entries that the next write names for trim
	wrote        atomic.Pointer[func(context.Context, string, Record, *Detail)] // told of each write's entry before the write returns; nil: nobody
}

var _ Store = (*Redis)(nil)

// NewRedis returns a store whose keys begin with prefix. It does not ask Redis
// anything yet: call Open before the first use. ErrInvalid.
func NewRedis(client redis.UniversalClient, prefix string, s Settings) (*Redis, error) {
	if client == nil {
		return nil, fmt.Errorf("%w: no Redis client", ErrInvalid)
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	n, err := newNames(prefix)
	if err != nil {
		return nil, err
	}
	return &Redis{client: client, settings: s.withDefaults(), names: n, scripts: newScripts(), shutPatience: shutPatience}, nil
}

// Open begins the very first epoch of an empty store, one that vouches for every
// token. An empty store that this process has seen alive is not new but lost: its
// new epoch vouches only for tokens from now on. So does one that still has a
// feed. Open may be called again. ErrUnavailable.
func (r *Redis) Open(ctx context.Context) error {
	_, err := r.begin(ctx, r.seen.Load() == 0)
	return err
}

// Now takes the next store time. A store without an epoch gets one.
func (r *Redis) Now(ctx context.Context) (int64, error) { return r.begin(ctx, false) }

// Allow tells every process of the store that from now on access tokens of that life
// are accepted somewhere: what is revoked without an end is kept for as long. It never
// shortens anything. ErrUnavailable: ask again.
func (r *Redis) Allow(ctx context.Context, life time.Duration) error {
	for {
		was, ms := r.longest.Load(), life.Milliseconds()
		if ms <= was || r.longest.CompareAndSwap(was, ms) {
			break
		}
	}
	_, err := r.begin(ctx, false)
	return err
}

// accessLife is the longest life (ms) of an access token that this process allows.
func (r *Redis) accessLife() int64 {
	return max(r.settings.AccessLife.Milliseconds(), r.longest.Load())
}

// begin takes the next store time and begins an epoch when there is none.
func (r *Redis) begin(ctx context.Context, vouch bool) (int64, error) {
	reply, err := r.run(ctx, r.scripts.now, []string{r.names.epoch, r.names.feed}, fresh(16), r.seen.Load(), flag(vouch),
		r.accessLife())
	if err != nil {
		return 0, err
	}
	out, err := texts(reply)
	if err != nil || len(out) != 2 {
		return 0, fmt.Errorf("%w: now: %w", ErrUnavailable, errReply)
	}
	now, err := number(out[0])
	if err != nil {
		return 0, fmt.Errorf("%w: now: %w", ErrUnavailable, err)
	}
	r.see(now)
	return now, nil
}

// see remembers that the store had an epoch, and its time. Scripts are told the
// greatest one, so that store time does not go back with a server that forgot it.
func (r *Redis) see(now int64) {
	for {
		was := r.seen.Load()
		if now <= was || r.seen.CompareAndSwap(was, now) {
			return
		}
	}
}

// Epoch returns the store's epoch and begins none.
func (r *Redis) Epoch(ctx context.Context) (Epoch, error) {
	e, _, _, err := r.lookUp(ctx, nil)
	if err != nil {
		return Epoch{}, err
	}
	if e.ID == "" {
		return Epoch{}, fmt.Errorf("epoch: %w", ErrNotFound)
	}
	return e, nil
}

// run runs a script, again where a failover or a stale connection is in the way:
// each may be run twice. Whatever keeps it from an answer is ErrUnavailable; so is
// redis.Nil, because no script of ours answers nothing.
func (r *Redis) run(ctx context.Context, s *redis.Script, keys []string, args ...any) (any, error) {
	return runScript(ctx, r.client, s, keys, args...)
}

// runScript is run for those who are no store.
func runScript(ctx context.Context, client redis.UniversalClient, s *redis.Script, keys []string, args ...any) (any, error) {
	if err := ctx.Err(); err != nil { // before a connection is taken for nothing
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	reply, err := again(ctx, client, func() (any, error) {
		return s.Run(ctx, client, keys, freshen(args)...).Result()
	})
	if err != nil {
		return nil, noAnswer(err)
	}
	return reply, nil
}

// noAnswer is ErrUnavailable with what kept a script from its answer.
func noAnswer(err error) error {
	switch {
	case errors.Is(err, redis.Nil):
		return fmt.Errorf("%w: empty: %w", ErrUnavailable, errReply)
	case isReply(err):
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, errReply, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// isReply reports whether an error is Redis's own answer, rather than the want of
// one. A server that is still loading, or has no place in a failover yet, has no
// answer to give.
func isReply(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && !changing(err)
}

// nonce returns n random bytes as hexadecimal text.
func nonce(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
