package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// OpBudget is how long one request of the issuer or the admin API waits for Redis,
// all its commands together: with it an answer comes within half a second of a Redis
// that hangs. What a request computes meanwhile (a password's hash) is not counted.
const OpBudget = 400 * time.Millisecond

// opsInBudget is how many times the time of one command a request has.
const opsInBudget = 4

// BudgetFor is the budget where a single command of an edge has the given time:
// whoever gives it more, because Redis is far away or its machine busy, must not have
// his log-ins cut off by a bound that he cannot move. It is never less than OpBudget.
func BudgetFor(op time.Duration) time.Duration { return max(OpBudget, opsInBudget*op) }

// ErrSpent says that a request has waited for Redis as long as it may. The command
// that met it was not sent.
// Like a deadline that has passed, it is no error that another attempt may not meet.
var ErrSpent = fmt.Errorf("the request's time for Redis is spent: %w", context.DeadlineExceeded)

type budgetKey struct{}

// budget is what there was and what is left, in nanoseconds.
type budget struct {
	all  time.Duration
	left atomic.Int64
}

// WithBudget gives what is done with the context that much time for Redis, in place of
// what the context had before; 0 or less: no bound. It holds through
// context.WithoutCancel. Clients observe it that have Hook.
func WithBudget(ctx context.Context, d time.Duration) context.Context {
	if d <= 0 {
		return context.WithValue(ctx, budgetKey{}, (*budget)(nil))
	}
	b := &budget{all: d}
	b.left.Store(int64(d))
	return context.WithValue(ctx, budgetKey{}, b)
}

// Rest turns what is left of the context's budget into a deadline, for work that
// waits on others who ask Redis on their own account: theirs is not bounded by it.
// The time until done is called counts.
func Rest(ctx context.Context) (rest context.Context, done context.CancelFunc) {
	b := budgetOf(ctx)
	if b == nil {
		return context.WithCancel(ctx)
	}
	rest, end := b.begin(WithBudget(ctx, 0))
	return rest, end
}

// Waited tells, for a log line, how long the context's work has waited for Redis and
// how long it may. Both are 0 without a budget.
func Waited(ctx context.Context) (waited, most time.Duration) {
	b := budgetOf(ctx)
	if b == nil {
		return 0, 0
	}
	return b.all - time.Duration(b.left.Load()), b.all
}

func budgetOf(ctx context.Context) *budget {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	return b
}

// begin bounds a context by what is left; end takes the time since then off it.
func (b *budget) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.left.Load()))
	return ctx, func() {
		cancel()
		b.left.Add(-int64(time.Since(begun)))
	}
}
