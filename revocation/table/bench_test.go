package table_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/revocation/table"
)

const million = 1_000_000

// sizes are those of docs/performance.md; the largest takes 300 MB and some seconds.
func sizes() []uint64 {
	if testing.Short() {
		return []uint64{0, 10_000, million}
	}
	return []uint64{0, 10_000, million, 10 * million}
}

func filled(n uint64, expires uint32) *table.Table {
	t := table.New()
	t.Reserve(int(n))
	for i := range n {
		t.Put(digest(1, i), expires)
	}
	return t
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range sizes() {
		t := filled(n, table.Forever)
		for _, bc := range []struct {
			name string
			line uint64
		}{{"hit", 1}, {"miss", 2}} {
			if n == 0 && bc.name == "hit" {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", bc.name, n), func(b *testing.B) {
				b.ReportAllocs()
				runtime.GC()
				b.RunParallel(func(pb *testing.PB) {
					x := mix(uint64(b.N))
					for pb.Next() {
						x = x*6364136223846793005 + 1442695040888963407
						if _, ok := t.Lookup(digest(bc.line, x>>20%max(n, 1))); ok != (bc.line == 1) {
							b.Error("wrong answer")
							return
						}
					}
				})
			})
		}
	}
}

// BenchmarkLookupOne is one reader, each look depending on the one before: the whole
// way to memory, nothing overlapped. Beside it is the bare read of one word of as many
// bytes in the same manner. cpu-ns is without what other processes took.
func BenchmarkLookupOne(b *testing.B) {
	for _, n := range sizes()[1:] {
		t := filled(n, table.Forever)
		for _, bc := range []struct {
			name string
			line uint64
		}{{"hit", 1}, {"miss", 2}} {
			b.Run(fmt.Sprintf("%s/%d", bc.name, n), func(b *testing.B) {
				oneReader(b, func(x uint64) uint64 {
					e, _ := t.Lookup(digest(bc.line, x>>20%n))
					return uint64(e >> 31)
				})
			})
		}
		words := make([]uint64, t.Bytes()/8)
		for i := range words {
			words[i] = mix(uint64(i))
		}
		b.Run(fmt.Sprintf("bare/%d", n), func(b *testing.B) {
			oneReader(b, func(x uint64) uint64 { return words[x>>20%uint64(len(words))] >> 63 })
		})
		runtime.KeepAlive(t)
	}
}

// oneReader calls look with numbers that depend on what it returned before.
func oneReader(b *testing.B, look func(uint64) uint64) {
	runtime.LockOSThread() // its time is asked for
	defer runtime.UnlockOSThread()
	runtime.GC()
	x, before := uint64(1), threadTime(b)
	for b.Loop() {
		x = x*6364136223846793005 + 1442695040888963407
		x += look(x)
	}
	b.ReportMetric(float64((threadTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// BenchmarkLookupWhileWriting is a reader beside a writer that never pauses.
func BenchmarkLookupWhileWriting(b *testing.B) {
	t := filled(million, table.Forever)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := uint64(0); !stop.Load(); i++ {
			t.Put(digest(3, i), 1)
			if i%200_000 == 0 {
				t.Sweep(1, table.Shards)
			}
		}
	}()
	x := uint64(1)
	for b.Loop() {
		x = x*6364136223846793005 + 1442695040888963407
		if _, ok := t.Lookup(digest(1, x>>20%million)); !ok {
			b.Fatal("missed an entry")
		}
	}
	stop.Store(true)
	<-done
}

func BenchmarkLoad(b *testing.B) {
	for _, bc := range []struct {
		name    string
		reserve int
	}{{"reserved", million}, {"grown", 0}} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				t := table.New()
				t.Reserve(bc.reserve)
				for i := range uint64(million) {
					t.Put(digest(1, i), table.Forever)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
		})
	}
}

// BenchmarkSweep takes a million out, 8 shards in a call, of a table that holds
// nothing else and of one that holds as many more as stand there. cpu is what the
// longest call has computed: what it took longer it was waiting for a processor.
func BenchmarkSweep(b *testing.B) {
	others := []uint64{0}
	if !testing.Short() {
		others = append(others, 9*million)
	}
	for _, stay := range others {
		b.Run(fmt.Sprintf("beside%d", stay), func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			t := filled(stay, table.Forever)
			var calls, cpu []time.Duration
			for b.Loop() {
				b.StopTimer()
				for i := range uint64(million) {
					t.Put(digest(3, i), 1)
				}
				runtime.GC()
				b.StartTimer()
				for removed := 0; removed < million; {
					start, before := time.Now(), threadTime(b)
					removed += t.Sweep(1, 2) // as the mirror does
					calls, cpu = append(calls, time.Since(start)), append(cpu, threadTime(b)-before)
				}
			}
			slices.Sort(calls)
			b.ReportMetric(float64(calls[len(calls)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(calls[len(calls)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(calls[len(calls)-1].Microseconds()), "max-µs")
			b.ReportMetric(float64(slices.Max(cpu).Microseconds()), "max-cpu-µs")
		})
	}
}

func BenchmarkCuts(b *testing.B) {
	c := table.NewCuts()
	c.Reserve(million)
	for i := range uint64(million) {
		c.Put(digest(1, i), int64(i), table.Forever)
	}
	b.Run("lookup", func(b *testing.B) {
		b.ReportAllocs()
		x := uint64(1)
		for b.Loop() {
			x = x*6364136223846793005 + 1442695040888963407
			if cut, _, ok := c.Lookup(digest(1, x>>20%million)); !ok || cut < 0 {
				b.Fatal("missed an entry")
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			c := table.NewCuts()
			for i := range uint64(million) {
				c.Put(digest(1, i), int64(i), table.Forever)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
	})
	b.Run("raise", func(b *testing.B) { // copies a shard each time
		at := uint64(million)
		for b.Loop() {
			at++
			c.Put(digest(1, at%million), int64(at), table.Forever)
		}
	})
}
