package revocation

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	evictionsEvery  = time.Second
	evictionsWithin = time.Second
)

// evictions is how many keys a server has evicted in one life of it.
type evictions struct {
	run   string // the server's run id; empty: not known
	count int64
}

func (e evictions) String() string { return e.run + " " + strconv.FormatInt(e.count, 10) }

// evictions asks the primary that holds the store. A server that does not say is one
// that does not evict.
func (r *Redis) evictions(ctx context.Context) (evictions, error) {
	ctx, cancel := context.WithTimeout(ctx, evictionsWithin)
	defer cancel()
	primary := r.client
	if cluster, ok := r.client.(*redis.ClusterClient); ok {
		var err error
		if primary, err = cluster.MasterForKey(ctx, r.names.epoch); err != nil {
			return evictions{}, fmt.Errorf("evictions: %w: %w", ErrUnavailable, err)
		}
	}
	// Not the whole of INFO: every edge asks once a second, and that takes twice as long.
	var server, stats *redis.StringCmd
	_, err := primary.Pipelined(ctx, func(p redis.Pipeliner) error {
		server, stats = p.Info(ctx, "server"), p.Info(ctx, "stats")
		return nil
	})
	if err != nil {
		return evictions{}, fmt.Errorf("evictions: %w: %w", ErrUnavailable, err)
	}
	return parseEvictions(server.Val() + stats.Val()), nil
}

// parseEvictions reads replies to INFO.
func parseEvictions(info string) evictions {
	var e evictions
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "run_id":
			e.run = value
		case "evicted_keys":
			n, err := number(value)
			if err != nil {
				return evictions{}
			}
			e.count = n
		}
	}
	return e
}

// watchEvictions notes a loss when the count has risen since the last look. While the
// store is not level or a loss is being mended the next look will do. In a life of the
// server that began meanwhile the count has risen from none, whatever of it was looked at:
// what is put back may be evicted at once.
func (m *Mirror) watchEvictions(ctx context.Context, last *evictions) {
	now, err := m.cfg.Store.evictions(ctx)
	if err != nil || now.run == "" {
		return
	}
	if last.run == "" {
		*last = now
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &m.loss
	if !l.level || l.found != nil || l.putBack || l.followed.Lost != 0 {
		return
	}
	if last.run != now.run {
		last.count = 0
	}
	if now.count > last.count {
		m.find(finding{reason: gapEvicted, seen: l.followed.ID, evicted: now.String()})
	}
	*last = now
}
