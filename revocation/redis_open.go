package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// shutPatience is how long a change waits for an epoch that began after a loss to be opened:
	// no longer, because a log-out is answered within half a second. A nearer deadline holds.
	shutPatience = 300 * time.Millisecond
	// shutPause is the first pause between two looks, and shutPauses the longest: many may wait.
	shutPause  = 5 * time.Millisecond
	shutPauses = 50 * time.Millisecond
)

// ErrShut says that the store has lost something, and that nobody has read yet what is left:
// it has not taken the change. It is ErrUnavailable, too.
var ErrShut = errors.New("the store has lost revocations, and takes no others before a process has read what is left of it: ask again")

// Shut reports whether the store takes no revocations: see ErrShut. One without an epoch is not.
// ErrUnavailable.
func (r *Redis) Shut(ctx context.Context) (bool, error) {
	reply, err := again(ctx, r.client, func() (any, error) { return r.client.HMGet(ctx, r.names.epoch, "shut").Result() })
	if err != nil {
		return false, fmt.Errorf("shut: %w", noAnswer(err))
	}
	values, ok := reply.([]any)
	return ok && len(values) == 1 && values[0] != nil, nil
}

// isShut says whether a script has done nothing because the epoch is shut.
func isShut(reply any) bool {
	list, ok := reply.([]any)
	return ok && len(list) == 1 && list[0] == "shut"
}

// runOpen is runCopied, again as long as the epoch is shut.
func (r *Redis) runOpen(ctx context.Context, s *redis.Script, keys []string, args ...any) (any, error) {
	wait := shutPause
	for end := time.Now().Add(r.shutPatience); ; wait = min(2*wait, shutPauses) {
		reply, err := r.runCopied(ctx, s, keys, args...)
		if err != nil || !isShut(reply) {
			return reply, err
		}
		if !time.Now().Before(end) || !pause(ctx, wait) {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ErrShut)
		}
	}
}
