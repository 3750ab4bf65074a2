package revocation_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

const (
	gapNoEpoch   = "the store has no epoch any more"
	gapEpoch     = "the store has another epoch"
	gapFell      = "the store's sequence is behind what was read from it"
	gapGone      = "the last record read is not in the feed, though it was not trimmed"
	gapOther     = "the last record read is another one now"
	gapChain     = "a record does not follow the one before it"
	gapBeginning = "the beginning of the feed is missing"
	gapEnd       = "the end of the feed is missing"
)

// loser is a store from which something gets lost.
type loser struct {
	kit
	t *testing.T
	s *revocation.Redis
}

func (l loser) do(args ...any) {
	l.t.Helper()
	if err := l.client.Do(l.t.Context(), args...).Err(); err != nil {
		l.t.Fatalf("%v: %v", args, err)
	}
}

// del takes records out of the feed, by their n.
func (l loser) del(from, to int64) {
	l.t.Helper()
	for _, r := range l.feed(l.t, l.s) {
		if r.n >= from && r.n <= to {
			l.do("xdel", l.s.FeedKey(), r.id)
		}
	}
}

// keep remembers the keys of the store; what is returned puts them back as they
// were, and removes the others.
func (l loser) keep() (putBack func()) {
	l.t.Helper()
	keys, err := l.client.Keys(l.t.Context(), "tg:*").Result()
	if err != nil {
		l.t.Fatal(err)
	}
	dumps := map[string]string{}
	for _, key := range keys {
		if dumps[key], err = l.client.Dump(l.t.Context(), key).Result(); err != nil {
			l.t.Fatal(err)
		}
	}
	return func() {
		_, err := l.client.TxPipelined(l.t.Context(), func(p redis.Pipeliner) error {
			now, err := l.client.Keys(l.t.Context(), "tg:*").Result()
			p.Del(l.t.Context(), now...)
			for key, dump := range dumps {
				p.Restore(l.t.Context(), key, 0, dump)
			}
			return err
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// TestLossIsNoticed: whatever the store loses of what was read from it, Gap is
// told, for a fixed reason. Afterwards the feed is level again, tells no gap twice
// over, knows all that the store holds, and learns what comes.
func TestLossIsNoticed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lose func(loser, *follower)
		gaps []string // in brackets: may come too, by which read is first
		real bool     // miniredis has no DUMP of streams
	}{
		"everything": {
			lose: func(l loser, _ *follower) { l.do("flushall") },
			gaps: []string{"(" + gapNoEpoch + ")", "(" + gapEpoch + ")"},
		},
		"the epoch": {
			lose: func(l loser, _ *follower) { l.do("del", l.s.EpochKey()) },
			gaps: []string{"(" + gapNoEpoch + ")", "(" + gapEpoch + ")"},
		},
		"the feed": {
			lose: func(l loser, _ *follower) { l.do("del", l.s.FeedKey()) },
			gaps: []string{gapGone, gapEnd},
		},
		"the last records": {
			lose: func(l loser, _ *follower) { l.del(4, 5) },
			gaps: []string{gapGone, gapEnd},
		},
		"records that were read, but not the last": {lose: func(l loser, _ *follower) { l.del(2, 3) }},
		"a second": {
			real: true,
			lose: func(l loser, f *follower) {
				putBack := l.keep()
				f.awaitTold(mustRevoke(l.t, l.s, revocation.KindKey, "acknowledged"))
				putBack()
			},
			gaps: []string{gapFell},
		},
		"a second, and as much is written": {
			real: true,
			lose: func(l loser, f *follower) {
				putBack := l.keep()
				f.awaitTold(mustRevoke(l.t, l.s, revocation.KindKey, "acknowledged"))
				putBack()
				mustRevoke(l.t, l.s, revocation.KindKey, "another")
			},
			gaps: []string{"(" + gapFell + ")", "(" + gapGone + ")", "(" + gapChain + ")"},
		},
		"a second, and more is written": {
			real: true,
			lose: func(l loser, f *follower) {
				putBack := l.keep()
				f.awaitTold(mustRevoke(l.t, l.s, revocation.KindKey, "acknowledged"))
				putBack()
				for i := range 3 {
					mustRevoke(l.t, l.s, revocation.KindKey, fmt.Sprint("another", i))
				}
			},
			gaps: []string{"(" + gapFell + ")", "(" + gapGone + ")", "(" + gapChain + ")"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test := func(t *testing.T, k kit) {
				testLoss(t, loser{k, t, mustOpen(t, k.client, revocationtest.Settings())}, tt.lose, tt.gaps)
			}
			if tt.real {
				test(t, kit{client: testkit.MustClient(t, testkit.MustStartRedis(t).Addr)})
			} else {
				onBoth(t, test)
			}
		})
	}
}

func testLoss(t *testing.T, l loser, lose func(loser, *follower), gaps []string) {
	for i := range 5 {
		mustRevoke(t, l.s, revocation.KindKey, fmt.Sprint("k", i))
	}
	f := follow(t, l.client)
	f.awaitLevel()
	f.wantGaps()
	lose(l, f)
	mustAdmit(t, l.s)
	if len(gaps) > 0 {
		f.await("a gap", func() bool { return len(f.gaps) > 0 })
	}
	f.awaitLevel()
	f.awaitLevel()
	f.mu.Lock()
	told := len(f.gaps)
	f.mu.Unlock()
	for _, r := range l.feed(t, l.s) { // all that the store holds
		f.await(fmt.Sprint("record ", r.n), func() bool {
			for _, known := range f.last {
				if known.Digest.String() == r.d && known.Cut == r.cut {
					return true
				}
			}
			return false
		})
	}
	f.awaitTold(mustRevoke(t, l.s, revocation.KindKey, "new"))
	for range 3 {
		f.awaitLevel()
	}
	f.wantGaps(gaps...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if (told > 0) != (len(gaps) > 0) || len(f.gaps) != told {
		t.Errorf("%d gaps, then %q", told, f.gaps)
	}
	if len(f.last) < 6 {
		t.Errorf("%d digests are known", len(f.last))
	}
}

// TestNoticedInABusyFeed: records that keep coming do not keep the epoch from being
// looked at.
func TestNoticedInABusyFeed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		f := follow(t, k.client)
		f.awaitLevel()
		ctx, cancel := context.WithCancel(t.Context())
		var writer sync.WaitGroup
		defer writer.Wait()
		defer cancel()
		writer.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, err := s.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint(i)})
				if err != nil {
					t.Error(err)
				}
				time.Sleep(block / 20)
			}
		})
		loser{k, t, s}.do("hset", s.EpochKey(), "complete_since", 7)
		f.await("the epoch", func() bool { return f.epoch.CompleteSince == 7 })
		f.wantGaps()
	})
}

// TestStandingClock: that a scan is due is known without a clock, too, when a wait
// tells nothing, or something that does not follow.
func TestStandingClock(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		stands := time.Now()
		f := follow(t, k.client, func(c *revocation.FeedConfig) { c.Now = func() time.Time { return stands } })
		f.await("level", func() bool { return f.level })
		l := loser{k, t, s}
		l.do("hset", s.EpochKey(), "complete_since", 7)
		f.await("the epoch", func() bool { return f.epoch.CompleteSince == 7 })
		f.awaitTold(mustRevoke(t, s, revocation.KindKey, "k"))
		l.do("hset", s.EpochKey(), "last", "not-the-last-one")
		mustRevoke(t, s, revocation.KindKey, "does not follow")
		f.await("a gap", func() bool { return len(f.gaps) > 0 })
		f.wantGaps("("+gapChain+")", "("+gapEnd+")")
	})
}

// TestDamageFoundOnLoading: a process that knows nothing yet notices what is
// missing from the feed itself, once.
func TestDamageFoundOnLoading(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lose func(loser)
		gap  string
	}{
		"nothing":       {lose: func(loser) {}},
		"the beginning": {lose: func(l loser) { l.del(1, 2) }, gap: gapBeginning},
		"the middle":    {lose: func(l loser) { l.del(2, 3) }, gap: gapChain},
		"the end":       {lose: func(l loser) { l.del(5, 5) }, gap: gapEnd},
		"all":           {lose: func(l loser) { l.do("del", l.s.FeedKey()) }, gap: gapEnd},
		"all, and more is written": {lose: func(l loser) {
			l.do("del", l.s.FeedKey())
			mustRevoke(l.t, l.s, revocation.KindKey, "after")
		}, gap: gapBeginning},
		"the epoch": {lose: func(l loser) { // its new one knows that it does not know the beginning
			l.do("del", l.s.EpochKey())
			l.del(1, 2)
			mustAdmit(l.t, l.s)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, k kit) {
				l := loser{k, t, mustOpen(t, k.client, revocationtest.Settings())}
				for i := range 5 {
					mustRevoke(t, l.s, revocation.KindKey, fmt.Sprint("k", i))
				}
				tt.lose(l)
				f := follow(t, k.client)
				for range 3 {
					f.awaitLevel()
				}
				f.awaitTold(mustRevoke(t, l.s, revocation.KindKey, "new"))
				f.awaitLevel()
				f.stop()
				if want := []string{tt.gap}; tt.gap == "" && len(f.gaps) > 0 || tt.gap != "" && fmt.Sprint(f.gaps) != fmt.Sprint(want) {
					t.Errorf("gaps %q, want %q", f.gaps, tt.gap)
				}
			})
		})
	}
}

// TestStrangersInTheFeed: what cannot be understood is neither passed over nor
// taken for the end.
func TestStrangersInTheFeed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		l := loser{k, t, mustOpen(t, k.client, revocationtest.Settings())}
		mustRevoke(t, l.s, revocation.KindKey, "k")
		f := follow(t, k.client)
		f.awaitLevel()
		l.do("xadd", l.s.FeedKey(), "9000000000000000-7", "some", "thing")
		began := time.Now()
		time.Sleep(6 * block)
		f.mu.Lock()
		if f.sent.After(began.Add(2 * block)) {
			t.Error("level beyond a stranger")
		}
		f.mu.Unlock()
		l.do("xdel", l.s.FeedKey(), "9000000000000000-7")
		f.awaitLevel()
		f.wantGaps()
		l.do("del", l.s.FeedKey())
		l.do("set", l.s.FeedKey(), "x")
		time.Sleep(6 * block)
		l.do("del", l.s.FeedKey())
		f.awaitLevel()
		f.wantGaps(gapGone, gapEnd)
	})
}
