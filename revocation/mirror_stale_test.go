package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// skewed is a clock whose time of day and whose monotonic reading are moved apart.
type skewed struct {
	mu         sync.Mutex
	mono, wall time.Duration
}

func (c *skewed) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().Add(c.mono) // moves both
	if c.wall == 0 {
		return now
	}
	// A time without a monotonic reading has only the time of day.
	return now.Round(0).Add(c.wall)
}

func (c *skewed) set(mono, wall time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mono, c.wall = mono, wall
}

// TestStaleByTheClockThatSaysMore: a process that was stopped knows by the monotonic
// clock, one whose machine slept by the time of day; a clock that was set back hides
// nothing.
func TestStaleByTheClockThatSaysMore(t *testing.T) {
	at := time.Now()
	for name, tt := range map[string]struct {
		now  time.Time
		want time.Duration
	}{
		"both":                    {at.Add(3 * time.Second), 3 * time.Second},
		"only the time of day":    {at.Round(0).Add(time.Hour), time.Hour},
		"before":                  {at.Add(-time.Second), 0},
		"time of day before that": {at.Round(0).Add(-time.Hour), 0},
	} {
		if got := revocation.AgeOf(at, tt.now); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestStopped: a process that was stopped says so in its very first answer, before
// its feed has had a chance.
func TestStopped(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		clock := &skewed{}
		c := mirror(t, k.client, func(cfg *revocation.MirrorConfig) { cfg.Now = clock.Now })
		testkit.MustAwait(t, "level", func() bool { return c.Ready() == nil }, c.detail)
		tok := c.born("j")
		if v := c.Check(t.Context(), tok); v.State != revocation.Clear || v.Stale > 10*time.Second {
			t.Fatalf("at first: %+v", v)
		}
		c.stop() // no read makes up for it
		for name, move := range map[string][2]time.Duration{"stopped": {time.Minute, 0}, "slept": {0, time.Minute}} {
			clock.set(move[0], move[1])
			if v := c.Check(t.Context(), tok); v.State != revocation.Clear || v.Stale < time.Minute {
				t.Errorf("%s: %+v", name, v)
			}
		}
	})
}

// TestMirrorCatchUp: many stale checks share few reads; what they then know is from after
// their question, while Run hangs on a dead connection.
func TestMirrorCatchUp(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		store := mustOpen(t, k.client, revocationtest.Settings())
		proxy := testkit.MustProxy(t, k.addr())
		c := mirror(t, testkit.MustClient(t, proxy.Addr), func(cfg *revocation.MirrorConfig) { cfg.MaxStale, cfg.Patience = 0, 2*time.Second })
		c.awaitLevel()
		tok := c.born("j")
		proxy.Strand() // connections there are hang; new ones do not
		mustRevoke(t, store, revocation.KindJTI, "j")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := c.CatchUp(t.Context()); err != nil {
					t.Errorf("catch up: %v", err)
				}
				c.wantState("caught up", tok, revocation.Revoked)
			})
		}
		wg.Wait()
		proxy.Freeze()
		from := time.Now()
		err := c.CatchUp(t.Context())
		if !errors.Is(err, revocation.ErrUnavailable) || revocation.CauseOf(err) != revocation.CauseUnreachable || time.Since(from) > 10*time.Second {
			t.Errorf("of a frozen Redis: %v after %s", err, time.Since(from))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.CatchUp(ctx); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("context has ended: %v", err)
		}
		c.wantState("while it is away", tok, revocation.Revoked)
		proxy.Thaw()
	})
}

// TestNotLoaded: before the feed was read nothing is vouched for, and a hit counts.
func TestNotLoaded(t *testing.T) {
	onBothLive(t, func(t *testing.T, k kit) {
		store := mustOpen(t, k.client, revocationtest.Settings())
		c := newMirror(t, k.client)
		tok := c.born("j")
		if v := c.Check(t.Context(), tok); v.State != revocation.Unknown || v.Cause != revocation.CauseLoading {
			t.Errorf("before: %+v", v)
		}
		if c.Ready() == nil || c.Status().Level {
			t.Error("ready before it was loaded")
		}
		if err := c.CatchUp(t.Context()); revocation.CauseOf(err) != revocation.CauseLoading {
			t.Errorf("catch up: %v", err)
		}
		mustRevoke(t, c, revocation.KindJTI, "j") // its own write
		c.wantState("its own", tok, revocation.Revoked)
		mustRevoke(t, store, revocation.KindSubject, "u-k")
		other := c.born("k")
		c.run()
		c.awaitLevel()
		c.wantState("its own", tok, revocation.Revoked)
		c.wantState("after", other, revocation.Clear)
		if s := c.Status(); s.Entries != 2 || s.N != 2 || s.Epoch.ID == "" || s.Bytes == 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// TestCauseOf tells why a CatchUp failed.
func TestCauseOf(t *testing.T) {
	for want, err := range map[revocation.Cause]error{
		revocation.CauseNone:        nil,
		revocation.CauseUnreachable: fmt.Errorf("%w: %w", revocation.ErrUnavailable, context.DeadlineExceeded),
	} {
		if got := revocation.CauseOf(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

// TestSetMaxStale: how often the feed is asked follows the smallest max_stale while it
// runs.
func TestSetMaxStale(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		c := mirror(t, k.client, func(cfg *revocation.MirrorConfig) { cfg.MaxStale = time.Hour })
		c.awaitLevel()
		oldest := func(during time.Duration) (most time.Duration) {
			for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				most = max(most, c.Status().Stale)
			}
			return most
		}
		if got := oldest(2500 * time.Millisecond); got < 500*time.Millisecond {
			t.Errorf("asked once a second, and never staler than %s", got)
		}
		c.SetMaxStale(150 * time.Millisecond)
		testkit.MustAwait(t, "asked more often", func() bool { return oldest(700*time.Millisecond) < 500*time.Millisecond }, c.detail)
		c.SetMaxStale(0)
		testkit.MustAwait(t, "asked less often", func() bool { return oldest(2500*time.Millisecond) > 500*time.Millisecond }, c.detail)
	})
}
