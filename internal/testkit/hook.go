package testkit

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Hook stands between a client and its server: it is called for each command, and
// once for the commands of a pipeline together. Do sends them on. Give it to AddHook.
type Hook func(do func() error, cmds ...redis.Cmder) error

// DialHook implements redis.Hook. Connections are made as ever.
func (h Hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h Hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h(func() error { return next(ctx, cmd) }, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h Hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h(func() error { return next(ctx, cmds) }, cmds...)
	}
}

// ErrCut is what a command returns whose connection was cut.
var ErrCut = &net.OpError{Op: "read", Err: errors.New("cut")}

// CutCommands says of these commands that their answer did not come.
func CutCommands(cmds ...redis.Cmder) error {
	for _, cmd := range cmds {
		cmd.SetErr(ErrCut)
	}
	return ErrCut
}

// Cut is a connection that dies.
type Cut struct {
	After int  // so many commands pass; the next one fails
	Once  bool // it is whole again after that one; otherwise all that follow fail, too
	Deaf  bool // the one that fails was executed, and only its answer is lost
}

// Hook returns the cut for one client.
func (c Cut) Hook() Hook {
	var left atomic.Int64
	left.Store(int64(c.After))
	return func(do func() error, cmds ...redis.Cmder) error {
		n := left.Add(-1)
		if n >= 0 || c.Once && n < -1 {
			return do()
		}
		if n == -1 && c.Deaf {
			_ = do()
		}
		return CutCommands(cmds...)
	}
}
