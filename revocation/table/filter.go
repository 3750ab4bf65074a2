package table

import "sync/atomic"

// filter says of most digests that are not in a shard that they are not, from one
// word: a Bloom filter in blocks of 64 bits. An entry's block stands where its bucket
// does, so that building a shard fills both from front to back. One of no words knows
// nothing.
type filter []uint64

const (
	filterFrom  = 8 // buckets from which on a shard has one: the fewer lie in a cache
	filterBlock = 8 // entries to a block of 64 bits, in a shard that is as full as it may be
)

// newFilter makes one for a shard of so many buckets, and a little larger where the
// allocator gives more.
func newFilter(buckets int) filter {
	if buckets < filterFrom {
		return nil
	}
	return fitted[uint64]((limit(buckets) + filterBlock - 1) / filterBlock)
}

// marks is the three bits of a hash: of the twenty that choose neither shard nor slot.
func marks(h uint64) uint64 { return 1<<(h>>32&63) | 1<<(h>>38&63) | 1<<(h>>44&63) }

// excludes says that no entry has that hash. That it does not say so means nothing.
func (f filter) excludes(h uint64) bool {
	if len(f) == 0 {
		return false
	}
	m := marks(h)
	return atomic.LoadUint64(&f[place(h, len(f))])&m != m
}

// add takes a hash into a filter that is not published yet.
func (f filter) add(h uint64) {
	if len(f) > 0 {
		f[place(h, len(f))] |= marks(h)
	}
}

// addShown takes a hash into a published one. The caller holds the writers' lock, and
// stores the entry's expiry afterwards.
func (f filter) addShown(h uint64) {
	if len(f) > 0 {
		block := &f[place(h, len(f))]
		atomic.StoreUint64(block, *block|marks(h))
	}
}
