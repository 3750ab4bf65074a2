package revocation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

// block is the Block of feeds in tests.
const block = 100 * time.Millisecond

// follower is a process that follows the feed, and all that it was told.
type follower struct {
	t    *testing.T
	feed *revocation.Feed
	stop func() // ends Run and waits for it

	mu      sync.Mutex
	changed chan struct{}                           // closed by each call
	all     []revocation.Record                     // in order
	last    map[revocation.Digest]revocation.Record // the latest of each digest
	sent    time.Time                               // of the last level read
	said    int                                     // calls of Level
	gaps    []string
	epoch   revocation.Epoch
	level   bool
	busy    atomic.Int32
}

// follow starts a follower of the store under "tg:".
func follow(t *testing.T, client redis.UniversalClient, change ...func(*revocation.FeedConfig)) *follower {
	t.Helper()
	f := &follower{t: t, last: map[revocation.Digest]revocation.Record{}, changed: make(chan struct{})}
	cfg := revocation.FeedConfig{
		Client: client, Prefix: "tg:", Block: block, Deadline: 3 * block,
		Apply: func(records []revocation.Record) {
			f.note(func() {
				f.all = append(f.all, records...)
				for _, r := range records {
					f.last[r.Digest] = r
				}
			})
		},
		Gap:   func(reason string) { f.note(func() { f.gaps = append(f.gaps, reason) }) },
		Epoch: func(e revocation.Epoch) { f.note(func() { f.epoch = e }) },
		Level: func(level bool, sent time.Time) {
			f.note(func() {
				if f.said++; level {
					f.sent = sent
				}
				f.level = level
			})
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if f.feed, err = revocation.NewFeed(cfg); err != nil {
		t.Fatalf("new feed: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.feed.Run(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

// note takes what was told; the feed must not tell two things at a time.
func (f *follower) note(take func()) {
	if f.busy.Add(1) != 1 {
		f.t.Error("told two things at the same time")
	}
	f.mu.Lock()
	take()
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	f.busy.Add(-1)
}

// await waits until what holds of f. what may look at all fields.
func (f *follower) await(what string, holds func() bool) {
	f.t.Helper()
	late := time.After(20 * time.Second)
	for {
		f.mu.Lock()
		ok, changed := holds(), f.changed
		f.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			f.mu.Lock()
			defer f.mu.Unlock()
			f.t.Fatalf("%s: not within 20s; level %v at n %d, %d records, gaps %q", what, f.level, f.feed.N(), len(f.all), f.gaps)
		}
	}
}

// awaitLevel waits for a level read that was sent from now on.
func (f *follower) awaitLevel() {
	f.t.Helper()
	from := time.Now()
	f.await("level", func() bool { return f.level && !f.sent.Before(from) })
}

// cut is what was told last of that, 0 when it is not in force or nothing was told.
func (f *follower) cut(r revocation.Revocation) int64 {
	d := revocation.DigestOf(r.Issuer, r.Kind, r.Value)
	return f.last[d].Cut
}

// awaitTold waits until f knows of each whether it is in force.
func (f *follower) awaitTold(revs ...revocation.Revocation) {
	f.t.Helper()
	for _, r := range revs {
		want := r.RevokedAt.UnixMicro()
		if !r.InForce() {
			want = 0
		}
		f.await(fmt.Sprintf("%s %s", r.Kind, r.Value), func() bool { return f.cut(r) == want })
	}
}

// wantGaps checks which gaps there were; want are the only ones allowed, and each
// must have come but those in brackets.
func (f *follower) wantGaps(want ...string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, gap := range f.gaps {
		if !slices.Contains(want, gap) && !slices.Contains(want, "("+gap+")") {
			f.t.Errorf("gap %q", gap)
		}
	}
	for _, w := range want {
		if !strings.HasPrefix(w, "(") && !slices.Contains(f.gaps, w) {
			f.t.Errorf("no gap %q, but %q", w, f.gaps)
		}
	}
}

// fillLua writes ARGV[1] records of keys that do not end, as revoke.lua chains
// them, without entries. KEYS 1 epoch 2 feed.
const fillLua = `
local n, last, clock = unpack(redis.call('HMGET', KEYS[1], 'n', 'last', 'clock'))
n, clock = tonumber(n), tonumber(clock)
for i = 1, tonumber(ARGV[1]) do
  n, clock = n + 1, clock + 1
  local nonce = string.format('%016x', n * 7919)
  redis.call('XADD', KEYS[2], string.format('%.0f-0', clock), 'r',
    string.format('%.0f %s %s %032x key %.0f 0 %.0f', n, nonce, last == '' and '-' or last, n, clock, clock))
  last = nonce
end
redis.call('HSET', KEYS[1], 'n', string.format('%.0f', n), 'last', last, 'clock', string.format('%.0f', clock))
return n`

// mustFill writes count records into the feed.
func mustFill(tb testing.TB, client redis.UniversalClient, s *revocation.Redis, count int) {
	tb.Helper()
	for left := count; left > 0; left -= 2_000 { // miniredis is slow: each within a client's time
		if err := client.Eval(tb.Context(), fillLua, []string{s.EpochKey(), s.FeedKey()}, min(left, 2_000)).Err(); err != nil {
			tb.Fatalf("fill: %v", err)
		}
	}
}

// addr is where the kit's server listens.
func (k kit) addr() string {
	c, _ := k.client.(*redis.Client)
	return c.Options().Addr
}
