package statuslist

import (
	"sync"
	"time"

	"tollgate/revocation"
	"tollgate/revocation/table"
)

// Ledger is what the feed has told: what is in force, and the records in order. Its
// methods Apply, Gap, Epoch and Level are the functions of a revocation.FeedConfig.
// Nothing that it knows is dropped at a gap: what was revoked stays so until the
// store says otherwise.
type Ledger struct {
	now func() time.Time

	mu      sync.RWMutex // guards what follows
	epoch   revocation.Epoch
	level   time.Time   // when the last read that reached the end was sent; zero: not level
	was     bool        // level once
	cuts    *table.Cuts // what is in force of each digest
	dated   map[revocation.Digest]dated
	sweepAt int // number of entries at which the ended ones are removed
	log     eventLog
	version uint64 // counts changes of cuts and epoch
}

// dated is a digest of which something was undone: only of those can a record be older
// than what is held. What else is told of a digest only grows.
type dated struct {
	cut, at int64
	expires uint32
}

const sweepLeast = 1024

// NewLedger returns a ledger that knows nothing yet. A nil now means time.Now.
func NewLedger(now func() time.Time) *Ledger {
	if now == nil {
		now = time.Now
	}
	return &Ledger{now: now, cuts: table.NewCuts(), dated: map[revocation.Digest]dated{}, sweepAt: sweepLeast}
}

// Apply takes records of the feed, in order, the same one more than once after a
// gap. Of two about one digest the later change counts, whichever is told last; of
// the same moment, what refuses.
func (l *Ledger) Apply(records []revocation.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		l.hold(r)
		l.log.add(r)
	}
	l.version++
	now := l.now().Unix()
	l.sweep(now)
	l.log.compact(now)
}

// hold takes what a record says is in force. The caller holds mu.
func (l *Ledger) hold(r revocation.Record) {
	expires := expiry(r.ExpiresAt)
	was, isDated := l.dated[r.Digest]
	switch {
	case isDated && (was.at > r.At || was.at == r.At && was.cut > r.Cut):
		return
	case !isDated && r.Cut != 0 && r.Undone == 0:
		l.cuts.Put(r.Digest, r.Cut, expires)
		return
	case !isDated: // what stands without a date was made after every undo that is known of it
		if cut, _, _ := l.cuts.Lookup(r.Digest); cut > r.Cut && cut >= r.At {
			return
		}
	}
	l.dated[r.Digest] = dated{cut: r.Cut, at: r.At, expires: expires}
	if r.Cut == 0 {
		l.cuts.Delete(r.Digest)
	} else {
		l.cuts.Set(r.Digest, r.Cut, expires)
	}
}

// sweep forgets what is over, when there is twice as much as after the last time. The
// caller holds mu.
func (l *Ledger) sweep(now int64) {
	if l.cuts.Len()+len(l.dated) < l.sweepAt {
		return
	}
	l.cuts.Sweep(uint32(min(max(now, 0), int64(table.Forever)-1)), table.Shards)
	for d, is := range l.dated {
		if over(is.expires, now) {
			delete(l.dated, d)
		}
	}
	l.sweepAt = max(sweepLeast, 2*(l.cuts.Len()+len(l.dated)))
}

// expiry is the end of a record (unix second, 0 for never) as the table has it.
func expiry(end int64) uint32 {
	if end <= 0 || end >= int64(table.Forever) {
		return table.Forever
	}
	return uint32(end)
}

func over(expires uint32, now int64) bool { return expires != table.Forever && int64(expires) <= now }

// Gap is told that the feed is read from its beginning again.
func (l *Ledger) Gap(string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level, l.log = time.Time{}, eventLog{}
	l.version++
}

// Epoch takes the epoch that a read of the feed found.
func (l *Ledger) Epoch(e revocation.Epoch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.ID != l.epoch.ID || e.Born != l.epoch.Born || e.CompleteSince != l.epoch.CompleteSince {
		l.version++
	}
	l.epoch = e
}

// Level is told after each read whether it reached the end, and when it was sent.
func (l *Ledger) Level(level bool, sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !level {
		l.level = time.Time{}
		return
	}
	l.level, l.was = sent, true
	l.log.begin(l.epoch.N)
}

// fresh reports whether the ledger was complete not longer than most ago. A process
// that was stopped and continued knows by the clock on the wall that it was: the
// other one may have stood still.
func (l *Ledger) fresh(most time.Duration) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.level.IsZero() {
		return false
	}
	now := l.now()
	return max(now.Sub(l.level), now.Round(0).Sub(l.level.Round(0))) <= most
}

// ready reports whether the ledger was ever complete.
func (l *Ledger) ready() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.was
}

// epochID is the id of the store's epoch, empty while none is known.
func (l *Ledger) epochID() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.epoch.ID
}

// N returns the sequence of the last record that was applied; 0: none since the
// start or the last gap.
func (l *Ledger) N() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.log.head
}
