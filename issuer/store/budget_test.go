package store_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
)

// slow is a Redis whose commands take a time, or until their context ends.
type slow struct {
	takes time.Duration
	left  []time.Duration // until the deadline of each command; -1: none
}

func (s *slow) do(ctx context.Context) error {
	left := time.Duration(-1)
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	s.left = append(s.left, left)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.takes):
		return nil
	}
}

func (s *slow) process() redis.ProcessHook {
	return store.Hook{}.ProcessHook(func(ctx context.Context, _ redis.Cmder) error { return s.do(ctx) })
}

// TestBudget: the commands of a request share its time; what is done between them
// costs nothing, and what follows a spent budget is not sent.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 150 * time.Millisecond}
		ctx := store.WithBudget(t.Context(), 400*time.Millisecond)
		process, begun := s.process(), time.Now()
		for i, want := range []error{nil, nil, context.DeadlineExceeded, store.ErrSpent} {
			cmd := redis.NewCmd(ctx, "GET", "x")
			// Work of a request outlives its client, not its budget.
			err := process(context.WithoutCancel(ctx), cmd)
			if !errors.Is(err, want) || i == 3 && !errors.Is(cmd.Err(), want) {
				t.Errorf("command %d: %v, %v", i, err, cmd.Err())
			}
			time.Sleep(time.Hour) // a hash, or a wait
		}
		if spent := time.Since(begun) - 4*time.Hour; spent != 400*time.Millisecond {
			t.Errorf("%s spent", spent)
		}
		pipe := redis.NewCmd(ctx, "GET", "x")
		err := store.Hook{}.ProcessPipelineHook(func(context.Context, []redis.Cmder) error { return nil })(ctx, []redis.Cmder{pipe})
		if !errors.Is(err, store.ErrSpent) || !errors.Is(pipe.Err(), store.ErrSpent) {
			t.Errorf("a pipeline: %v, %v", err, pipe.Err())
		}
		s.left = nil
		for _, free := range []context.Context{t.Context(), store.WithBudget(ctx, 0)} {
			if err := process(free, redis.NewCmd(free, "GET", "x")); err != nil || s.left[len(s.left)-1] != -1 {
				t.Errorf("without a budget: %v, %v", err, s.left)
			}
		}
	})
}

// TestRest: what waits for others counts, and is told to end, but those others have
// no part in the budget.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: time.Minute}
		ctx := store.WithBudget(t.Context(), 400*time.Millisecond)
		rest, done := store.Rest(ctx)
		begun := time.Now()
		if err := s.process()(context.WithoutCancel(rest), redis.NewCmd(ctx, "GET", "x")); err != nil || s.left[0] != -1 {
			t.Errorf("others: %v, %v", err, s.left)
		}
		<-rest.Done()
		if time.Since(begun) != time.Minute || !errors.Is(rest.Err(), context.DeadlineExceeded) {
			t.Errorf("%s, %v", time.Since(begun), rest.Err())
		}
		done()
		if err := s.process()(ctx, redis.NewCmd(ctx, "GET", "x")); !errors.Is(err, store.ErrSpent) {
			t.Errorf("after it: %v", err)
		}
		rest, done = store.Rest(t.Context())
		if _, bounded := rest.Deadline(); bounded {
			t.Error("a bound from nowhere")
		}
		done()
	})
}

// TestBudgetOnARealClient: a Redis that hangs, before a connection is made and after,
// costs what the budget says and no more. The bound is far above it, for the machine
// of a test may be slow, and far below the 3 s that each command would wait without.
func TestBudgetOnARealClient(t *testing.T) {
	m, _ := testkit.MustMini(t)
	proxy := testkit.MustProxy(t, m.Addr())
	for _, warm := range []bool{true, false} {
		client := testkit.MustClient(t, proxy.Addr)
		client.AddHook(store.Hook{})
		proxy.Heal()
		if warm {
			if err := client.Ping(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		proxy.Freeze()
		ctx, begun := store.WithBudget(t.Context(), 50*time.Millisecond), time.Now()
		for range 20 {
			if err := client.Get(ctx, "x").Err(); err == nil || errors.Is(err, redis.Nil) {
				t.Fatalf("an answer: %v", err)
			}
		}
		if _, err := client.Pipelined(ctx, func(p redis.Pipeliner) error { return p.Get(ctx, "x").Err() }); !errors.Is(err, store.ErrSpent) {
			t.Errorf("pipeline: %v", err)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
	}
}

// TestBudgetFor: by default it is OpBudget; who gives a command more gives a request more.
func TestBudgetFor(t *testing.T) {
	for op, want := range map[time.Duration]time.Duration{
		0: store.OpBudget, time.Millisecond: store.OpBudget, 100 * time.Millisecond: store.OpBudget, 250 * time.Millisecond: time.Second, 10 * time.Second: 40 * time.Second,
	} {
		if got := store.BudgetFor(op); got != want {
			t.Errorf("%s: %s, want %s", op, got, want)
		}
	}
}

// TestWaited: the log line tells what was waited of how much.
func TestWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 150 * time.Millisecond}
		ctx := store.WithBudget(t.Context(), 400*time.Millisecond)
		for _, want := range []time.Duration{0, 150 * time.Millisecond, 300 * time.Millisecond, 400 * time.Millisecond, 400 * time.Millisecond} {
			if waited, most := store.Waited(ctx); waited != want || most != 400*time.Millisecond {
				t.Errorf("%s of %s, want %s", waited, most, want)
			}
			_ = s.process()(ctx, redis.NewCmd(ctx, "GET", "x"))
		}
		if waited, most := store.Waited(t.Context()); waited != 0 || most != 0 {
			t.Errorf("without a budget: %s of %s", waited, most)
		}
	})
}
