package revocation

import (
	"context"
	"slices"
	"time"
)

const (
	// mergeTake is about how long a batch keeps Redis from others. One that took much longer would
	// also be interrupted more often where processors are short, and others with it.
	mergeTake = 3 * time.Millisecond
	// mergePause is the longest pause between batches. Each is followed by one as
	// long as such a batch takes: others get about half of Redis's time.
	mergePause = 20 * time.Millisecond
	mergeMost  = 512 // entries of a batch
	paceLast   = 16  // batches that are remembered
)

// pace is how a process puts back: in batches of about mergeTake, and with a pause after
// each. Whoever puts back gets the next batch ready meanwhile. It belongs to one
// goroutine; its zero value begins with the smallest batch.
//
// What a batch takes by the clock is Redis's time and whatever came between: another process
// on its processor, a disk that is busy with something else. Waiting once more for that would
// leave Redis idle, not to others. So a batch counts for no more than it takes if little
// comes between: a quarter of the last ones took less. Where each is slow, because
// Redis is, or its disk, that is what a batch takes.
type pace struct {
	entries int                     // of the next batch
	next    time.Time               // before this it is not sent
	empty   time.Duration           // how long the last batch without entries took: the way, and a file that is synced
	each    [paceLast]time.Duration // what the last batches took for an entry
	seen    int                     // how many there were
}

// size returns how many entries the next batch has.
func (p *pace) size() int { return max(p.entries, mergeBatch) }

// wait waits until the next batch may be sent; false when ctx ended before.
func (p *pace) wait(ctx context.Context) bool {
	if left := time.Until(p.next); left > 0 {
		return pause(ctx, left)
	}
	return ctx.Err() == nil
}

// took notes that a batch of so many entries was answered at that moment, after d. Of that
// the time of an empty one does not count for the size: where Redis is far away, or slow
// to sync, smaller ones would help nobody.
func (p *pace) took(entries int, d time.Duration, now time.Time) {
	switch {
	case entries == 0:
		p.empty = d
	case entries >= mergeBatch: // of a smaller one the way is most
		d = min(d, p.usual(entries, d))
		fits := time.Duration(entries) * mergeTake / max(d-p.empty, mergeTake/8)
		half := (entries + int(fits)) / 2
		p.entries = min(max(half, mergeBatch), 2*entries, mergeMost)
	}
	p.next = now.Add(min(d, mergePause))
}

// usual notes what a batch took, and returns what one of so many entries takes if
// little comes between.
func (p *pace) usual(entries int, d time.Duration) time.Duration {
	p.each[p.seen%paceLast] = d / time.Duration(entries)
	p.seen++
	last := slices.Sorted(slices.Values(p.each[:min(p.seen, paceLast)]))
	return last[len(last)/4] * time.Duration(entries)
}

// pause waits; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
