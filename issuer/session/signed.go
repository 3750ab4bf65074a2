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
	const mark = "\x00"
	head, tail, _ := strings.Cut(s.names.session(mark), mark)
	n := 0
	count := func(ctx context.Context, keys []string) error {
		pipe := s.client.Pipeline()
		records := make([]*redis.SliceCmd, len(keys))
		for i, key := range keys {
			records[i] = pipe.HMGet(ctx, key, "state", "at", "rx")
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return unavailable("count sessions", err)
		}
		for i, r := range records {
			sid := strings.TrimSuffix(strings.TrimPrefix(keys[i], head), tail)
			if issued, live := issuedAt(sid, r.Val(), time.Now()); live && issued >= from.UnixMilli() && issued <= until.UnixMilli() {
				n++
			}
		}
		return nil
	}
	pattern := globQuote(head) + "*" + globQuote(tail)
	visit := func(ctx context.Context, node redis.Cmdable) error { return eachBatch(ctx, node, pattern, count) }
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

// issuedAt reads when the present refresh token of a record was made, in unix
// milliseconds, and whether it can still be used. One that was never rotated was
// made at the log-in, whose moment is in the sid.
func issuedAt(sid string, fields []any, now time.Time) (issued int64, live bool) {
	if len(fields) != 3 || fields[0] != nil {
		return 0, false // it is ending, or ended
	}
	birth, ok := Birth(sid)
	issued = birth / 1000
	if text, rotated := fields[1].(string); rotated {
		var err error
		issued, err = strconv.ParseInt(text, 10, 64)
		ok = err == nil
	}
	text, _ := fields[2].(string)
	expires, err := strconv.ParseInt(text, 10, 64)
	return issued, ok && err == nil && expires > now.Unix()
}

// eachBatch hands the keys on one node that match to f.
func eachBatch(ctx context.Context, node redis.Cmdable, pattern string, f func(context.Context, []string) error) error {
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, pattern, scanBatch).Result()
		if err != nil {
			return unavailable("scan", err)
		}
		if len(keys) > 0 {
			if err := f(ctx, keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
