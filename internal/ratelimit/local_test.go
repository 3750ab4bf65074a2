package ratelimit_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
)

const second = int64(time.Second / time.Microsecond)

// allowed is a decision that lets through and leaves that many.
func allowed(remaining int) ratelimit.Decision {
	return ratelimit.Decision{Allowed: true, Remaining: remaining, Local: true}
}

// refused is a decision that lets through after that many µs.
func refused(after int64) ratelimit.Decision {
	return ratelimit.Decision{RetryAfter: time.Duration(after) * time.Microsecond, Local: true}
}

func TestOneKey(t *testing.T) {
	rate := ratelimit.Rate{Limit: 2, Per: time.Second, Burst: 3} // a call each half second, three at once
	const start = 1_000 * second
	l := &ratelimit.Local{}
	for i, step := range []struct {
		at   int64 // µs after start
		want ratelimit.Decision
	}{
		{0, allowed(2)},
		{0, allowed(1)},
		{0, allowed(0)},
		{0, refused(500_000)},
		{0, refused(500_000)}, // asking costs nothing
		{499_999, refused(1)},
		{500_000, allowed(0)},
		{500_000, refused(500_000)},
		{1_250_000, allowed(0)}, // half of the next one is there
		{1_500_000, allowed(0)},
		{1_999_999, refused(1)},
		{2_500_000, allowed(1)},
		{9_000_000, allowed(2)}, // the whole burst is back
		{1_000_000, refused(500_000)},
		{1_500_000, allowed(0)}, // the clock went back 8 s, and nobody waits so long
		{-900_000_000, refused(500_000)},
		{-899_500_000, allowed(0)},
	} {
		if got := l.Allow("k", rate, start+step.at); got != step.want {
			t.Errorf("step %d: %+v, want %+v", i, got, step.want)
		}
	}
	if got := l.Allow("other", rate, start); got != allowed(2) {
		t.Errorf("another key: %+v", got)
	}
	if got := l.Allow("other", ratelimit.Rate{Limit: 1, Per: time.Hour, Burst: 1}, start); got.Allowed {
		t.Errorf("another rate counts from nothing: %+v", got)
	}
}

// TestNeverMoreNeverLess: whatever the calls, no stretch of time lets more through
// than the burst and what comes evenly; and whoever waits for as long as he was
// told is let through at that very microsecond, not before.
func TestNeverMoreNeverLess(t *testing.T) {
	for round := range 200 {
		random := rand.New(rand.NewPCG(1, uint64(round)))
		rate := ratelimit.Rate{Limit: 1 + random.IntN(1000), Per: time.Duration(1+random.IntN(60)) * time.Second, Burst: 1 + random.IntN(20)}
		l := &ratelimit.Local{}
		var let []int64
		for now, n := 1_000*second, 0; n < 300; n++ {
			now += random.Int64N(3 * rate.Interval())
			d := l.Allow("k", rate, now)
			if !d.Allowed {
				wait := d.RetryAfter.Microseconds()
				if wait < 1 || wait > rate.Interval() {
					t.Fatalf("%+v: told to wait %d µs", rate, wait)
				}
				if early := l.Allow("k", rate, now+wait-1); early.Allowed {
					t.Fatalf("%+v: let through a microsecond early", rate)
				}
				if now += wait; !l.Allow("k", rate, now).Allowed {
					t.Fatalf("%+v: refused after the wait", rate)
				}
			}
			let = append(let, now)
		}
		for i, from := range let {
			for j := i; j < len(let); j++ {
				if most := int64(rate.Burst) + (let[j]-from)/rate.Interval(); int64(j-i+1) > most {
					t.Fatalf("%+v: %d calls in %d µs, at most %d", rate, j-i+1, let[j]-from, most)
				}
			}
		}
	}
}

func TestKeysAreBounded(t *testing.T) {
	l, rate := &ratelimit.Local{}, ratelimit.Rate{Limit: 1, Per: time.Hour}
	for i := range 3 * ratelimit.LocalKeys {
		if !l.Allow(fmt.Sprint("k", i), rate, second).Allowed {
			t.Fatalf("key %d is new and was refused", i)
		}
		l.Allow("asked about all the time", rate, second)
	}
	if n := l.Len(); n > ratelimit.LocalKeys || n < ratelimit.LocalKeys*9/10 {
		t.Errorf("%d keys are kept", n)
	}
	for key, want := range map[string]bool{
		"asked about all the time":                 false,
		fmt.Sprint("k", 3*ratelimit.LocalKeys-100): false,
		"k0": true, // forgotten
	} {
		if got := l.Allow(key, rate, second); got.Allowed != want {
			t.Errorf("%s: %+v", key, got)
		}
	}
}

func TestLocalAtTheSameTime(t *testing.T) {
	l, rate := &ratelimit.Local{}, ratelimit.Rate{Limit: 1, Per: time.Hour, Burst: 100}
	var let atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for i := range 1000 {
				if l.Allow("k", rate, second).Allowed {
					let.Add(1)
				}
				l.Allow(fmt.Sprint(i), rate, second)
			}
		})
	}
	if callers.Wait(); let.Load() != 100 {
		t.Errorf("%d of 100 were let through", let.Load())
	}
}
