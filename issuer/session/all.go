package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// scansOfAPage bounds the work of one page where most keys are not sessions.
const scansOfAPage = 16

// All returns sessions of every subject, about limit of them, in no order; cursor is
// that of the page before, "" for the first. An empty next cursor means that there are
// no more: a page may be empty before that. A session that begins or ends meanwhile may
// come or not, and one may come twice. ErrInvalid for a cursor that is none.
func (s *Store) All(ctx context.Context, limit int, cursor string) (page []Session, next string, err error) {
	nodes, err := s.nodes(ctx)
	if err != nil {
		return nil, "", err
	}
	node, at, err := place(cursor, len(nodes))
	if err != nil {
		return nil, "", err
	}
	const mark = "\x00"
	head, tail, _ := strings.Cut(s.names.session(mark), mark)
	pattern := globQuote(head) + "*" + globQuote(tail)
	var keys []string
	for n := 0; n < scansOfAPage && len(keys) < limit && node < len(nodes); n++ {
		found, after, err := nodes[node].Scan(ctx, at, pattern, int64(limit-len(keys))).Result()
		if err != nil {
			return nil, "", unavailable("list all sessions", err)
		}
		keys = append(keys, found...)
		if at = after; at == 0 {
			node++
		}
	}
	if node < len(nodes) {
		next = placeText(node, at)
	}
	slices.Sort(keys) // one batch of a scan may have a key twice
	page, err = s.showAll(ctx, slices.Compact(keys), head, tail)
	return page, next, err
}

// showAll reads the records of keys. Those that are gone meanwhile are left out.
func (s *Store) showAll(ctx context.Context, keys []string, head, tail string) ([]Session, error) {
	pipe := s.client.Pipeline()
	records := make([]*redis.MapStringStringCmd, len(keys))
	for i, key := range keys {
		records[i] = pipe.HGetAll(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable("read sessions", err)
	}
	var out []Session
	for i, key := range keys {
		if len(records[i].Val()) == 0 {
			continue
		}
		one, err := s.show(ctx, strings.TrimSuffix(strings.TrimPrefix(key, head), tail), records[i].Val())
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// nodes are the servers that hold records, in an order that stays the same.
func (s *Store) nodes(ctx context.Context) ([]redis.Cmdable, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return []redis.Cmdable{s.client}, nil
	}
	var mu sync.Mutex
	var found []*redis.Client
	err := cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, node)
		return nil
	})
	if err != nil {
		return nil, unavailable("find the servers", err)
	}
	slices.SortFunc(found, func(a, b *redis.Client) int { return cmp.Compare(a.Options().Addr, b.Options().Addr) })
	out := make([]redis.Cmdable, len(found))
	for i, node := range found {
		out[i] = node
	}
	return out, nil
}

func placeText(node int, at uint64) string {
	return strconv.Itoa(node) + "." + strconv.FormatUint(at, 10)
}

// place reads a cursor: the number of a server and the cursor of its scan.
func place(cursor string, nodes int) (node int, at uint64, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	first, second, _ := strings.Cut(cursor, ".")
	node, err = strconv.Atoi(first)
	if err == nil {
		at, err = strconv.ParseUint(second, 10, 64)
	}
	if err != nil || node < 0 || node >= nodes || placeText(node, at) != cursor {
		return 0, 0, fmt.Errorf("%w: cursor", ErrInvalid)
	}
	return node, at, nil
}
