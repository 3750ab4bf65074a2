package ratelimit

import (
	"context"
	"time"
)

// SetClock gives the limiter a clock of the test's own.
func (l *Limiter) SetClock(now func() time.Duration) { l.now = now }

// Shared asks Redis alone, and returns the instant (µs) at which it decided.
func (l *Limiter) Shared(ctx context.Context, key string, r Rate) (Decision, int64, error) {
	return l.shared(ctx, digestOf(key), r.gcra(), true)
}

// RedisKey is where key is counted.
func (l *Limiter) RedisKey(key string) string { return redisKey(l.prefix, digestOf(key)) }

// Interval and Span are how a rate is counted, in µs.
func (r Rate) Interval() int64 { return r.gcra().interval }
func (r Rate) Span() int64     { return r.gcra().interval * r.gcra().burst }

// Local counts by instants that the test names.
type Local struct{ local local }

func (l *Local) Allow(key string, r Rate, now int64) Decision {
	return l.local.allow(digestOf(key), r.gcra(), now, true)
}

// Len returns how many keys are kept.
func (l *Local) Len() int {
	n := 0
	for i := range l.local.shards {
		s := &l.local.shards[i]
		if n += len(s.byName); len(s.byName) != s.recent.Len() {
			return -1
		}
	}
	return n
}

const LocalKeys = localKeys
