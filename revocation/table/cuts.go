package table

import "sync/atomic"

// Cuts is an exact map from digests to cut-offs. NewCuts makes one. All its methods
// may be called at once; those that only read take no lock, and see a cut-off and an
// expiry that were in force together.
type Cuts struct {
	set set[micros]
}

// micros is an int64 in two words: a slot of 28 bytes instead of 32.
type micros [2]uint32

func microsOf(v int64) micros { return micros{uint32(uint64(v) >> 32), uint32(uint64(v))} }

func (m micros) int64() int64 { return int64(uint64(m[0])<<32 | uint64(m[1])) }

// Cut is a cut-off and how long it stands.
type Cut struct {
	Cut     int64  // µs of store time
	Expires uint32 // unix second by which it is over; Forever if it does not end
}

// NewCuts returns an empty map.
func NewCuts() *Cuts {
	c := &Cuts{}
	c.set.seed()
	return c
}

// Lookup returns d's cut-off (µs of store time) and the unix second by which it is
// over, which it does not compare with any clock. It allocates nothing.
func (c *Cuts) Lookup(d Digest) (cut int64, expires uint32, ok bool) {
	sl := c.set.lookup(&d)
	if sl == nil {
		return 0, 0, false
	}
	return sl.value.int64(), atomic.LoadUint32(&sl.expires), true
}

// Put enters d's cut-off, or raises what is there: the greater cut and, separately,
// the later expiry hold, so that the order in which several are put does not matter
// and none is refused for less long than it said. An expiry of 0 enters nothing. It
// reports whether d was not in the map; one that is over and not yet swept is.
func (c *Cuts) Put(d Digest, cut int64, expires uint32) (fresh bool) {
	return c.write(&d, expires, func(was int64, until uint32) (int64, uint32) {
		return max(was, cut), max(until, expires)
	}, cut)
}

// Set enters d's cut-off in place of whatever is there, lower or sooner over too. An
// expiry of 0 enters nothing and leaves what is there: Delete takes it out.
func (c *Cuts) Set(d Digest, cut int64, expires uint32) (fresh bool) {
	return c.write(&d, expires, func(int64, uint32) (int64, uint32) { return cut, expires }, cut)
}

// write enters cut and expires, or what merge makes of what is there. A later expiry
// of the same cut is raised in place; all else copies the shard, so that nobody sees
// a half of each.
func (c *Cuts) write(d *Digest, expires uint32, merge func(int64, uint32) (int64, uint32), cut int64) (fresh bool) {
	if expires == 0 {
		return false
	}
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	h := c.set.hash(d)
	sl := c.set.shard(h).find(h, d)
	if sl == nil {
		c.set.put(h, d, microsOf(cut), expires)
		return true
	}
	was, until := sl.value.int64(), sl.expires
	switch cut, expires = merge(was, until); {
	case cut == was && expires >= until:
		c.set.raise(sl, expires)
	default:
		c.set.replace(h, d, microsOf(cut), expires)
	}
	return false
}

// Delete takes d out and reports whether it was there. It copies d's shard.
func (c *Cuts) Delete(d Digest) bool {
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	return c.set.remove(&d)
}

// Reserve announces that the map will hold n entries; see Table.Reserve.
func (c *Cuts) Reserve(n int) { c.set.announce(n) }

// Sweep takes out what is over at the unix second now, from the next so many of the
// Shards shards; see Table.Sweep.
func (c *Cuts) Sweep(now uint32, shards int) (removed int) { return c.set.sweep(now, shards) }

// Len returns how many entries there are, those that are over and not yet swept
// among them.
func (c *Cuts) Len() int { return int(c.set.count.Load()) }

// Bytes returns what the map takes in memory; see Table.Bytes.
func (c *Cuts) Bytes() int { return c.set.size() }

// All yields each entry; see Table.All.
func (c *Cuts) All(yield func(Digest, Cut) bool) {
	c.set.all(func(sl *slot[micros], expires uint32) bool {
		return yield(sl.digest, Cut{Cut: sl.value.int64(), Expires: expires})
	})
}
