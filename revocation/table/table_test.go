package table_test

import (
	"maps"
	"testing"

	"tollgate/revocation/table"
)

func TestPutRaisesOnly(t *testing.T) {
	for _, tc := range []struct {
		name string
		puts []uint32
		want uint32
		ok   bool
	}{
		{"one", []uint32{7}, 7, true},
		{"later", []uint32{7, 9}, 9, true},
		{"sooner", []uint32{9, 7}, 9, true},
		{"for ever", []uint32{9, table.Forever}, table.Forever, true},
		{"for ever stays", []uint32{table.Forever, 9}, table.Forever, true},
		{"nothing", []uint32{0}, 0, false},
		{"nothing on top", []uint32{9, 0}, 9, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tab, d := table.New(), digest(1, 1)
			for i, e := range tc.puts {
				if fresh := tab.Put(d, e); fresh != (i == 0 && e != 0) {
					t.Errorf("Put number %d: fresh %t", i, fresh)
				}
			}
			if e, ok := tab.Lookup(d); e != tc.want || ok != tc.ok {
				t.Errorf("Lookup: %d, %t; want %d, %t", e, ok, tc.want, tc.ok)
			}
			if _, ok := tab.Lookup(digest(1, 2)); ok {
				t.Error("a digest that was not put is there")
			}
		})
	}
}

// TestDigestsAreWhole: digests that differ in one bit are others, the one of zeros
// is one too.
func TestDigestsAreWhole(t *testing.T) {
	for bit := range 128 {
		tab := table.New()
		tab.Put(table.Digest{}, 5)
		var d table.Digest
		d[bit/8] = 1 << (bit % 8)
		if _, ok := tab.Lookup(d); ok {
			t.Errorf("bit %d is not looked at", bit)
		}
		if !tab.Put(d, 6) || tab.Len() != 2 {
			t.Errorf("bit %d: not an entry of its own", bit)
		}
	}
	if _, ok := table.New().Lookup(table.Digest{}); ok {
		t.Error("an empty table holds the digest of zeros")
	}
}

func TestSweepTakesWhatIsOver(t *testing.T) {
	tab := table.New()
	for i, e := range []uint32{1, 99, 100, 101, table.Forever} {
		tab.Put(digest(1, uint64(i)), e)
	}
	if n := tab.Sweep(100, table.Shards); n != 3 {
		t.Errorf("swept %d, want 3: an entry is over in the second of its expiry", n)
	}
	if n := tab.Sweep(table.Forever, table.Shards); n != 1 {
		t.Errorf("swept %d at the end of time, want 1: what does not end stays", n)
	}
	if want := map[table.Digest]uint32{digest(1, 4): table.Forever}; !maps.Equal(maps.Collect(tab.All), want) {
		t.Errorf("left: %v", maps.Collect(tab.All))
	}
}

// TestSweepGoesRound: calls for a part of the shards come to each in one round.
func TestSweepGoesRound(t *testing.T) {
	tab := table.New()
	for i := range uint64(20_000) {
		tab.Put(digest(1, i), 1)
	}
	removed, most := 0, 0
	for range table.Shards / 16 {
		n := tab.Sweep(1, 16)
		removed, most = removed+n, max(most, n)
	}
	if removed != 20_000 || tab.Len() != 0 {
		t.Errorf("one round took %d, left %d", removed, tab.Len())
	}
	if most > 1000 { // 16 shards hold 78 on average
		t.Errorf("one call for 16 shards took %d", most)
	}
	if n := tab.Sweep(1, 1<<30); n != 0 {
		t.Errorf("took %d from an empty table", n)
	}
}

func TestDelete(t *testing.T) {
	tab := table.New()
	if tab.Delete(digest(1, 1)) {
		t.Error("deleted from an empty table")
	}
	tab.Put(digest(1, 1), table.Forever)
	if !tab.Delete(digest(1, 1)) || tab.Delete(digest(1, 1)) || tab.Len() != 0 {
		t.Error("deleting once and again")
	}
	if !tab.Put(digest(1, 1), 5) {
		t.Error("what was deleted is not fresh")
	}
	if e, _ := tab.Lookup(digest(1, 1)); e != 5 {
		t.Errorf("after delete and put: %d: the old expiry came back", e)
	}
}

// TestAllMayWrite: no lock is held while yield runs, and it may end the walk.
func TestAllMayWrite(t *testing.T) {
	tab := table.New()
	for i := range uint64(1000) {
		tab.Put(digest(1, i), 1)
	}
	seen := 0
	for d := range tab.All {
		tab.Delete(d)
		if seen++; seen == 600 {
			break
		}
	}
	if tab.Len() != 400 {
		t.Errorf("%d left of 1000 after 600 were deleted", tab.Len())
	}
}
