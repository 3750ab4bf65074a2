package table_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"tollgate/revocation/table"
)

// universe is digests of which most share one shard and its last quarter, so that
// growing, long runs and runs round the end all come up.
func universe(tb testing.TB) []table.Digest {
	list := crowd(tb, 192)
	for i := range uint64(64) {
		list = append(list, digest(1, i))
	}
	return list
}

// table2 runs the same operations on a Table, on Cuts and on the maps that say what
// is right.
type table2 struct {
	tab   *table.Table
	cuts  *table.Cuts
	until map[table.Digest]uint32
	cut   map[table.Digest]table.Cut
}

func newTable2() *table2 {
	return &table2{table.Seeded(seedA, seedB), table.SeededCuts(seedA, seedB), map[table.Digest]uint32{}, map[table.Digest]table.Cut{}}
}

// do does one operation; it is told which, on what, and with what number.
func (m *table2) do(tb testing.TB, op byte, d table.Digest, v byte) {
	tb.Helper()
	expires := uint32(v)
	if v == 255 {
		expires = table.Forever
	}
	was, there := m.cut[d]
	_, had := m.until[d]
	switch op % 8 {
	case 0, 1, 2, 3: // more puts than anything else, or nothing grows
		if fresh := m.tab.Put(d, expires); fresh != (!had && v > 0) {
			tb.Fatalf("Put: fresh %t", fresh)
		}
		if fresh := m.cuts.Put(d, int64(v%16), expires); fresh != (!there && v > 0) {
			tb.Fatalf("Cuts.Put: fresh %t", fresh)
		}
		if v > 0 {
			m.until[d] = max(m.until[d], expires)
			m.cut[d] = table.Cut{Cut: max(was.Cut, int64(v%16)), Expires: max(was.Expires, expires)}
		}
	case 4:
		if m.cuts.Set(d, int64(v%16), expires); v > 0 {
			m.cut[d] = table.Cut{Cut: int64(v % 16), Expires: expires}
		}
	case 5, 6:
		if gone := m.tab.Delete(d); gone != had {
			tb.Fatalf("Delete: %t", gone)
		}
		if gone := m.cuts.Delete(d); gone != there {
			tb.Fatalf("Cuts.Delete: %t", gone)
		}
		delete(m.until, d)
		delete(m.cut, d)
	case 7:
		now := uint32(v / 4)
		before := len(m.until)
		maps.DeleteFunc(m.until, func(_ table.Digest, e uint32) bool { return e <= now })
		maps.DeleteFunc(m.cut, func(_ table.Digest, c table.Cut) bool { return c.Expires <= now })
		if n := m.tab.Sweep(now, table.Shards); n != before-len(m.until) {
			tb.Fatalf("Sweep took %d, want %d", n, before-len(m.until))
		}
		m.cuts.Sweep(now, table.Shards)
	}
}

func (m *table2) compare(tb testing.TB, all []table.Digest) {
	tb.Helper()
	for _, d := range all {
		want, there := m.until[d]
		if e, ok := m.tab.Lookup(d); ok != there || e != want {
			tb.Fatalf("Lookup: %d, %t; want %d, %t", e, ok, want, there)
		}
		standing, there := m.cut[d]
		if cut, e, ok := m.cuts.Lookup(d); ok != there || (table.Cut{Cut: cut, Expires: e}) != standing {
			tb.Fatalf("Cuts.Lookup: %d until %d, %t; want %+v", cut, e, ok, standing)
		}
	}
	if got := maps.Collect(m.tab.All); m.tab.Len() != len(m.until) || !maps.Equal(got, m.until) {
		tb.Fatalf("Len %d, All %d; want %d", m.tab.Len(), len(got), len(m.until))
	}
	if got := maps.Collect(m.cuts.All); m.cuts.Len() != len(m.cut) || !maps.Equal(got, m.cut) {
		tb.Fatalf("Cuts: Len %d, All %d; want %d", m.cuts.Len(), len(got), len(m.cut))
	}
}

func TestModel(t *testing.T) {
	all := universe(t)
	for seed := range uint64(full(10, 3)) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := newTable2()
		for i := range 3000 {
			op := byte(rnd.Uint32())
			if op%8 == 7 && rnd.IntN(20) > 0 { // a sweep at each eighth step would leave little
				op = 0
			}
			m.do(t, op, all[rnd.IntN(len(all))], byte(rnd.Uint32()))
			if i%50 == 0 {
				m.compare(t, all)
			}
		}
		m.compare(t, all)
	}
}

// FuzzTableIsAMap: three bytes are an operation, a digest and a number; after all of
// them the structures hold what maps hold.
func FuzzTableIsAMap(f *testing.F) {
	all := universe(f)
	f.Add([]byte{0, 1, 9, 0, 1, 8, 7, 0, 32, 5, 1, 0})
	f.Add([]byte("put put put, set it, delete it, sweep it all away"))
	long := make([]byte, 0, 3*256)
	for i := range 256 {
		long = append(long, 0, byte(i), byte(i))
	}
	f.Add(append(long, 7, 0, 128, 7, 0, 255))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := newTable2()
		for ; len(ops) >= 3; ops = ops[3:] {
			m.do(t, ops[0], all[ops[1]], ops[2])
		}
		m.compare(t, all)
	})
}
