package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/issuer/store"
)

// asked counts the commands of a client.
type asked struct{ n atomic.Int64 }

func (a *asked) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a *asked) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { a.n.Add(1); return next(ctx, cmd) }
}

func (a *asked) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { a.n.Add(int64(len(cmds))); return next(ctx, cmds) }
}

// mustTail runs a tail, which ends with stop or with the test.
func (b adminBox) mustTail(t *testing.T) (tail *store.AuditTail, stop func()) {
	t.Helper()
	tail = store.NewAuditTail(b.audit, 10*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tail.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return tail, stop
}

// told is what one call of Follow returned.
type told struct {
	lines []string
	next  string
	err   error
}

func follow(ctx context.Context, tail *store.AuditTail, f store.AuditFilter, after string, wait time.Duration) told {
	lines, next, err := tail.Follow(ctx, f, after, wait)
	out := told{next: next, err: err}
	for _, l := range lines {
		out.lines = append(out.lines, l.Action+" "+l.Outcome)
	}
	return out
}

// TestTail: each follower gets each line that fits once, whatever is written meanwhile
// and wherever he begins.
func TestTail(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		if b.mini {
			t.Skip("its clock stands still, so intents never settle by time")
		}
		tail, _ := b.mustTail(t)
		start := b.mustPosition(t)
		const lines, followers = 60, 8
		var want []string
		for i := range lines {
			want = append(want, fmt.Sprintf("login.%d done", i))
		}
		var all sync.WaitGroup
		for n := range followers {
			all.Go(func() {
				var got []string
				f := store.AuditFilter{Action: "", Limit: 1 + n*3, Outcome: store.OutcomeDone}
				for after, end := start, time.Now().Add(60*time.Second); len(got) < lines && time.Now().Before(end); {
					one := follow(t.Context(), tail, f, after, time.Second)
					if one.err != nil {
						t.Error(one.err)
						return
					}
					got, after = append(got, one.lines...), one.next
				}
				slices.Sort(got) // lines of one millisecond in the two streams have no order
				wanted := slices.Sorted(slices.Values(want))
				if !slices.Equal(got, wanted) {
					t.Errorf("follower %d was told %q", n, got)
				}
			})
		}
		for i := range lines {
			name := "login." + strconv.Itoa(i)
			if i%5 == 0 {
				l := b.mustBegin(t, store.Line{Action: name})
				b.mustNote(t, store.Line{Action: "other", Outcome: store.OutcomeRefused})
				b.mustSettle(t, l, store.OutcomeDone)
			} else {
				b.mustNote(t, store.Line{Action: name, Outcome: store.OutcomeDone})
			}
			time.Sleep(10 * time.Millisecond)
		}
		all.Wait()
	})
}

// TestTailCostsOnce: many who wait cost Redis what one does.
func TestTailCostsOnce(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		var count asked
		b.redis.AddHook(&count) // before the tail runs: a client's hooks are not guarded
		tail, _ := b.mustTail(t)
		start := b.mustPosition(t)
		// cost is how many commands they cause who wait for a second, while lines are
		// written that are not theirs; and how long that took.
		cost := func(followers int) (int64, time.Duration) {
			var all sync.WaitGroup
			before, begun := count.n.Load(), time.Now()
			for range followers {
				all.Go(func() {
					if one := follow(t.Context(), tail, store.AuditFilter{Actor: "nobody"}, start, time.Second); one.err != nil || len(one.lines) > 0 {
						t.Errorf("%+v", one)
					}
				})
			}
			for range 5 {
				b.mustNote(t, store.Line{Action: "login", Actor: "ada", Outcome: store.OutcomeDone})
			}
			all.Wait()
			return count.n.Load() - before, time.Since(begun)
		}
		follow(t.Context(), tail, store.AuditFilter{}, start, time.Millisecond) // says where the tail begins
		one, _ := cost(1)
		many, took := cost(300)
		t.Logf("one costs %d commands, 300 cost %d in %s", one, many, took)
		if float64(many) > float64(4*one+40)*took.Seconds() { // a slow machine takes longer for so many
			t.Errorf("one costs %d commands, 300 cost %d in %s", one, many, took)
		}
	})
}

// TestTailEnds: who waits returns when the process stops, where he was; who comes after
// that is not kept, and does not turn in a circle.
func TestTailEnds(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		tail, stop := b.mustTail(t)
		start := b.mustPosition(t)
		ends := make(chan told, 50)
		for range cap(ends) {
			go func() { ends <- follow(t.Context(), tail, store.AuditFilter{}, start, time.Hour) }()
		}
		for tail.Followers() < cap(ends) {
			time.Sleep(time.Millisecond)
		}
		stop()
		for range cap(ends) {
			if one := <-ends; one.err != nil || len(one.lines) > 0 || one.next != start {
				t.Errorf("%+v, from %s", one, start)
			}
		}
		begun := time.Now()
		if one := follow(t.Context(), tail, store.AuditFilter{}, start, time.Hour); one.err != nil || one.next != start || time.Since(begun) < 100*time.Millisecond {
			t.Errorf("after the end: %+v after %s", one, time.Since(begun))
		}
	})
}

// TestTailFails: a Redis that is away is told to each, and that it is back as well.
func TestTailFails(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		var away atomic.Bool
		b.redis.AddHook(fails{&away}) // before the tail runs: a client's hooks are not guarded
		tail, _ := b.mustTail(t)
		start := b.mustPosition(t)
		if one := follow(t.Context(), tail, store.AuditFilter{}, start, time.Millisecond); one.err != nil || one.next != start {
			t.Fatalf("%+v", one)
		}
		away.Store(true)
		ends := make(chan told, 5)
		for range cap(ends) {
			go func() { ends <- follow(t.Context(), tail, store.AuditFilter{}, start, time.Hour) }()
		}
		for range cap(ends) {
			if one := <-ends; !errors.Is(one.err, store.ErrUnavailable) {
				t.Errorf("%+v", one)
			}
		}
		away.Store(false)
		b.mustNote(t, store.Line{Action: "login", Outcome: store.OutcomeDone})
		for end := time.Now().Add(20 * time.Second); ; {
			one := follow(t.Context(), tail, store.AuditFilter{}, start, 5*time.Second)
			if len(one.lines) == 1 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("it is back: %+v", one)
			}
		}
		for _, bad := range []string{"", "x", "bm93"} {
			if one := follow(t.Context(), tail, store.AuditFilter{}, bad, time.Hour); !errors.Is(one.err, store.ErrInvalid) {
				t.Errorf("position %q: %+v", bad, one)
			}
		}
	})
}

// fails is a Redis that is away.
type fails struct{ away *atomic.Bool }

var errAway = errors.New("away")

func (f fails) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f fails) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (f fails) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if f.away.Load() {
			return errAway
		}
		return next(ctx, cmds)
	}
}
