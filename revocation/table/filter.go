package table

import (
	"math"
	"sync/atomic"
)

const (
	groupBits = 8              // the first bits of a hash say which group
	groups    = 1 << groupBits // of shards, which have a filter together
	perGroup  = Shards / groups

	filterBits  = 9  // an entry, in a filter that is as full as it may be
	filterLeast = 56 // entries for which there is room in any: a line of a processor's cache
)

// filter says of most digests that are in no shard of a group that they are not, from
// one word: a Bloom filter in blocks of 64 bits. A group without one is empty.
type filter []uint64

// filters is those of all groups, side by side: what a look-up reads on its way to the
// one word is the same few KiB for all. Published ones do not change but for the words.
type filters [groups]filter

func groupOf(h uint64) int { return int(h >> (64 - groupBits)) }

// newFilter makes one with room for so many entries, and a few more where the
// allocator gives more.
func newFilter(entries int) filter {
	return fitted[uint64]((max(entries, filterLeast)*filterBits + 63) / 64)
}

// room is of how many entries it may be told.
func (f filter) room() int { return len(f) * 64 / filterBits }

// block is which word is for a hash. The bits after those of the group choose it, so
// that the entries of a shard lie next to each other and making a filter goes through
// shards and words from front to back.
func (f filter) block(h uint64) int {
	return int(uint64(uint32(h>>(32-groupBits))) * uint64(len(f)) >> 32)
}

// marks is the three bits of a hash: of those that do not choose the word.
func marks(h uint64) uint64 { return 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63) }

// excludes says that no entry has that hash. That it does not say so means nothing.
func (f filter) excludes(h uint64) bool {
	i, m := f.block(h), marks(h)
	return i >= len(f) || atomic.LoadUint64(&f[i])&m != m
}

// add takes a hash into a filter that is not published yet.
func (f filter) add(h uint64) { f[f.block(h)] |= marks(h) }

// addShown takes a hash into a published one. The caller holds the writers' lock, and
// shows the entry afterwards.
func (f filter) addShown(h uint64) {
	i := f.block(h)
	atomic.StoreUint64(&f[i], f[i]|marks(h))
}

// filterShare is room in each filter for its share of n entries and what chance may
// add: three deviations more.
func filterShare(n int) int {
	share := n / groups
	return share + 3*int(math.Sqrt(float64(share)))
}
