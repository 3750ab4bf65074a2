package table

import "sync/atomic"

// Each function here wants s.mu held.

// put enters what is not there yet. The expiry is not 0.
func (s *set[V]) put(h uint64, d *Digest, v V, expires uint32) {
	dir := s.dir.Load()
	if dir == nil {
		dir = new(directory[V])
		dir.filters.Store(new(filters))
		s.bytes.Add(sizeOf[directory[V]]() + sizeOf[filters]())
		s.dir.Store(dir)
	}
	s.tell(dir, h)
	sh := dir.shards[shardOf(h)].Load()
	s.count.Add(1)
	if sh != nil && sh.used < limit(len(sh.buckets)) {
		sl := sh.free(h)
		sl.digest, sl.value = *d, v
		atomic.StoreUint32(&sl.expires, expires) // from here on readers see it
		return
	}
	n := max(s.reserve, minBuckets)
	if sh != nil {
		n = max(s.reserve, sh.grown())
	}
	larger := s.rebuild(sh, n, nil)
	larger.add(h, slot[V]{digest: *d, value: v, expires: expires})
	s.publish(dir, shardOf(h), sh, larger)
}

// raise sets an expiry in place unless it is later already.
func (s *set[V]) raise(sl *slot[V], expires uint32) {
	if expires > sl.expires {
		atomic.StoreUint32(&sl.expires, expires)
	}
}

// replace gives a taken slot another value and expiry, in a new array.
func (s *set[V]) replace(h uint64, d *Digest, v V, expires uint32) {
	dir := s.dir.Load()
	old := dir.shards[shardOf(h)].Load()
	other := newShard[V](len(old.buckets))
	copy(other.buckets, old.buckets)
	other.used = old.used
	sl := other.find(h, d)
	sl.value, sl.expires = v, expires
	s.publish(dir, shardOf(h), old, other)
}

// remove takes d out, in a new array.
func (s *set[V]) remove(d *Digest) bool {
	h := s.hash(d)
	sh := s.shard(h)
	gone := sh.find(h, d)
	if gone == nil {
		return false
	}
	s.shrink(shardOf(h), sh, sh.used-1, func(sl *slot[V]) bool { return sl != gone })
	return true
}

// shrink replaces a shard by one with the live entries that keep tells, and takes
// the directory away when they were the last.
func (s *set[V]) shrink(at int, sh *shard[V], live int, keep func(*slot[V]) bool) {
	dir := s.dir.Load()
	var smaller *shard[V]
	if live > 0 {
		smaller = s.rebuild(sh, sh.fitting(live), keep)
	}
	s.publish(dir, at, sh, smaller)
	if s.count.Add(int64(live-sh.used)) == 0 {
		s.dir.Store(nil)
		s.bytes.Add(-sizeOf[directory[V]]() - sizeOf[filters]())
		for _, f := range dir.filters.Load() {
			s.bytes.Add(-int64(len(f)) * 8)
		}
	}
}

// rebuild makes a shard of at least n buckets with the entries of sh, which may be
// nil, that keep tells: all of them when it is nil.
func (s *set[V]) rebuild(sh *shard[V], n int, keep func(*slot[V]) bool) *shard[V] {
	other := newShard[V](n)
	if sh == nil {
		return other
	}
	for sl := range sh.each {
		if keep == nil || keep(sl) {
			other.add(s.hash(&sl.digest), *sl)
		}
	}
	return other
}

func (s *set[V]) publish(dir *directory[V], at int, old, other *shard[V]) {
	s.bytes.Add(other.bytes() - old.bytes())
	dir.shards[at].Store(other)
}
