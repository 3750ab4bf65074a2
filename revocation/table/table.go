package table

import "sync/atomic"

// Table is an exact set of digests with an expiry each. New makes one. All its
// methods may be called at once; those that only read take no lock.
type Table struct {
	set set[struct{}]
}

// New returns an empty table.
func New() *Table {
	t := &Table{}
	t.set.seed()
	return t
}

// Lookup returns the unix second by which d is over, Forever if it does not end. It
// does not look at the clock: an entry is over in the second expires names, and one
// that is over and not yet swept is the caller's to ignore. It allocates nothing.
func (t *Table) Lookup(d Digest) (expires uint32, ok bool) {
	sl := t.set.lookup(&d)
	if sl == nil {
		return 0, false
	}
	return atomic.LoadUint32(&sl.expires), true
}

// Put enters d until the unix second expires, or raises the expiry it has: the
// later one holds, and Forever stays. An expiry of 0 enters nothing. It reports
// whether d was not in the table; one that is over and not yet swept is.
func (t *Table) Put(d Digest, expires uint32) (fresh bool) {
	if expires == 0 {
		return false
	}
	t.set.mu.Lock()
	defer t.set.mu.Unlock()
	h := t.set.hash(&d)
	if sl := t.set.shard(h).find(h, &d); sl != nil {
		t.set.raise(sl, expires)
		return false
	}
	t.set.put(h, &d, struct{}{}, expires)
	return true
}

// Delete takes d out and reports whether it was there. It copies d's shard, a
// 4,096th of the table.
func (t *Table) Delete(d Digest) bool {
	t.set.mu.Lock()
	defer t.set.mu.Unlock()
	return t.set.remove(&d)
}

// Reserve announces that the table will hold n entries, so that a shard takes the
// room for its share with its first entry and not in twenty steps. The room is taken
// shard by shard as entries come; the next Sweep forgets the announcement. Few
// entries (less than 4,096) need none.
func (t *Table) Reserve(n int) { t.set.announce(n) }

// Sweep takes out the entries that are over at the unix second now, from the next
// so many of the Shards shards of a round, and returns how many. Readers do not
// notice; a writer waits for one shard at most. 8 shards in a call keep it well under a
// millisecond at 10 million entries, and a round at 512 calls.
func (t *Table) Sweep(now uint32, shards int) (removed int) { return t.set.sweep(now, shards) }

// Len returns how many entries there are, those that are over and not yet swept
// among them.
func (t *Table) Len() int { return int(t.set.count.Load()) }

// Bytes returns what the table takes in memory, without arrays that it has left to
// the garbage collector.
func (t *Table) Bytes() int { return t.set.size() }

// All yields each entry with its expiry, in no order that means anything. It walks
// the shards as each is when its turn comes: what is in the table throughout is
// yielded once, what is written meanwhile may or may not be seen. No lock is held:
// yield may write to the table.
func (t *Table) All(yield func(Digest, uint32) bool) {
	t.set.all(func(sl *slot[struct{}], expires uint32) bool { return yield(sl.digest, expires) })
}
