package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	slowPatience  = 3 * time.Second // of commands that no request's own limit ends: what a failover takes
	maxRetryPause = 50 * time.Millisecond
)

// retryHook sends a command again that was certainly not carried out, while Sentinels
// or a cluster change their primary: the server refused it because of its place
// among the others, or there was no connection. go-redis by itself does not (its
// MaxRetries is -1), and its cluster client never asks for the new primary of a slot
// whose old one is gone.
//
// What was cut off after it was sent may have been carried out, and is not sent
// again. The cluster client would: MaxRedirects, which makes it follow MOVED and ASK,
// makes it do that as well. So each node's client has a cutOffHook, whose errors it
// does not know for such, and this hook gives them back their names.
type retryHook struct {
	client redis.UniversalClient
	// patience is how long a command may take, with all its attempts.
	patience time.Duration
	// cut says that the time of each attempt is bounded by it, too.
	cut bool
}

// newRetrying makes a client for o. One server alone has nobody to take over from
// it, and so nothing to wait for. The errors that remain are counted by failed,
// which may be nil. Outer, unless nil, sees a command before anybody else: what it
// keeps from being sent is no failed command.
func newRetrying(o *redis.UniversalOptions, outer redis.Hook, failed func(op string), patience time.Duration, cut bool) redis.UniversalClient {
	var c redis.UniversalClient
	if o.IsClusterMode {
		cluster := o.Cluster()
		cluster.NewClient = func(node *redis.Options) *redis.Client {
			c := redis.NewClient(node)
			c.AddHook(cutOffHook{})
			return c
		}
		c = redis.NewClusterClient(cluster)
	} else {
		c = redis.NewUniversalClient(o)
	}
	if outer != nil {
		c.AddHook(outer)
	}
	if failed != nil {
		c.AddHook(errorHook{failed}) // the outer one: it sees what became of all attempts
	}
	if o.IsClusterMode || o.MasterName != "" {
		c.AddHook(retryHook{c, patience, cut})
	}
	return c
}

// DialHook implements redis.Hook.
func (h retryHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h retryHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.run(ctx, []redis.Cmder{cmd}, func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h retryHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.run(ctx, cmds, func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

func (h retryHook) run(ctx context.Context, cmds []redis.Cmder, next func(context.Context) error) error {
	end := time.Now().Add(h.patience)
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		end = d
	}
	if h.cut {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	for pause := time.Duration(0); ; pause = min(max(2*pause, 5*time.Millisecond), maxRetryPause) {
		err := h.shown(next(ctx), cmds)
		if err == nil || errors.Is(err, redis.Nil) {
			return err
		}
		if _, answered := errors.AsType[redis.Error](err); !answered || misplaced(err) {
			h.reload(ctx)
		}
		if !untouched(err, cmds) || !time.Now().Add(pause).Before(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		for _, cmd := range cmds {
			cmd.SetErr(nil)
		}
	}
}

// shown gives errors that a cutOffHook has hidden back their names.
func (h retryHook) shown(err error, cmds []redis.Cmder) error {
	for _, cmd := range cmds {
		if e := cmd.Err(); e != nil {
			cmd.SetErr(bare(e))
		}
	}
	return bare(err)
}

// bare returns the error inside of a cutOff. One may stand in another: a handshake
// passes the hook, too, and so does the command that it was for.
func bare(err error) error {
	for c, ok := errors.AsType[cutOff](err); ok; c, ok = errors.AsType[cutOff](err) {
		err = c.err
	}
	return err
}

// reload makes the cluster's client ask, in the background, who has which slot.
func (h retryHook) reload(ctx context.Context) {
	if c, ok := h.client.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
}

// untouched says whether none of the commands was carried out, and each may be sent
// again.
func untouched(err error, cmds []redis.Cmder) bool {
	if !unsent(err) && !misplaced(err) {
		return false
	}
	for _, cmd := range cmds {
		if e := cmd.Err(); cmd.NoRetry() || e == nil && len(cmds) > 1 || e != nil && !unsent(e) && !misplaced(e) {
			return false
		}
	}
	return true
}

// unsent says whether there was no connection to send anything over.
func unsent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// misplaced says whether a server refused because of its place among the others, or
// because it is not ready yet.
func misplaced(err error) bool {
	for _, prefix := range [...]string{"READONLY", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// cutOff is an error after which nobody knows whether the command was carried out.
// It does not unwrap: go-redis would find in it what it tries again.
type cutOff struct{ err error }

func (c cutOff) Error() string { return c.err.Error() }

// cutOffHook makes what was cut off a cutOff. It is for the clients of a cluster's
// nodes. Of pipelines it learns too late: they hold only what may be sent twice.
type cutOffHook struct{}

// DialHook implements redis.Hook.
func (cutOffHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (cutOffHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		_, answered := errors.AsType[redis.Error](err)
		switch {
		case err == nil, answered, unsent(err), errors.Is(err, redis.ErrClosed),
			errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted),
			errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // go-redis does not try these again
			return err
		}
		return cutOff{err}
	}
}

// ProcessPipelineHook implements redis.Hook.
func (cutOffHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
