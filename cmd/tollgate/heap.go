package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcPercent is how much a heap may grow between two collections. What an edge
	// holds for long is small, and Go's own 100 then collects many times a second.
	gcPercent = 400
	// leastGrowth is what a heap may grow by in any case, in bytes.
	leastGrowth = 64 << 20
	// paceEvery is how often the pace is looked at. A table of revocations grows by
	// some hundreds of megabytes in that time when it is loaded, at most.
	paceEvery = time.Second
)

// heapPace is how often the garbage is collected. A collection costs by what has
// pointers and has to be walked through. The tables of revocations have none, and may
// be most of what lives: they must not have the garbage beside them grow to a multiple
// of their size.
type heapPace struct {
	tables  func() int // bytes of what has no pointers
	set     func(percent int)
	live    []metrics.Sample
	percent int
}

func newHeapPace(tables func() int) *heapPace {
	return &heapPace{tables: tables, percent: gcPercent, set: func(p int) { debug.SetGCPercent(p) },
		live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
}

// Run follows the tables until ctx ends.
func (h *heapPace) Run(ctx context.Context) error {
	return repeat(ctx, paceEvery, func() {
		metrics.Read(h.live)
		h.look(int(h.live[0].Value.Uint64()))
	})
}

// look sets the pace for a heap of which so many bytes live. Setting it stops the world
// for a moment, so that small steps are left alone.
func (h *heapPace) look(live int) {
	p := pace(live, h.tables())
	if d := p - h.percent; 8*max(d, -d) <= h.percent {
		return
	}
	h.percent = p
	h.set(p)
}

// pace returns the percentage by which a heap may grow, of which live bytes live and
// tables have no pointers.
func pace(live, tables int) int {
	if live <= 0 {
		return gcPercent
	}
	walked := live - min(tables, live)
	growth := max(walked*gcPercent/100, leastGrowth)
	return min(max(growth*100/live, 1), gcPercent)
}
