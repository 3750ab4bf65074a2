package table

import (
	"iter"
	"maps"
	"math"
	"sync"
)

// Digest names an entry.
type Digest = [16]byte

// Forever is the expiry of what does not end.
const Forever uint32 = math.MaxUint32

// Table is a set of digests with expiries (unix seconds).
type Table struct{ cuts Cuts }

// New returns an empty table.
func New() *Table { return &Table{cuts: *NewCuts()} }

// Lookup returns the second by which d is over. It does not look at the clock.
func (t *Table) Lookup(d Digest) (expires uint32, ok bool) {
	_, expires, ok = t.cuts.Lookup(d)
	return expires, ok
}

// Put adds d, or raises its expiry; true: it was not there.
func (t *Table) Put(d Digest, expires uint32) (fresh bool) { return t.cuts.Put(d, 0, expires) }

// Delete removes d; true: it was there.
func (t *Table) Delete(d Digest) bool { return t.cuts.Delete(d) }

// Sweep removes what is over at now.
func (t *Table) Sweep(now uint32, shards int) (removed int) { return t.cuts.Sweep(now, shards) }

// Len returns how many entries there are.
func (t *Table) Len() int { return t.cuts.Len() }

// Bytes returns about how much memory they take.
func (t *Table) Bytes() int { return t.cuts.Bytes() }

// All yields every entry.
func (t *Table) All(yield func(Digest, uint32) bool) {
	for d, c := range iter.Seq2[Digest, Cut](t.cuts.All) {
		if !yield(d, c.Expires) {
			return
		}
	}
}

// Cut is a cut-off (µs of store time) and the second by which it is over.
type Cut struct {
	Cut     int64
	Expires uint32
}

// Cuts maps digests to cut-offs.
type Cuts struct {
	mu *sync.RWMutex
	is map[Digest]Cut // guarded by mu
}

// NewCuts returns an empty map.
func NewCuts() *Cuts { return &Cuts{mu: &sync.RWMutex{}, is: map[Digest]Cut{}} }

// Lookup returns the cut-off of d.
func (c *Cuts) Lookup(d Digest) (cut int64, expires uint32, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.is[d]
	return e.Cut, e.Expires, ok
}

// Put adds d, or raises its cut-off and its expiry, each for itself.
func (c *Cuts) Put(d Digest, cut int64, expires uint32) (fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was, ok := c.is[d]
	c.is[d] = Cut{max(was.Cut, cut), max(was.Expires, expires)}
	return !ok
}

// Set puts d in place of what is there.
func (c *Cuts) Set(d Digest, cut int64, expires uint32) (fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.is[d]
	c.is[d] = Cut{cut, expires}
	return !ok
}

// Delete removes d; true: it was there.
func (c *Cuts) Delete(d Digest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.is[d]
	delete(c.is, d)
	return ok
}

// Sweep removes what is over at now.
func (c *Cuts) Sweep(now uint32, _ int) (removed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.is)
	maps.DeleteFunc(c.is, func(_ Digest, e Cut) bool { return e.Expires <= now && e.Expires != Forever })
	return before - len(c.is)
}

// Len returns how many entries there are.
func (c *Cuts) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.is)
}

// Bytes returns about how much memory they take.
func (c *Cuts) Bytes() int { return 48 * c.Len() }

// All yields every entry.
func (c *Cuts) All(yield func(Digest, Cut) bool) {
	c.mu.RLock()
	copied := maps.Clone(c.is)
	c.mu.RUnlock()
	maps.All(copied)(yield)
}
