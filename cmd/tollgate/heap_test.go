package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// TestPace: what has no pointers does not have garbage grow with it, and nothing else
// is collected more often for its sake.
func TestPace(t *testing.T) {
	const mb = 1 << 20
	for name, row := range map[string]struct{ live, tables, want int }{
		"nothing known":         {0, 0, gcPercent},
		"no tables":             {100 * mb, 0, gcPercent},
		"a small process":       {6 * mb, mb, gcPercent},
		"loaded since":          {6 * mb, 330 * mb, gcPercent},
		"ten million":           {340 * mb, 330 * mb, 64 * 100 / 340},
		"ten million and more":  {430 * mb, 330 * mb, 400 * 100 / 430},
		"nothing but tables":    {20_000 * mb, 20_000 * mb, 1},
		"as much of the one as": {200 * mb, 100 * mb, 200},
	} {
		if got := pace(row.live, row.tables); got != row.want {
			t.Errorf("%s: %d %%, want %d", name, got, row.want)
		}
	}
}

// TestPaceIsSetWhenItDiffers: a step of less than an eighth is left alone.
func TestPaceIsSetWhenItDiffers(t *testing.T) {
	tables := 0
	h := newHeapPace(func() int { return tables })
	var set []int
	h.set = func(p int) { set = append(set, p) }
	for _, n := range []int{0, 300 << 20, 301 << 20, 299 << 20, 310 << 20, 0} {
		tables = n
		h.look(n + 20<<20)
	}
	if want := []int{25, 400}; !slices.Equal(set, want) {
		t.Errorf("set to %v, want %v", set, want)
	}
}

// TestPaceOfThisProcess: the runtime keeps to what it is told.
func TestPaceOfThisProcess(t *testing.T) {
	before := debug.SetGCPercent(gcPercent)
	defer debug.SetGCPercent(before)
	table := make([]byte, 400<<20)
	runtime.GC()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan int, 1)
	h := newHeapPace(func() int { return len(table) })
	h.set = func(p int) {
		debug.SetGCPercent(p)
		told <- p
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	select {
	case <-told:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was set")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	var most runtime.MemStats
	runtime.ReadMemStats(&most)
	if most.NextGC > 800<<20 {
		t.Errorf("the next collection is at %d MB", most.NextGC>>20)
	}
	runtime.KeepAlive(table)
}
