package table_test

import (
	"runtime"
	"slices"
	"testing"

	"tollgate/revocation/table"
)

func TestEmptyIsSmall(t *testing.T) {
	if n := table.New().Bytes(); n > 512 {
		t.Errorf("an empty table takes %d bytes", n)
	}
	if n := table.NewCuts().Bytes(); n > 512 {
		t.Errorf("empty cuts take %d bytes", n)
	}
	tab := table.New()
	tab.Reserve(million)
	tab.Put(digest(1, 1), 1)
	tab.Delete(digest(1, 1))
	if n := tab.Bytes(); n > 512 {
		t.Errorf("an emptied table takes %d bytes", n)
	}
}

// TestBytesPerEntry: counted over what is held, not over what the process takes; the
// nightly test measures that. Cuts have larger slots.
func TestBytesPerEntry(t *testing.T) {
	const n = 150_000
	for _, tc := range []struct {
		name    string
		reserve int
	}{{"reserved", n}, {"grown", 0}} {
		t.Run(tc.name, func(t *testing.T) {
			tab, cuts := table.New(), table.NewCuts()
			tab.Reserve(tc.reserve)
			cuts.Reserve(tc.reserve)
			for i := range uint64(n) {
				tab.Put(digest(1, i), 2)
				cuts.Put(digest(1, i), 1, 2)
			}
			if per := float64(tab.Bytes()) / float64(n); per > 40 {
				t.Errorf("table: %.1f bytes per entry", per)
			}
			if per := float64(cuts.Bytes()) / float64(n); per > 54 {
				t.Errorf("cuts: %.1f bytes per entry", per)
			}
		})
	}
}

// TestShrinksAfterSweep: of a table whose entries are nearly all over little is left,
// and what stays is found.
func TestShrinksAfterSweep(t *testing.T) {
	tab := filled(400_000, 1)
	full := tab.Bytes()
	for i := range uint64(4000) {
		tab.Put(digest(2, i), 9)
	}
	tab.Sweep(1, table.Shards)
	if n := tab.Bytes(); n > full/20 {
		t.Errorf("%d bytes for 4000 entries, %d before the sweep", n, full)
	}
	for i := range uint64(4000) {
		if _, ok := tab.Lookup(digest(2, i)); !ok {
			t.Fatalf("entry %d went too", i)
		}
	}
}

// TestReserveAllocatesOnce: two allocations for nearly each shard (its head, its
// buckets; the race detector adds two) where growing takes several times that.
func TestReserveAllocatesOnce(t *testing.T) {
	allocs := func(reserve int) uint64 {
		tab := table.New()
		tab.Reserve(reserve)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range uint64(300_000) {
			tab.Put(digest(1, i), 1)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	reserved, grown := allocs(300_000), allocs(0)
	if reserved > table.Shards*11/2 {
		t.Errorf("%d allocations with what was reserved", reserved)
	}
	if grown < 3*reserved {
		t.Errorf("%d allocations without, %d with: Reserve saves nothing", grown, reserved)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	tab, cuts := filled(1000, 1), table.NewCuts()
	cuts.Put(digest(1, 1), 1, 1)
	if n := testing.AllocsPerRun(100, func() {
		tab.Lookup(digest(1, 1))
		tab.Lookup(digest(2, 1))
		cuts.Lookup(digest(1, 1))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAimedDigests: digests of which somebody has chosen many bits, or that count up,
// lie about as random ones do.
func TestAimedDigests(t *testing.T) {
	const n = 100_000 // 24 in a shard on average
	for _, tc := range []struct {
		name string
		aim  func(d *table.Digest, i uint64)
	}{
		{"as they come", func(*table.Digest, uint64) {}},
		{"first 5 bytes", func(d *table.Digest, _ uint64) { copy(d[:], "aimed") }},
		{"last 5 bytes", func(d *table.Digest, _ uint64) { copy(d[11:], "aimed") }},
		{"first half", func(d *table.Digest, _ uint64) { clear(d[:8]) }},
		{"last half", func(d *table.Digest, _ uint64) { clear(d[8:]) }},
		{"counting", func(d *table.Digest, i uint64) { *d = table.Digest{byte(i), byte(i >> 8), byte(i >> 16)} }},
		{"counting high", func(d *table.Digest, i uint64) { *d = table.Digest{7: byte(i), 6: byte(i >> 8), 5: byte(i >> 16)} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Random ones give about 45 and 10. A table's key is drawn at random: one draw in a
			// hundred suits digests that count up ill, and no table has the next one's.
			var run, fullest int
			for range 3 {
				tab := table.New()
				for i := range uint64(n) {
					d := digest(1, i)
					tc.aim(&d, i)
					tab.Put(d, 1)
				}
				if tab.Len() != n {
					t.Fatalf("Len %d", tab.Len())
				}
				if run, fullest = tab.Longest(); fullest <= 90 && run <= 25 {
					return
				}
			}
			t.Errorf("three tables: fullest shard %d, longest run of buckets %d", fullest, run)
		})
	}
}

// TestLayoutIsItsOwn: two tables keep the same digests in different places.
func TestLayoutIsItsOwn(t *testing.T) {
	order := func() (list []table.Digest) {
		for d := range filled(1000, 1).All {
			list = append(list, d)
		}
		return list
	}
	if slices.Equal(order(), order()) {
		t.Error("the layout can be known from outside")
	}
}
