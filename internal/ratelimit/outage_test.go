package ratelimit_test

import (
	"context"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit"
)

var rate = ratelimit.Rate{Limit: 1, Per: time.Hour, Burst: 3}

// clock is moved by the test.
type clock time.Duration

func (c *clock) now() time.Duration { return time.Duration(*c) }

func TestOutage(t *testing.T) {
	m, client := testkit.MustMini(t)
	l := ratelimit.NewRedis(client, "tg:")
	var c clock = 1
	l.SetClock(c.now)
	allow := func() ratelimit.Decision { return l.Allow(t.Context(), "k", rate) }
	commands := func() int { return m.CommandCount() }

	if d := allow(); d.Local || d.Remaining != 2 {
		t.Fatalf("Redis is there: %+v", d)
	}
	m.SetError("LOADING Redis is loading the dataset in memory")
	for i, want := range []ratelimit.Decision{allowed(2), allowed(1), allowed(0)} {
		if d := allow(); d != want {
			t.Errorf("call %d of the outage: %+v", i, d)
		}
	}
	if d := allow(); d.Allowed || d.RetryAfter < 59*time.Minute {
		t.Errorf("beyond the burst: %+v", d)
	}

	// The pause is one second, and Redis is not asked in it even when it is back.
	m.SetError("")
	asked := commands()
	if c += clock(time.Second - 1); !allow().Local || commands() != asked {
		t.Error("asked during the pause")
	}
	c++
	if d := allow(); d.Local || d.Remaining != 1 {
		t.Errorf("after the pause: %+v", d)
	}
	if d := allow(); d.Local || d.Remaining != 0 {
		t.Errorf("after that: %+v", d)
	}

	// A try that fails begins another pause.
	m.SetError("LOADING Redis is loading the dataset in memory")
	for range 3 {
		c += clock(time.Second)
		if !allow().Local {
			t.Fatal("Redis is away")
		}
	}
	m.SetError("")
	if !allow().Local {
		t.Error("asked during the pause")
	}
	if c += clock(time.Second); allow().Local {
		t.Error("not asked after the pause")
	}
}

// TestHangingRedis: one call a second waits, for as long as its context, and the
// others not at all.
func TestHangingRedis(t *testing.T) {
	server := testkit.MustStartRedis(t)
	l := ratelimit.NewRedis(testkit.MustClient(t, server.Addr), "tg:")
	if l.Allow(t.Context(), "k", rate).Local {
		t.Fatal("Redis is there")
	}
	server.MustPause()
	t.Cleanup(server.MustContinue)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if d := l.Allow(ctx, "k", rate); !d.Local || time.Since(start) > 2500*time.Millisecond {
		t.Fatalf("%+v after %s", d, time.Since(start))
	}
	start = time.Now()
	for range 100 {
		if d := l.Allow(t.Context(), "k", rate); !d.Local {
			t.Fatalf("%+v", d)
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("100 calls took %s", took)
	}
}

// TestCallersWhoGiveUp say nothing about Redis: a client that hangs up does not
// turn the shared count off for others.
func TestCallersWhoGiveUp(t *testing.T) {
	server := testkit.MustStartRedis(t)
	client := testkit.MustClient(t, server.Addr)
	l := ratelimit.NewRedis(client, "tg:")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if d := l.Allow(gone, "k", rate); !d.Local || !d.Allowed {
		t.Errorf("gone before: %+v", d)
	}
	if d := l.Allow(t.Context(), "k", rate); d.Local {
		t.Errorf("after a caller that gave up: %+v", d)
	}

	// Gone while Redis is asked: the connection breaks under it.
	leaving, leave := context.WithCancel(t.Context())
	server.MustPause()
	done := make(chan ratelimit.Decision)
	go func() { done <- l.Allow(leaving, "k", rate) }()
	time.Sleep(50 * time.Millisecond) // until it waits for the answer
	leave()
	server.MustKill()
	if d := <-done; !d.Local {
		t.Errorf("gone meanwhile: %+v", d)
	}
	server.MustRestart()
	for i := range 3 { // a pooled connection may have to be found dead first
		if d := l.Allow(t.Context(), "k", rate); !d.Local {
			return
		} else if i == 0 {
			t.Logf("first call after: %+v", d)
		}
		time.Sleep(time.Second)
	}
	t.Error("Redis is not asked again")
}

// TestTryThatGivesUp: when the one that was to try Redis gives up, the next tries.
func TestTryThatGivesUp(t *testing.T) {
	m, client := testkit.MustMini(t)
	l := ratelimit.NewRedis(client, "tg:")
	var c clock = 1
	m.SetError("LOADING Redis is loading the dataset in memory")
	l.SetClock(c.now)
	l.Allow(t.Context(), "k", rate)
	m.SetError("")
	c += clock(time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	l.SetClock(func() time.Duration { cancel(); return c.now() }) // between the two looks at ctx
	if d := l.Allow(ctx, "k", rate); !d.Local {
		t.Errorf("gave up: %+v", d)
	}
	if d := l.Allow(t.Context(), "k", rate); d.Local {
		t.Errorf("the next: %+v", d)
	}
}
