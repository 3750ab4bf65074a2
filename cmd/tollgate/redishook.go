package main

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// errorHook counts the commands that failed, by their names.
type errorHook struct{ failed func(op string) }

// DialHook implements redis.Hook.
func (h errorHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if isFailure(err) {
			h.failed("dial")
		}
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (h errorHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if isFailure(err) {
			h.failed(cmd.Name())
		}
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h errorHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if isFailure(err) {
			h.failed("pipeline")
		}
		return err
	}
}

// isFailure leaves out what happens in good health: no value there, a script that
// is sent for the first time, a client that went away.
func isFailure(err error) bool {
	return err != nil && !errors.Is(err, redis.Nil) && !errors.Is(err, context.Canceled) &&
		!redis.HasErrorPrefix(err, "NOSCRIPT")
}
