package revocation_test

import (
	"sync"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestPagesReadAhead: a feed of many pages is told whole, in order, each record once.
func TestPagesReadAhead(t *testing.T) {
	t.Parallel()
	const count = 23_456
	onBothLive(t, func(t *testing.T, k kit) {
		store := mustOpen(t, k.client, revocationtest.Settings())
		mustFill(t, k.client, store, count)
		f := follow(t, k.client, patient)
		f.awaitLevel()
		f.stop()
		if len(f.all) != count {
			t.Errorf("%d records of %d", len(f.all), count)
		}
		for i, r := range f.all {
			if r.N != uint64(i+1) {
				t.Fatalf("record %d is told as the %dth", r.N, i+1)
			}
		}
		f.wantGaps()
	})
}

// TestLossBehindAPageReadAhead: the store is emptied and filled anew while a page of its
// earlier life is applied, and another has been read. That one counts for nothing; what
// stands there now is told from its beginning.
func TestLossBehindAPageReadAhead(t *testing.T) {
	t.Parallel()
	const count = 12_000
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	store := mustOpen(t, client, revocationtest.Settings())
	mustFill(t, client, store, count)
	var after []revocation.Record // told after the gap
	var gap bool
	empty := sync.OnceFunc(func() {
		if err := client.Del(t.Context(), store.EpochKey(), store.FeedKey()).Err(); err != nil {
			t.Error(err)
		}
		mustFill(t, client, mustOpen(t, client, revocationtest.Settings()), 2*count)
	})
	f := follow(t, client, patient, func(c *revocation.FeedConfig) {
		apply, told := c.Apply, c.Gap
		c.Gap = func(reason string) { gap, after = true, nil; told(reason) }
		c.Apply = func(records []revocation.Record) {
			if apply(records); gap {
				after = append(after, records...)
			}
			empty()
		}
	})
	f.await("the new feed", func() bool { return f.level && gap && f.feed.N() == 2*count })
	f.stop()
	if len(after) != 2*count || after[0].N != 1 || after[len(after)-1].N != 2*count {
		t.Errorf("%d records after the gap, from %d to %d", len(after), after[0].N, after[len(after)-1].N)
	}
	f.wantGaps("(the store has another epoch)", "(the store has no epoch any more)") // one or the other, or both
}

// patient gives reads the time that a busy machine takes.
func patient(c *revocation.FeedConfig) { c.Deadline = 20 * block }
