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

// shard is a published array of slots, at least one of which is empty.
type shard[V any] struct {
	slots []slot[V]
	used  int // the writer's; readers do not look at it
}

const (
	minSlots   = 4
	largeShard = 1024 // slots from which on a shard grows by an eighth
)

// limit is how many of so many slots may be taken: four fifths.
func limit(slots int) int { return slots * 4 / 5 }

// slotsFor is the least number of slots whose limit is n or more, or one more.
func slotsFor(n int) int { return max(n+n/4+1, minSlots) }

// newShard makes a shard of at least n slots: as many as fit into what the
// allocator gives for n.
func newShard[V any](n int) *shard[V] {
	slots := append([]slot[V](nil), make([]slot[V], n)...)
	slots = slots[:cap(slots)]
	clear(slots[n:])
	return &shard[V]{slots: slots}
}

// place is the slot at which the search for a hash begins: its last 32 bits scaled
// to the number of slots. Larger hashes stand further on, whatever the number, so
// that building an array from another walks through both from front to back.
func place(h uint64, slots int) int { return int(uint64(uint32(h)) * uint64(slots) >> 32) }

// find returns the slot that holds d, nil when none does or the shard is nil.
func (sh *shard[V]) find(h uint64, d *Digest) *slot[V] {
	if sh == nil {
		return nil
	}
	slots := sh.slots
	for i := place(h, len(slots)); ; {
		sl := &slots[i]
		if atomic.LoadUint32(&sl.expires) == 0 {
			return nil
		}
		if sl.digest == *d {
			return sl
		}
		if i++; i == len(slots) {
			i = 0
		}
	}
}

// free returns the empty slot into which an entry of that hash belongs.
func (sh *shard[V]) free(h uint64) *slot[V] {
	i := place(h, len(sh.slots))
	for sh.slots[i].expires != 0 {
		if i++; i == len(sh.slots) {
			i = 0
		}
	}
	sh.used++
	return &sh.slots[i]
}

// bytes is what the shard takes, 0 for none.
func (sh *shard[V]) bytes() int64 {
	if sh == nil {
		return 0
	}
	return int64(cap(sh.slots))*sizeOf[slot[V]]() + sizeOf[shard[V]]()
}

// grown is how many slots the shard has when its present ones no longer do.
func (sh *shard[V]) grown() int {
	if n := len(sh.slots); n >= largeShard {
		return n + n/8
	}
	return len(sh.slots) + max(len(sh.slots)/4, minSlots)
}

// fitting is how many slots a new array takes for live entries of this shard and
// some that may follow: never more than there are.
func (sh *shard[V]) fitting(live int) int {
	return min(slotsFor(live+max(live/8, 2)), len(sh.slots))
}
