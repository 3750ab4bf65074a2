package table

import "sync/atomic"

// slot is one entry, or the room for one.
type slot[V any] struct {
	digest Digest
	value  V
	// expires is 0 while the slot is empty. In a published array it is stored and
	// loaded atomically, but by the writer who holds the lock and only reads it; in
	// one that is not published yet a plain store does, at a tenth of the price.
	expires uint32
}

// bucket is the slots that are looked at together, filled from the first: in a
// Table 64 bytes, one line of a processor's cache.
type bucket[V any] struct {
	slots [3]slot[V]
	// passed is not 0 when an entry that belongs here, or before, found no room and
	// stands further on. Like an expiry it is written atomically once published.
	passed uint32
}

// shard is a published array of buckets, at least one slot of which is empty.
type shard[V any] struct {
	buckets []bucket[V]
	used    int // slots; the writer's, readers do not look at it
}

const (
	perBucket   = len(bucket[struct{}]{}.slots)
	minBuckets  = 1
	largeShard  = 256 // buckets from which on a shard grows by an eighth
	loadOf16    = 13  // sixteenths of the slots that may be taken
	reserveOf16 = 12  // that are taken when the room was made to measure
)

// limit is how many entries so many buckets may hold.
func limit(buckets int) int { return max(buckets*perBucket*loadOf16/16, 1) }

// bucketsFor is how many buckets n entries fill to three quarters.
func bucketsFor(n int) int {
	return max((n*16/reserveOf16+perBucket-1)/perBucket, minBuckets)
}

// newShard makes a shard of at least n buckets: as many as fit into what the
// allocator gives for n.
func newShard[V any](n int) *shard[V] {
	return &shard[V]{buckets: fitted[bucket[V]](n)}
}

// fitted makes a slice of at least n zeros: of all the room that the allocator gives.
func fitted[T any](n int) []T {
	list := append([]T(nil), make([]T, n)...)
	list = list[:cap(list)]
	clear(list[n:])
	return list
}

// place is the bucket at which the search for a hash begins: its last 32 bits scaled
// to the number of buckets. Larger hashes stand further on, whatever the number, so
// that building an array from another walks through both from front to back.
func place(h uint64, buckets int) int { return int(uint64(uint32(h)) * uint64(buckets) >> 32) }

// find returns the slot that holds d, nil when none does or the shard is nil.
func (sh *shard[V]) find(h uint64, d *Digest) *slot[V] {
	if sh == nil {
		return nil
	}
	for i := place(h, len(sh.buckets)); ; {
		b := &sh.buckets[i]
		for j := range b.slots {
			sl := &b.slots[j]
			if atomic.LoadUint32(&sl.expires) == 0 {
				return nil
			}
			if sl.digest == *d {
				return sl
			}
		}
		if atomic.LoadUint32(&b.passed) == 0 {
			return nil
		}
		if i++; i == len(sh.buckets) {
			i = 0
		}
	}
}

// free returns the empty slot into which an entry of that hash belongs, having left
// word in the full buckets before it.
func (sh *shard[V]) free(h uint64) *slot[V] {
	sh.used++
	for i := place(h, len(sh.buckets)); ; {
		b := &sh.buckets[i]
		for j := range b.slots {
			if b.slots[j].expires == 0 {
				return &b.slots[j]
			}
		}
		if b.passed == 0 {
			atomic.StoreUint32(&b.passed, 1)
		}
		if i++; i == len(sh.buckets) {
			i = 0
		}
	}
}

// add enters what is not there yet into a shard that is not published yet.
func (sh *shard[V]) add(h uint64, sl slot[V]) {
	*sh.free(h) = sl
}

// each calls yield with each taken slot; for whoever holds the writers' lock.
func (sh *shard[V]) each(yield func(*slot[V]) bool) {
	for i := range sh.buckets {
		for j := range sh.buckets[i].slots {
			sl := &sh.buckets[i].slots[j]
			if sl.expires == 0 {
				break
			}
			if !yield(sl) {
				return
			}
		}
	}
}

// bytes is what the shard takes, 0 for none.
func (sh *shard[V]) bytes() int64 {
	if sh == nil {
		return 0
	}
	return int64(len(sh.buckets))*sizeOf[bucket[V]]() + sizeOf[shard[V]]()
}

// grown is how many buckets the shard has when its present ones no longer do.
func (sh *shard[V]) grown() int {
	if n := len(sh.buckets); n >= largeShard {
		return n + n/8
	}
	return len(sh.buckets) + max(len(sh.buckets)/4, 1)
}

// fitting is how many buckets a new array takes for live entries of this shard and
// some that may follow: never more than there are.
func (sh *shard[V]) fitting(live int) int { return min(bucketsFor(live), len(sh.buckets)) }
