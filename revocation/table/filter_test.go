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
		filtered := false
		for i, d := range present {
			maybe, has := tab.MayHold(d)
			if _, ok := tab.Lookup(d); !maybe || !ok {
				t.Fatalf("%s: entry %d of %d: may hold %t, looked up %t", step, i, len(present), maybe, ok)
			}
			filtered = has
		}
		if want := len(present) >= 64; want && !filtered {
			t.Fatalf("%s: a shard of %d entries has no filter", step, len(present))
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
// shards grew, were made to measure or were left by a sweep. Small ones have none.
func TestFilterShare(t *testing.T) {
	const n = 400_000
	for _, tc := range []struct {
		name string
		make func() *table.Table
	}{
		{"grown", func() *table.Table {
			tab := table.New()
			for i := range uint64(n) {
				tab.Put(digest(1, i), 2)
			}
			return tab
		}},
		{"reserved", func() *table.Table { return filled(n, 2) }},
		{"swept", func() *table.Table {
			tab := filled(n, 2)
			for i := range uint64(n) {
				tab.Put(digest(3, i), 1)
			}
			tab.Sweep(1, table.Shards)
			return tab
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tab, maybes := tc.make(), 0
			const looks = 100_000
			for i := range uint64(looks) {
				maybe, filtered := tab.MayHold(digest(2, i))
				if !filtered {
					t.Fatal("a shard of a hundred entries without a filter")
				}
				if maybe {
					maybes++
				}
			}
			share := fmt.Sprintf("%.2f %% of misses go on to the buckets", 100*float64(maybes)/looks)
			if t.Log(share); maybes > looks*6/100 || maybes == 0 {
				t.Error(share)
			}
		})
	}
	small := table.New()
	for i := range uint64(100) {
		small.Put(digest(1, i), 2)
	}
	if maybe, filtered := small.MayHold(digest(1, 1)); !maybe || filtered {
		t.Errorf("a shard of one entry: may hold %t, filter %t", maybe, filtered)
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
