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
// one word: a Bloom filter in blocks of 64 bits. A group without a filter is empty.
type filter struct {
	words []uint64
	told  int // entries since it was made, whether they are still there or not; the writer's
}

func groupOf(h uint64) int { return int(h >> (64 - groupBits)) }

// newFilter makes one with room for so many entries, and a few more where the
// allocator gives more.
func newFilter(entries int) *filter {
	return &filter{words: fitted[uint64]((max(entries, filterLeast)*filterBits + 63) / 64)}
}

// block is the word for a hash. The bits after those of the group choose it, so that
// the entries of a shard lie next to each other and making a filter goes through
// shards and words from front to back.
func (f *filter) block(h uint64) *uint64 {
	return &f.words[uint64(uint32(h>>(32-groupBits)))*uint64(len(f.words))>>32]
}

// marks is the three bits of a hash: of those that do not choose the word.
func marks(h uint64) uint64 { return 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63) }

// excludes says that no entry has that hash. That it does not say so means nothing.
func (f *filter) excludes(h uint64) bool {
	if f == nil {
		return true
	}
	m := marks(h)
	return atomic.LoadUint64(f.block(h))&m != m
}

// full says that one more entry would let too many pass.
func (f *filter) full() bool { return f == nil || f.told >= len(f.words)*64/filterBits }

// add takes a hash into a filter that is not published yet.
func (f *filter) add(h uint64) {
	f.told++
	*f.block(h) |= marks(h)
}

// addShown takes a hash into a published one. The caller holds the writers' lock, and
// shows the entry afterwards.
func (f *filter) addShown(h uint64) {
	f.told++
	block := f.block(h)
	atomic.StoreUint64(block, *block|marks(h))
}

// bytes is what the filter takes, 0 for none.
func (f *filter) bytes() int64 {
	if f == nil {
		return 0
	}
	return int64(len(f.words))*8 + sizeOf[filter]()
}

// Each function of a set here wants s.mu held.

// tell takes a hash into the filter of its group, before its entry is shown. One that
// is full is made anew, half as large again as is needed: bits are never cleared, so
// that is also how those of entries that have gone go.
func (s *set[V]) tell(dir *directory[V], h uint64) {
	g := groupOf(h)
	f := dir.filters[g].Load()
	if !f.full() {
		f.addShown(h)
		return
	}
	live := dir.live(g) + 1
	other := s.refilter(dir, g, max(live+live/2, s.marked))
	other.add(h)
	s.publishFilter(dir, g, f, other)
}

// tidy makes the filter of a group anew, or takes it away, when more than half of what
// it was told has gone.
func (s *set[V]) tidy(dir *directory[V], g int) {
	f := dir.filters[g].Load()
	if f == nil {
		return
	}
	switch live := dir.live(g); {
	case live == 0:
		s.publishFilter(dir, g, f, nil)
	case f.told > filterLeast && live < f.told/2:
		s.publishFilter(dir, g, f, s.refilter(dir, g, live+live/2))
	}
}

// refilter makes a filter with room for so many entries of what a group holds now.
func (s *set[V]) refilter(dir *directory[V], g, entries int) *filter {
	f := newFilter(entries)
	for i := range perGroup {
		if sh := dir.shards[g*perGroup+i].Load(); sh != nil {
			for sl := range sh.each {
				f.add(s.hash(&sl.digest))
			}
		}
	}
	return f
}

func (s *set[V]) publishFilter(dir *directory[V], g int, old, other *filter) {
	s.bytes.Add(other.bytes() - old.bytes())
	dir.filters[g].Store(other)
}

// live is how many slots a group's shards have taken.
func (dir *directory[V]) live(g int) (n int) {
	for i := range perGroup {
		if sh := dir.shards[g*perGroup+i].Load(); sh != nil {
			n += sh.used
		}
	}
	return n
}

// filterShare is room in each filter for its share of n entries and what chance may
// add: three deviations more.
func filterShare(n int) int {
	share := n / groups
	return share + 3*int(math.Sqrt(float64(share)))
}

func (t *Table) Pass(d Digest) bool {
	dir, h := t.set.dir.Load(), t.set.hash(&d)
	return dir != nil && !dir.filters[groupOf(h)].Load().excludes(h)
}
func (t *Cuts) Pass(d Digest) bool {
	dir, h := t.set.dir.Load(), t.set.hash(&d)
	return dir != nil && !dir.filters[groupOf(h)].Load().excludes(h)
}
