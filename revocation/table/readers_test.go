package table_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"tollgate/revocation/table"
)

// readers calls look in three goroutines until work is done. They look at least once.
func readers(work func(), look func()) {
	var wg sync.WaitGroup
	var done atomic.Bool
	for range 3 {
		wg.Go(func() {
			for {
				look()
				if done.Load() {
					return
				}
			}
		})
	}
	work()
	done.Store(true)
	wg.Wait()
}

// TestReadersMissNothing: what is in the table throughout is found at each moment of
// growing, deleting and sweeping around it, and an expiry never falls.
func TestReadersMissNothing(t *testing.T) {
	all := crowd(t, 600)
	standing, coming := all[:100], all[100:]
	tab := table.Seeded(seedA, seedB)
	for _, d := range standing {
		tab.Put(d, 1000)
	}
	readers(func() {
		var wg sync.WaitGroup
		for part := range 2 { // two writers, which exclude each other
			wg.Go(func() {
				for round := range uint32(full(8, 3)) {
					for _, d := range coming[part*250 : part*250+250] {
						tab.Put(d, 1)
					}
					for _, d := range standing {
						tab.Put(d, 1000+round)
					}
					for _, d := range coming[part*250 : part*250+40] {
						tab.Delete(d)
					}
					tab.Sweep(1, table.Shards)
				}
			})
		}
		wg.Wait()
	}, func() {
		for _, d := range standing {
			e, ok := tab.Lookup(d)
			again, _ := tab.Lookup(d)
			if !ok || e < 1000 || again < e {
				t.Errorf("standing entry: %d, then %d, %t", e, again, ok)
				return
			}
		}
		seen := 0
		for _, e := range tab.All {
			if e >= 1000 {
				seen++
			}
		}
		if seen != len(standing) {
			t.Errorf("All showed %d of %d standing entries", seen, len(standing))
		}
	})
	if tab.Len() != len(standing) {
		t.Errorf("%d left, want %d", tab.Len(), len(standing))
	}
}

// TestReadersSeeWholeCuts: cut and expiry are written in pairs and read in pairs, and
// those that only rise never fall.
func TestReadersSeeWholeCuts(t *testing.T) {
	all := crowd(t, 60)
	c := table.SeededCuts(seedA, seedB)
	pair := func(n int64) (int64, uint32) { return n<<32 | n, uint32(n) } // both words of it change
	for _, d := range all[:20] {
		c.Put(d, 1<<32|1, 1)
	}
	readers(func() {
		for n := int64(2); n < int64(full(400, 100)); n++ {
			for i, d := range all[:20] {
				put := c.Put
				if i%2 == 1 { // also downwards
					put = c.Set
				}
				cut, e := pair(n)
				if i%2 == 1 && n%2 == 1 {
					cut, e = pair(n / 2)
				}
				put(d, cut, e)
			}
			other := all[20+n%40]
			c.Put(other, 7, table.Forever)
			if n%3 == 0 {
				c.Delete(other)
			}
		}
	}, func() {
		for i, d := range all[:20] {
			cut, e, ok := c.Lookup(d)
			if want, _ := pair(int64(e)); !ok || cut != want {
				t.Errorf("torn: cut %x with expiry %x, %t", cut, e, ok)
				return
			}
			if again, _, _ := c.Lookup(d); i%2 == 0 && again < cut {
				t.Errorf("a cut fell from %x to %x", cut, again)
				return
			}
		}
	})
}

// TestReadersWhileEmptied: the directory that goes with the last entry and comes
// back with the next misleads nobody.
func TestReadersWhileEmptied(t *testing.T) {
	tab := table.New()
	d := digest(1, 1)
	readers(func() {
		for range full(300, 80) {
			tab.Put(d, 5)
			if e, ok := tab.Lookup(d); !ok || e != 5 {
				t.Errorf("own write: %d, %t", e, ok)
			}
			tab.Sweep(5, table.Shards)
		}
	}, func() {
		if e, ok := tab.Lookup(d); ok && e != 5 {
			t.Errorf("expiry %d", e)
		}
		for _, e := range tab.All {
			if e != 5 {
				t.Errorf("All: expiry %d", e)
			}
		}
	})
	if tab.Len() != 0 {
		t.Errorf("Len %d", tab.Len())
	}
}
