package session

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// CountSigned counts the live sessions whose present refresh token was issued from
// one moment until another: those that a key which signed in that time ends when
// it is revoked. It reads every session record, in batches; when
// ctx ends first the error says so, and what was counted until then is returned.
func (s *Store) CountSigned(ctx context.Context, from, until time.Time) (int, error) {
	n := 0
	count := func(ctx context.Context, keys []string) error {
		pipe := s.client.Pipeline()
		records := make([]*redis.SliceCmd, len(keys))
		for i, key := range keys {
			records[i] = pipe.HMGet(ctx, key, "state", "ri", "rx")
		}
		if _, err := pipe.Exec(ctx); err != nil && len(keys) > 0 {
			return unavailable("count sessions", err)
		}
		for _, r := range records {
			if issued, live := issuedAt(r.Val(), time.Now()); live && issued >= from.Unix() && issued <= until.Unix() {
				n++
			}
		}
		return nil
	}
	visit := func(ctx context.Context, node redis.Cmdable) error { return s.eachBatch(ctx, node, count) }
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		var one sync.Mutex // nodes are visited at once
		err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			one.Lock()
			defer one.Unlock()
			return visit(ctx, node)
		})
		return n, err
	}
	err := visit(ctx, s.client)
	return n, err
}

// issuedAt reads state, iat and exp of a record's present refresh token.
func issuedAt(fields []any, now time.Time) (issued int64, live bool) {
	if len(fields) != 3 || fields[0] != nil {
		return 0, false // it is ending, or ended
	}
	text, _ := fields[1].(string)
	issued, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false
	}
	text, _ = fields[2].(string)
	expires, err := strconv.ParseInt(text, 10, 64)
	return issued, err == nil && expires > now.Unix()
}

// eachBatch hands the keys of all session records on one node to f.
func (s *Store) eachBatch(ctx context.Context, node redis.Cmdable, f func(context.Context, []string) error) error {
	const mark = "\x00"
	head, tail, _ := strings.Cut(s.names.session(mark), mark)
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, globQuote(head)+"*"+globQuote(tail), scanBatch).Result()
		if err != nil {
			return unavailable("scan", err)
		}
		if err := f(ctx, keys); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
