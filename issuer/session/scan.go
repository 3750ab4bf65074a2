package session

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	scanBatch = 500
	scanPause = 5 * time.Millisecond // between batches: requests come first
)

// scan looks at every session record once and completes those left ending. The set
// that the sweep reads has all of them but one kind: a reuse is marked by a script
// on the record's slot, and the process may die before it enters the session.
func (s *Store) scan(ctx context.Context) error {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return s.scanNode(ctx, node)
		})
	}
	return s.scanNode(ctx, s.client)
}

func (s *Store) scanNode(ctx context.Context, node redis.Cmdable) error {
	const mark = "\x00"
	head, tail, _ := strings.Cut(s.names.session(mark), mark)
	pattern := globQuote(head) + "*" + globQuote(tail)
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, pattern, scanBatch).Result()
		if err != nil {
			return unavailable("scan", err)
		}
		if err := s.completeAll(ctx, keys, head, tail); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(scanPause):
		}
	}
}

// completeAll ends those of these sessions that are ending.
func (s *Store) completeAll(ctx context.Context, keys []string, head, tail string) error {
	pipe := s.client.Pipeline()
	states := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		states[i] = pipe.HGet(ctx, key, "state")
	}
	_, _ = pipe.Exec(ctx) // each command has its own error: most are redis.Nil
	for i, key := range keys {
		if err := states[i].Err(); err != nil && !errors.Is(err, redis.Nil) {
			return unavailable("scan", err)
		}
		if states[i].Val() != StateEnding {
			continue
		}
		sid := strings.TrimSuffix(strings.TrimPrefix(key, head), tail)
		if err := s.end(ctx, sid, reasonSweep, actorSelf); err != nil {
			return err
		}
	}
	return nil
}

// globQuote takes their meaning from the characters that MATCH reads.
func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(s)
}
