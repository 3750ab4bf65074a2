package table

import "math"

// sweep takes out what is over at now from the next so many shards. The lock is
// held for one shard at a time.
func (s *set[V]) sweep(now uint32, shards int) (removed int) {
	for range min(shards, Shards) {
		if s.dir.Load() == nil {
			break
		}
		removed += s.sweepNext(now)
	}
	return removed
}

func (s *set[V]) sweepNext(now uint32) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserve, s.marked = 0, 0 // what was announced has come, or it would be kept for nothing
	dir := s.dir.Load()
	if dir == nil {
		return 0
	}
	at := s.next
	s.next = (at + 1) % Shards
	if s.next%perGroup == 0 {
		defer s.tidy(at / perGroup)
	}
	sh := dir.shards[at].Load()
	if sh == nil {
		return 0
	}
	live := 0
	for sl := range sh.each {
		if !over(sl.expires, now) {
			live++
		}
	}
	removed := sh.used - live
	if removed > 0 {
		s.shrink(at, sh, live, func(sl *slot[V]) bool { return !over(sl.expires, now) })
	}
	return removed
}

// over: an entry is over in the second that its expiry names.
func over(expires, now uint32) bool { return expires <= now && expires != Forever }

// announce has each shard begin with its share of n entries and what chance may
// add: a deviation more, which fills nearly every shard below its limit.
func (s *set[V]) announce(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserve, s.marked = 0, 0
	if share := n / Shards; share > 0 {
		s.reserve = bucketsFor(share + int(math.Sqrt(float64(share))))
		s.marked = filterShare(n)
	}
}
