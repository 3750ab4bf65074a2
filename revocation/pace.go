package revocation

import (
	"context"
	"time"
)

const (
	// mergeTake is about how long a batch may keep Redis from others.
	mergeTake = 5 * time.Millisecond
	// mergePause is the longest pause between batches. Each is followed by one as
	// long as it took: others get at least half of Redis's time.
	mergePause = 20 * time.Millisecond
	mergeMost  = 512 // entries of a batch
)

// pace is how a process puts back: in batches of about mergeTake, and with a pause after
// each. Whoever puts back gets the next batch ready meanwhile. It belongs to one
// goroutine; its zero value begins with the smallest batch.
type pace struct {
	entries int           // of the next batch
	next    time.Time     // before this it is not sent
	empty   time.Duration // how long the last batch without entries took: the way, and a file that is synced
}

// size returns how many entries the next batch has.
func (p *pace) size() int { return max(p.entries, mergeBatch) }

// wait waits until the next batch may be sent; false when ctx ended before.
func (p *pace) wait(ctx context.Context) bool {
	left := time.Until(p.next)
	return left <= 0 && ctx.Err() == nil || pause(ctx, left)
}

// took notes that a batch of so many entries was answered now, after that time. Of the time
// that of an empty one does not count for the size: where Redis is far away, or slow to
// sync, smaller ones would help nobody.
func (p *pace) took(entries int, d time.Duration) {
	p.next = time.Now().Add(min(d, mergePause))
	if entries == 0 {
		p.empty = d
		return
	}
	fits := int64(entries) * int64(mergeTake) / int64(max(d-p.empty, time.Millisecond))
	if fits > int64(entries) && entries < p.size() {
		return // the last one, which says little of larger ones
	}
	half := (int64(entries) + fits) / 2 // one may have had to wait for something else
	p.entries = int(min(max(half, mergeBatch), 2*int64(entries), mergeMost))
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
