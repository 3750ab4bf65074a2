package ratelimit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/allow.lua
var allowLua string

// pause is how long Redis is left alone after an error.
const pause = time.Second

// Decision is the answer about one call.
type Decision struct {
	Allowed    bool
	RetryAfter time.Duration // until a call would be allowed; 0 when this one is
	Remaining  int           // how many more would be allowed at this moment
	Local      bool          // counted by this process alone: Redis is away
}

// Limiter counts calls. Its methods may be called at the same time.
type Limiter struct {
	client redis.UniversalClient
	prefix string
	script *redis.Script
	local  local
	now    func() time.Duration // since the limiter was made, monotonic
	away   atomic.Int64         // 0, or until when (now, ns) Redis is left alone
}

// NewRedis returns a limiter whose Redis keys begin with prefix. The client should
// have ContextTimeoutEnabled and short timeouts, as on the path of a request: one
// call a second waits for them while Redis hangs.
func NewRedis(client redis.UniversalClient, prefix string) *Limiter {
	start := time.Now()
	return &Limiter{
		client: client, prefix: prefix, script: redis.NewScript(allowLua),
		now: func() time.Duration { return time.Since(start) },
	}
}

// Allow counts one call under key and says whether it is within r. It waits for
// Redis no longer than ctx, and gives a decision in any case. One key is counted
// under one rate: calls with another move the same tat.
func (l *Limiter) Allow(ctx context.Context, key string, r Rate) Decision {
	return l.decide(ctx, key, r, true)
}

// Peek says what Allow would, and counts nothing: for callers who count failures
// alone.
func (l *Limiter) Peek(ctx context.Context, key string, r Rate) Decision {
	return l.decide(ctx, key, r, false)
}

func (l *Limiter) decide(ctx context.Context, key string, r Rate, count bool) Decision {
	if r == (Rate{}) {
		return Decision{Allowed: true, Remaining: math.MaxInt}
	}
	name, g := digestOf(key), r.gcra()
	if ctx.Err() == nil && l.ask() {
		d, _, err := l.shared(ctx, name, g, count)
		if err == nil {
			l.answered()
			return d
		}
		l.failed(ctx)
	}
	return l.local.allow(name, g, l.now().Microseconds(), count)
}

// shared runs the script. It returns the instant (µs) at which Redis decided, too.
func (l *Limiter) shared(ctx context.Context, name digest, g gcra, count bool) (Decision, int64, error) {
	counted := "0"
	if count {
		counted = "1"
	}
	reply, err := l.script.Run(ctx, l.client, []string{redisKey(l.prefix, name)}, g.interval, g.burst, counted).Int64Slice()
	if err != nil {
		return Decision{}, 0, fmt.Errorf("count: %w", err)
	}
	if len(reply) != 4 {
		return Decision{}, 0, errors.New("count: reply of an unexpected shape")
	}
	return Decision{
		Allowed:    reply[0] == 1,
		RetryAfter: time.Duration(reply[1]) * time.Microsecond,
		Remaining:  int(reply[2]),
	}, reply[3], nil
}

// ask says whether to ask Redis. Once the pause after an error is over, one caller
// is told to, and the pause begins anew for the others.
func (l *Limiter) ask() bool {
	until, now := l.away.Load(), int64(l.now())
	return until == 0 || now >= until && l.away.CompareAndSwap(until, now+int64(pause))
}

// answered ends the pause.
func (l *Limiter) answered() {
	if l.away.Load() != 0 {
		l.away.Store(0)
	}
}

// failed begins the pause. A caller that gave up says nothing about Redis: else
// clients could switch the shared count off by hanging up. If it was to try Redis
// for the others, the next one does.
func (l *Limiter) failed(ctx context.Context) {
	now := max(int64(l.now()), 1)
	if !errors.Is(ctx.Err(), context.Canceled) {
		l.away.Store(now + int64(pause))
	} else if until := l.away.Load(); until != 0 {
		l.away.CompareAndSwap(until, now)
	}
}
