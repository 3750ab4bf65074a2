package revocation

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// ask is run for a script that only reads: a replica would answer it, and may repeat
// for ever what it had. A script cannot ask for the role of its server, so the question
// goes ahead of it on the same connection: a server that is a primary when it answers
// the one was so after the other was sent.
func (r *Redis) ask(ctx context.Context, s *redis.Script, keys []string, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	reply, err := again(ctx, r.client, func() (any, error) {
		role, err := r.role.ask(ctx, r.client)
		if err != nil {
			return nil, err
		}
		if role == nil {
			return s.Run(ctx, r.client, keys, args...).Result()
		}
		reply, err := r.askOnce(ctx, role, func(c redis.Scripter) *redis.Cmd { return s.EvalSha(ctx, c, keys, args...) })
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			role = redis.NewSliceCmd(ctx, "role")
			return r.askOnce(ctx, role, func(c redis.Scripter) *redis.Cmd { return s.Eval(ctx, c, keys, args...) })
		}
		return reply, err
	})
	switch {
	case errors.Is(err, errReplica):
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		return nil, noAnswer(err)
	}
	return reply, nil
}

// askOnce sends both on one connection.
func (r *Redis) askOnce(ctx context.Context, role *redis.SliceCmd, script func(redis.Scripter) *redis.Cmd) (any, error) {
	var answer *redis.Cmd
	_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error { // each command has its own error
		err := p.Process(ctx, role)
		answer = script(p)
		return err
	})
	if err := role.Err(); err != nil {
		return nil, err
	}
	if err := r.role.wantPrimary(ctx, r.client, r.names.epoch, role); err != nil {
		return nil, err
	}
	return answer.Result()
}
