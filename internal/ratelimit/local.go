package ratelimit

import (
	"container/list"
	"sync"
)

const (
	localShards = 64
	// localKeys is how many keys are kept at most; each takes some 250 bytes.
	localKeys = 65536
)

// local counts in this process. A key that finds no room pushes out the one of its
// shard that was asked about longest ago: it is the likeliest to have recovered.
// Digests are uniform, so that the shards fill evenly.
type local struct {
	shards [localShards]shard
}

type shard struct {
	mu     sync.Mutex // guards all below
	byName map[digest]*list.Element
	recent list.List // of *bucket, the last asked about in front
}

type bucket struct {
	name digest
	tat  int64 // µs of the caller's clock
}

// allow decides on a call at now, in µs of a clock that does not go back, and counts
// it or only looks.
func (l *local) allow(d digest, g gcra, now int64, count bool) Decision {
	s := &l.shards[int(d[0])%localShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bucket(d, now)
	decision, tat := g.decide(now, b.tat)
	if count {
		b.tat = tat
	}
	decision.Local = true
	return decision
}

// bucket returns the bucket of d, a new one when there is none. The caller holds mu.
func (s *shard) bucket(d digest, now int64) *bucket {
	if e, ok := s.byName[d]; ok {
		s.recent.MoveToFront(e)
		b, _ := e.Value.(*bucket)
		return b
	}
	if s.byName == nil {
		s.byName = make(map[digest]*list.Element)
	}
	b := &bucket{}
	if len(s.byName) < localKeys/localShards {
		s.byName[d] = s.recent.PushFront(b)
	} else {
		e := s.recent.Back()
		b, _ = e.Value.(*bucket)
		delete(s.byName, b.name)
		s.recent.MoveToFront(e)
		s.byName[d] = e
	}
	*b = bucket{name: d, tat: now}
	return b
}
