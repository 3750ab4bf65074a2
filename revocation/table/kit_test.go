package table_test

import (
	"encoding/binary"
	"testing"

	"tollgate/revocation/table"
)

// digest is the i-th of a line of digests that look random, at the price of a few
// multiplications.
func digest(line, i uint64) (d table.Digest) {
	binary.LittleEndian.PutUint64(d[:8], mix(i+line<<40))
	binary.LittleEndian.PutUint64(d[8:], mix(^(i + line<<40)))
	return d
}

// mix is the finaliser of splitmix64, a bijection.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

const seedA, seedB = 0x243f6a8885a308d3, 0x13198a2e03707344

// crowd returns n digests that a table with these seeds keeps in one shard, each in
// the last quarter of it, so that runs are long and go round the end.
func crowd(tb testing.TB, n int) []table.Digest {
	tb.Helper()
	t := table.Seeded(seedA, seedB)
	list := make([]table.Digest, 0, n)
	for i := uint64(0); len(list) < n; i++ {
		if i == 1<<28 {
			tb.Fatal("no crowd to be had: the hash does not spread")
		}
		d := digest(99, i)
		if shard, at := t.Place(d); shard == 5 && at >= 0.75 {
			list = append(list, d)
		}
	}
	return list
}

// full says how often something is done, in the nightly run and in every other: under
// the race detector each step here costs a hundred times as much.
func full(nightlyCount, count int) int {
	if nightly {
		return nightlyCount
	}
	return count
}
