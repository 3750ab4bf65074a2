package revocation

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// DefaultWithin is how long replicas have to confirm a write when nothing else is
// said.
const DefaultWithin = 300 * time.Millisecond

// waitAnswer is how much later than its time the answer to a WAIT may come: a quiet
// Redis looks ten times a second who has waited long enough.
const waitAnswer = 250 * time.Millisecond

// copies is how many replicas must have a write before it is acknowledged.
type copies struct {
	replicas int // 0: nobody is asked
	within   time.Duration
}

// Confirm makes each change wait until that many replicas have it in memory, for at
// most within (zero: DefaultWithin). With fewer the change is ErrUnconfirmed,
// although it is written. It takes replicas that may become the primary: with
// Sentinels or a cluster, as many as are there less one, or the one that is promoted
// may be the one without the change. Call it before the store is used. Zero replicas,
// as at the beginning: nobody is asked.
func (r *Redis) Confirm(replicas int, within time.Duration) {
	if within <= 0 {
		within = DefaultWithin
	}
	r.copies = copies{max(0, replicas), within}
}

// runCopied is run for a script that acknowledges a change. Each must write
// something whenever it says that it has done what was asked, even if nothing changes: WAIT
// after a script that wrote nothing confirms nothing.
func (r *Redis) runCopied(ctx context.Context, s *redis.Script, keys []string, args ...any) (any, error) {
	if r.copies.replicas == 0 {
		return r.run(ctx, s, keys, args...)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var reply any
	var unconfirmed error
	err := onPrimary(ctx, r.client, keys[0], func(conn *redis.Conn) (err error) {
		if reply, err = s.Run(ctx, conn, keys, freshen(args)...).Result(); err != nil {
			return err
		}
		if list, ok := reply.([]any); !isShut(reply) && (!ok || len(list) > 0) {
			unconfirmed = r.copies.wait(ctx, conn)
		}
		return nil
	})
	if err != nil {
		return nil, noAnswer(err)
	}
	return reply, unconfirmed
}

// wait waits until enough replicas have what conn has written.
func (c copies) wait(ctx context.Context, conn *redis.Conn) error {
	within := c.within
	if end, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(end)-waitAnswer)
	}
	within = max(within, time.Millisecond).Truncate(time.Millisecond) // 0 is for ever
	ctx, cancel := context.WithTimeout(ctx, within+waitAnswer)
	defer cancel()
	got, err := conn.Wait(ctx, c.replicas, within).Result()
	switch {
	case err != nil:
		return &Unconfirmed{Known: "written, but whether a replica has it is not known", Err: err}
	case got < int64(c.replicas):
		return &Unconfirmed{Known: fmt.Sprintf("written, but only %d of %d replicas confirmed it within %s", got, c.replicas, within)}
	}
	return nil
}
