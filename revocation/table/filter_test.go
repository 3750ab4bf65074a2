package table_test

import (
	"fmt"
	"testing"

	"tollgate/revocation/table"
)

// TestFilterRefusesNothingThatIsThere: small steps of writing in every way, and after
// each part of them all that is in the table may be in it, by the filter's word too.
func TestFilterRefusesNothingThatIsThere(t *testing.T) {
	all := crowd(t, 600)
	tab := table.Seeded(seedA, seedB)
	check := func(step string, present []table.Digest) {
		t.Helper()
		for i, d := range present {
			maybe := tab.MayHold(d)
			if _, ok := tab.Lookup(d); !maybe || !ok {
				t.Fatalf("%s: entry %d of %d: may hold %t, looked up %t", step, i, len(present), maybe, ok)
			}
		}
	}
	for i, d := range all {
		tab.Put(d, 1+uint32(i%2))
		if i%20 == 0 || i == len(all)-1 {
			check("put", all[:i+1])
		}
	}
	for i, d := range all[:100] {
		tab.Delete(d)
		if i%10 == 0 {
			check("delete", all[i+1:])
		}
	}
	tab.Sweep(1, table.Shards)
	var left []table.Digest
	for i := 101; i < len(all); i += 2 {
		left = append(left, all[i])
	}
	check("sweep", left)
	for _, d := range all[:100] {
		tab.Put(d, 9)
	}
	check("put again", append(left, all[:100]...))
}

// TestFilterOfCuts: another cut-off copies the shard, and the filter with it.
func TestFilterOfCuts(t *testing.T) {
	all := crowd(t, 200)
	c := table.SeededCuts(seedA, seedB)
	for round := range int64(3) {
		for i, d := range all {
			c.Put(d, round*1000+int64(i), 5)
		}
		for i, d := range all {
			if cut, _, ok := c.Lookup(d); !ok || cut != round*1000+int64(i) {
				t.Fatalf("round %d, entry %d: %d, %t", round, i, cut, ok)
			}
		}
	}
}

// TestFilterShare: of digests that are not there few go on to the buckets, whether the
// table is small, grew, was made to measure, was left by a sweep, or has others in it
// than it had many times over.
func TestFilterShare(t *testing.T) {
	n := uint64(full(400_000, 80_000))
	grown := func(n uint64) *table.Table {
		tab := table.New()
		for i := range n {
			tab.Put(digest(1, i), 2)
		}
		return tab
	}
	for _, tc := range []struct {
		name string
		make func() *table.Table
	}{
		{"one", func() *table.Table { return grown(1) }},
		{"small", func() *table.Table { return grown(10_000) }},
		{"grown", func() *table.Table { return grown(n) }},
		{"reserved", func() *table.Table { return filled(n, 2) }},
		{"swept", func() *table.Table {
			tab := filled(n, 2)
			for i := range n {
				tab.Put(digest(3, i), 1)
			}
			tab.Sweep(1, table.Shards)
			return tab
		}},
		{"others by and by", func() *table.Table {
			tab := table.New()
			for i := range 20 * n / 16 {
				tab.Put(digest(3, i), 1+uint32(i/(n/16)))
				if i%(n/16) == 0 { // what was put in the round before last is over
					tab.Sweep(uint32(i/(n/16)), table.Shards)
				}
			}
			return tab
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tab, maybes := tc.make(), 0
			const looks = 50_000
			for i := range uint64(looks) {
				if tab.MayHold(digest(2, i)) {
					maybes++
				}
			}
			share := fmt.Sprintf("%.2f %% of misses go on to the buckets", 100*float64(maybes)/looks)
			if t.Log(share); maybes > looks*6/100 {
				t.Error(share)
			}
		})
	}
}

// TestFilterSize: filters take two bytes an entry at most, however the table came to
// what it holds, and leave with what they were told of.
func TestFilterSize(t *testing.T) {
	const n = 50_000
	grown, reserved := table.New(), filled(n, 1)
	for i := range uint64(n) {
		grown.Put(digest(1, i), 1)
	}
	for name, tab := range map[string]*table.Table{"grown": grown, "reserved": reserved} {
		count, told, words := tab.Filters()
		if count != 256 || told != n || words*8 > 2*n || words*8 < n {
			t.Errorf("%s: %d filters, told of %d, %d bytes for %d entries", name, count, told, words*8, n)
		}
		for i := range uint64(100) {
			tab.Put(digest(2, i), 9)
		}
		tab.Sweep(1, table.Shards)
		if count, told, words = tab.Filters(); count > 100 || told != 100 || words > 8*count {
			t.Errorf("%s: after a sweep %d filters, told of %d, %d words for 100 entries", name, count, told, words)
		}
		full := tab.Bytes()
		for i := range uint64(100) {
			tab.Delete(digest(2, i))
		}
		if tab.Bytes() > 1024 || full < 32<<10 {
			t.Errorf("%s: %d bytes with 100 entries, %d with none", name, full, tab.Bytes())
		}
	}
}

// TestBytesAreExact: what is counted of a table that is empty again is what is counted
// of a new one, and what is left of a large one counts like the same made anew.
func TestBytesAreExact(t *testing.T) {
	for _, n := range []uint64{1, 500, 20_000} {
		tab := filled(n, 1)
		tab.Sweep(1, table.Shards)
		if got, want := tab.Bytes(), table.New().Bytes(); got != want {
			t.Errorf("%d entries swept: %d bytes, %d in a new one", n, got, want)
		}
		for i := range n {
			tab.Put(digest(1, i), 1)
		}
		tab.Put(digest(2, 0), 9)
		tab.Sweep(1, table.Shards)
		one := filled(1, 9)
		if got, most := tab.Bytes(), one.Bytes()+512; got > most || got < one.Bytes() {
			t.Errorf("%d entries swept, one left: %d bytes, %d to %d in a new one", n, got, one.Bytes(), most)
		}
	}
}

// TestFilterOfDeleted: what goes and comes again one by one is told anew each time, and
// no sweep is needed for the filters to stay as they are.
func TestFilterOfDeleted(t *testing.T) {
	tab := filled(1000, 9)
	for i := range uint64(30_000) {
		tab.Put(digest(2, i), 9)
		tab.Delete(digest(2, i))
	}
	if _, told, words := tab.Filters(); told > 2*256*64 || words > 256*2*16 {
		t.Errorf("told of %d, %d words for 1000 entries", told, words)
	}
}

// TestReadersBesideFilters: an entry is found as soon as Put has returned, and from
// then on, while others fill the same words of the filter.
func TestReadersBesideFilters(t *testing.T) {
	crowd := crowd(t, 408)
	all, others := crowd[:400], crowd[400:]
	tab := table.Seeded(seedA, seedB)
	written := make(chan int, len(all))
	readers(func() {
		defer close(written)
		for i, d := range all {
			tab.Put(d, 7)
			written <- i
			if i%50 == 49 { // the shard is made anew, and takes more in place afterwards
				tab.Put(others[i/50], 1)
				tab.Sweep(1, table.Shards)
			}
		}
	}, func() {
		last, ok := <-written
		if !ok {
			last = len(all) - 1
		}
		for i := 0; i <= last; i++ {
			if e, ok := tab.Lookup(all[i]); !ok || e != 7 {
				t.Errorf("entry %d of %d that were written: %d, %t", i, last+1, e, ok)
				return
			}
		}
	})
}
