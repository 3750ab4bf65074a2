package store

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Hook bounds the commands of a client by the budgets of their contexts (WithBudget).
// The client must have ContextTimeoutEnabled. A context without one is left alone.
type Hook struct{}

var _ redis.Hook = Hook{}

// DialHook implements redis.Hook: a command that needs a connection has its context.
func (Hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (Hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b := budgetOf(ctx)
		if b == nil {
			return next(ctx, cmd)
		}
		if b.left.Load() <= 0 {
			cmd.SetErr(ErrSpent)
			return ErrSpent
		}
		ctx, end := b.begin(ctx)
		defer end()
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (Hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		b := budgetOf(ctx)
		if b == nil {
			return next(ctx, cmds)
		}
		if b.left.Load() <= 0 {
			for _, cmd := range cmds {
				cmd.SetErr(ErrSpent)
			}
			return ErrSpent
		}
		ctx, end := b.begin(ctx)
		defer end()
		return next(ctx, cmds)
	}
}
