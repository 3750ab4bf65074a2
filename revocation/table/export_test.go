package table

// Seeded makes a table whose layout a test can know.
func Seeded(a, b uint64) *Table { return &Table{set: set[struct{}]{seeds: [2]uint64{a, b}}} }

// SeededCuts is Seeded for Cuts.
func SeededCuts(a, b uint64) *Cuts { return &Cuts{set: set[micros]{seeds: [2]uint64{a, b}}} }

// Place returns a digest's shard, and where its search begins, from 0 to below 1.
func (t *Table) Place(d Digest) (shard int, at float64) {
	h := t.set.hash(&d)
	return shardOf(h), float64(uint32(h)) / (1 << 32)
}

// Longest returns the longest run of buckets that were passed and the fullest shard's entries.
func (t *Table) Longest() (run, fullest int) {
	dir := t.set.dir.Load()
	for i := range dir.shards {
		sh := dir.shards[i].Load()
		if sh == nil {
			continue
		}
		fullest = max(fullest, sh.used)
		for at, n := 0, 0; at < 2*len(sh.buckets); at++ { // twice: a run may go round the end
			if n++; sh.buckets[at%len(sh.buckets)].passed == 0 {
				n = 0
			}
			run = max(run, n)
		}
	}
	return run, fullest
}

// MayHold says whether a search for d goes on to the buckets.
func (t *Table) MayHold(d Digest) bool {
	dir, h := t.set.dir.Load(), t.set.hash(&d)
	return dir != nil && !dir.filters.Load()[groupOf(h)].excludes(h)
}

// Filters returns how many filters there are, what they were told and their words.
func (t *Table) Filters() (count, told, words int) {
	dir := t.set.dir.Load()
	for g, f := range dir.filters.Load() {
		if f != nil {
			count, told, words = count+1, told+dir.told[g], words+len(f)
		}
	}
	return count, told, words
}
