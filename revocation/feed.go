package revocation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Feed follows the feed: it reads it from its beginning, then waits for more. It
// keeps nothing of what it reads; Apply does. It takes a position (the sequence n
// and the nonce of the last record) and holds every answer against it, so that a
// store that comes back with another past, under whatever address, is noticed.
//
// Two sorts of reads take turns. A wait is one XREAD that blocks until something
// is told. A scan reads the epoch and what follows the position at one moment
// (MULTI), and is the one that finds losses: a wait that tells nothing proves
// nothing, because stream ids of a server that lost its end may lie below ours.
// There is a scan after each wait without an answer, and one in each Block. A scan
// also makes sure that a primary answers it (see role.go), and so it alone says how
// fresh all that was read is: a wait only brings what is new sooner.
type Feed struct {
	cfg   FeedConfig
	names names
	done  atomic.Pointer[feedPosition] // as at, once that was applied
	block atomic.Int64                 // ns; see SetBlock
	haste atomic.Int64                 // unix ns until which scans come sooner; see hurry
	role  serverRole

	mu      sync.Mutex // guards what follows, and the calls of cfg's functions
	at      feedPosition
	moved   uint64    // counts changes of at
	scanned time.Time // when the last scan that reached the end was sent; zero: scan next
	levelAt time.Time // what Level was last told with true
	pulse   pulse     // of the heartbeat; counts only with Replicas
}

// NewFeed returns a feed that has read nothing yet. ErrInvalid.
func NewFeed(cfg FeedConfig) (*Feed, error) {
	cfg, err := cfg.filled()
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	n, err := newNames(cfg.Prefix)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	f := &Feed{cfg: cfg, names: n}
	f.done.Store(&feedPosition{})
	f.block.Store(int64(cfg.Block))
	return f, nil
}

// SetBlock replaces Block, from the next wait on. It stays below Deadline, which is as
// it was.
func (f *Feed) SetBlock(d time.Duration) {
	f.block.Store(int64(min(max(d, time.Millisecond), f.cfg.Deadline-time.Millisecond)))
}

const (
	hasteFor   = time.Second
	hasteBlock = 25 * time.Millisecond
)

// hurry asks for a scan every 25 ms for a second: something is about to change in the store of
// which no wait tells. It may be called from the feed's functions.
func (f *Feed) hurry() { f.haste.Store(time.Now().Add(hasteFor).UnixNano()) }

// betweenScans is the time from one scan to the next.
func (f *Feed) betweenScans() time.Duration {
	block := time.Duration(f.block.Load())
	if time.Now().UnixNano() < f.haste.Load() {
		return min(block, hasteBlock)
	}
	return block
}

// N returns the sequence of the last record that was applied; 0: none since the
// start or the last gap.
func (f *Feed) N() uint64 { return f.done.Load().n }

// Run reads until ctx ends, then returns nil. It never gives up: after a failed
// read it tries again, after 50 ms at first and a second at most. When ctx ends
// during a wait, it returns with the answer to it, within Block, or at its
// deadline: go-redis gives a read a deadline but cannot call it off.
func (f *Feed) Run(ctx context.Context) error {
	r := newFeedReader(f, maxPage)
	r.eager = true
	defer r.join()
	var out feedOutage
	for ctx.Err() == nil {
		err := r.next(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			out.over(f.cfg.Log)
			continue
		}
		reload(ctx, f.cfg.Client)
		f.cfg.Failed(err)
		again := out.failed(f.cfg.Log, err)
		if errors.Is(err, errNoEpoch) { // answered: an epoch is about to begin, and writers wait until it was read
			again = min(again, f.betweenScans())
		}
		pause(ctx, again)
	}
	return nil
}

// CatchUp reads up to the feed's end once, on a connection of its own, while Run
// may hang on a dead one. It calls the same functions, never at the same time as
// Run does. Each of at most three reads that fail takes a third of the time that
// ctx leaves: those at hand in the client's pool may be dead, too.
// ErrUnavailable, also when the feed is not level yet, or not any more: only Run
// reads from the beginning. With Replicas it reads until they have vouched for a read
// of its own, as far as ctx and Deadline allow.
func (f *Feed) CatchUp(ctx context.Context) error {
	const tries = 3
	r, from := newFeedReader(f, leastPage*10), f.cfg.Now()
	if f.cfg.Replicas > 0 { // replicas that never confirm must not be waited for without end
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.cfg.Deadline)
		defer cancel()
	}
	for failed := 0; ; {
		if !f.position().level {
			return fmt.Errorf("catch up: %w: %w", ErrUnavailable, errNotLevel)
		}
		limit := f.cfg.Deadline
		if end, ok := ctx.Deadline(); ok {
			limit = min(limit, time.Until(end)/time.Duration(tries-failed))
		}
		end, err := r.scan(ctx, limit)
		switch {
		case err != nil:
			reload(ctx, f.cfg.Client)
			if failed++; failed == tries || ctx.Err() != nil {
				return fmt.Errorf("catch up: %w: %w", ErrUnavailable, err)
			}
		case end && f.vouchedFor(from):
			return nil
		case end: // replicas have yet to vouch for a read of ours
			select {
			case <-ctx.Done():
				return fmt.Errorf("catch up: %w: replicas do not confirm: %w", ErrUnavailable, ctx.Err())
			case <-time.After(vouchPause):
			}
		}
	}
}

// vouchPause is the time between two reads that look for a confirmed beat.
const vouchPause = 10 * time.Millisecond

// vouchedFor says whether a read that was sent at that moment or later counts.
func (f *Feed) vouchedFor(from time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cfg.Replicas == 0 || !f.pulse.vouched.Before(from)
}

// resume lets a feed that has not run yet start from the position at which another one
// stopped.
func (f *Feed) resume(from Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moveTo(feedPosition{epoch: from.Epoch, n: from.N, nonce: from.Nonce, id: from.ID})
	f.applied()
}

// position returns a copy of where the feed is.
func (f *Feed) position() feedPosition {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// start returns where the feed is and a number that another reader's progress
// changes.
func (f *Feed) start() (feedPosition, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at, f.moved
}

// scanDue says whether a scan comes next, rather than a wait.
func (f *Feed) scanDue() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.at.level || f.scanned.IsZero() || f.cfg.Now().Sub(f.scanned) > f.betweenScans()
}

// untilScan is how long a wait may take before a scan is due. It is at least 1 ms: for
// Redis, none is for ever.
func (f *Feed) untilScan() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(f.betweenScans()-f.cfg.Now().Sub(f.scanned), time.Millisecond)
}

// scanNext asks for a scan.
func (f *Feed) scanNext() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scanned = time.Time{}
}

// moveTo takes a new position. N returns it only once applied was called, unless it lies
// before the present one. The caller holds mu.
func (f *Feed) moveTo(p feedPosition) {
	if p != f.at {
		f.at = p
		f.moved++
	}
	if p.n < f.N() {
		f.done.Store(&p)
	}
}

// applied notes that all records up to the position were applied. The caller holds mu.
func (f *Feed) applied() {
	if at := f.at; at != *f.done.Load() {
		f.done.Store(&at)
	}
}

// tellLevel calls Level. Scans may end in another order than they were sent: the earlier
// one then does not make what is known older. The caller holds mu.
func (f *Feed) tellLevel(level bool, sent time.Time) {
	if f.cfg.Replicas > 0 {
		sent = f.pulse.vouched
		level = level && !sent.IsZero()
	}
	if !level {
		f.levelAt = time.Time{}
	} else if f.levelAt.Before(sent) {
		f.levelAt = sent
	} else {
		sent = f.levelAt
	}
	f.cfg.Level(level, sent)
}
