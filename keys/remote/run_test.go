package remote_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys/remote"
)

// TestRunRefreshes: every Refresh, a tenth earlier at most, never less than
// MinRefetch apart, and through an outage with the last good set.
func TestRunRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "a")))
		var l logs
		i := mustOpen(t, remote.Config{Client: b.client(), Log: l.Logger()}, urlSpec("https://a.example/jwks"))
		stop := run(t, i)
		time.Sleep(time.Hour)
		synctest.Wait()
		asked := b.times()
		for n := range len(asked) - 1 {
			if d := asked[n+1].Sub(asked[n]); d > 5*time.Minute || d < 9*time.Minute/2 {
				t.Errorf("fetch %d came %v after the one before", n+1, d)
			}
		}
		if n := len(asked); n < 12 || n > 14 {
			t.Errorf("%d fetches in an hour", n)
		}
		b.now(refuses)
		b.forget()
		time.Sleep(time.Hour)
		synctest.Wait()
		wantKids(t, keysOf(i).Set(), "a")
		asked = b.times()
		gap := remoteMinRefetch * 9 / 10
		for n := range len(asked) - 1 {
			d := asked[n+1].Sub(asked[n])
			if d < max(gap, remoteMinRefetch) || d > 5*time.Minute {
				t.Errorf("retry %d came %v after the one before", n+1, d)
			}
			gap = min(2*gap, 9*time.Minute/2)
		}
		if n := len(asked); n < 13 || n > 19 {
			t.Errorf("%d retries in an hour", n)
		}
		b.now(gives(mustDocument(t, "b")))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		wantKids(t, keysOf(i).Set(), "b")
		stop()
		i.Close()
		for _, want := range []string{"cannot be fetched", "connection refused", "fetched again", "changed"} {
			if n := strings.Count(l.String(), want); n < 1 || n > 2 {
				t.Errorf("%q stands %d times in the log:\n%s", want, n, l.String())
			}
		}
	})
}

// TestRunWithoutKeys: while nothing is held the pauses do not grow, so that an
// edge is ready soon after the issuer is.
func TestRunWithoutKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(refuses)
		i := mustOpen(t, remote.Config{Client: b.client()}, urlSpec("https://a.example/jwks"))
		stop := run(t, i)
		defer stop()
		time.Sleep(time.Hour - 1)
		synctest.Wait()
		if n := len(b.times()); n != 360 {
			t.Errorf("%d attempts in an hour, want 360", n)
		}
		b.now(gives(mustDocument(t, "a")))
		time.Sleep(remoteMinRefetch)
		synctest.Wait()
		wantKids(t, keysOf(i).Set(), "a")
	})
}

// TestHardAge: a set that nobody confirms is used for HardAge and not a moment
// longer, and the issuer's return ends that.
func TestHardAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "a")))
		i := mustOpen(t, remote.Config{Client: b.client(), HardAge: time.Hour}, urlSpec("https://a.example/jwks"))
		stop := run(t, i)
		defer stop()
		b.now(refuses)
		time.Sleep(time.Hour)
		wantKids(t, keysOf(i).Set(), "a")
		time.Sleep(time.Nanosecond)
		wantKids(t, keysOf(i).Set(), "")
		synctest.Wait()
		if got := i.Status()[0]; got.Keys != 0 || got.Age != time.Hour+1 || got.Err == nil {
			t.Errorf("past the hard age: %+v", got)
		}
		b.now(gives(mustDocument(t, "a")))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		wantKids(t, keysOf(i).Set(), "a")
	})
}

// TestAge: the clock that says more counts.
func TestAge(t *testing.T) {
	now := time.Now()
	wall := now.Round(0)
	for name, tt := range map[string]struct {
		since, now time.Time
		want       time.Duration
	}{
		"both":               {now, now.Add(time.Minute), time.Minute},
		"without monotonic":  {wall, wall.Add(time.Minute), time.Minute},
		"set back":           {wall, wall.Add(-time.Hour), -time.Hour},
		"one with, one less": {now, wall.Add(time.Minute), time.Minute},
	} {
		if got := remote.Age(tt.since, tt.now); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestRunEnds: with its context, by Close, and with nothing to do.
func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "a")))
		for _, specs := range [][]remote.Spec{nil, {urlSpec("https://a.example/jwks")}} {
			i := mustOpen(t, remote.Config{Client: b.client()}, specs...)
			stop := run(t, i)
			synctest.Wait()
			stop()
			var ended atomic.Bool
			go func() {
				_ = i.Run(t.Context())
				ended.Store(true)
			}()
			time.Sleep(time.Hour)
			synctest.Wait()
			if ended.Load() {
				t.Error("Run returned by itself")
			}
			i.Close()
			synctest.Wait()
			if !ended.Load() {
				t.Error("Run goes on after Close")
			}
			i.Close()
		}
	})
}

// TestCloseEndsFetches: Close does not wait for a host, no fetch begins after it,
// and what is held stays.
func TestCloseEndsFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubbled(gives(mustDocument(t, "a")))
		var l logs
		i := mustOpen(t, remote.Config{Client: b.client(), Log: l.Logger()}, urlSpec("https://a.example/jwks"))
		stop := run(t, i)
		b.now(hang)
		i.Refetch(issuerA)
		synctest.Wait()
		began := time.Now()
		i.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("Close took %v", took)
		}
		time.Sleep(time.Hour)
		i.Refetch(issuerA)
		wantKids(t, keysOf(i).Await(t.Context(), "x"), "a")
		stop()
		if n := len(b.times()); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
		if strings.Contains(l.String(), "cannot be fetched") {
			t.Errorf("the end of a fetch by Close is logged as an outage:\n%s", l.String())
		}
	})
}
