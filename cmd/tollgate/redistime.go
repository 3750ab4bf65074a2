package main

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// timeHook tells how long each command took, by its name. It is the innermost hook:
// where a command is sent again, each attempt counts by itself.
type timeHook struct {
	took func(op string, took time.Duration)
}

// timed makes both clients tell.
func (r *redisClients) timed(took func(op string, took time.Duration)) {
	r.Hot.AddHook(timeHook{took})
	r.Slow.AddHook(timeHook{took})
}

// DialHook implements redis.Hook.
func (h timeHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		begun := time.Now()
		conn, err := next(ctx, network, addr)
		h.took("dial", time.Since(begun))
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (h timeHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		begun := time.Now()
		err := next(ctx, cmd)
		h.took(cmd.Name(), time.Since(begun))
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h timeHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		begun := time.Now()
		err := next(ctx, cmds)
		h.took("pipeline", time.Since(begun))
		return err
	}
}
