package statuslist

import (
	"sync"
	"time"

	"tollgate/revocation"
)

// Ledger is what the feed has told: what is in force, and the records in order. Its
// methods Apply, Gap, Epoch and Level are the functions of a revocation.FeedConfig.
// Nothing that it knows is dropped at a gap: what was revoked stays so until the
// store says otherwise.
type Ledger struct {
	now func() time.Time

	mu      sync.RWMutex // guards what follows
	epoch   revocation.Epoch
	level   time.Time // when the last read that reached the end was sent; zero: not level
	was     bool      // level once
	marks   map[revocation.Digest]mark
	sweepAt int // number of marks at which the ended ones are removed
	log     eventLog
	version uint64 // counts changes of marks and epoch
}

// mark is what is in force of one digest.
type mark struct {
	cut int64  // µs; 0: all is undone
	at  int64  // store time (µs) of the change
	exp int64  // unix second; 0: never
	n   uint64 // of the record that last told of it
}

func (m mark) ended(now int64) bool { return m.exp != 0 && m.exp <= now }

const sweepLeast = 1024

// NewLedger returns a ledger that knows nothing yet. A nil now means time.Now.
func NewLedger(now func() time.Time) *Ledger {
	if now == nil {
		now = time.Now
	}
	return &Ledger{now: now, marks: map[revocation.Digest]mark{}, sweepAt: sweepLeast}
}

// Apply takes records of the feed, in order, the same one more than once after a
// gap. Of two about one digest the later change counts, whichever is told last; of
// the same moment, what refuses.
func (l *Ledger) Apply(records []revocation.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		m := mark{cut: r.Cut, at: r.At, exp: r.ExpiresAt, n: r.N}
		if held, ok := l.marks[r.Digest]; ok && (held.at > m.at || held.at == m.at && held.cut > m.cut) {
			m.cut, m.at, m.exp = held.cut, held.at, held.exp
		}
		l.marks[r.Digest] = m
		l.log.add(r)
	}
	l.version++
	now := l.now().Unix()
	if len(l.marks) >= l.sweepAt {
		for d, m := range l.marks {
			if m.ended(now) {
				delete(l.marks, d)
			}
		}
		l.sweepAt = max(sweepLeast, 2*len(l.marks))
	}
	l.log.compact(func(e event) bool {
		m := l.marks[e.digest]
		return m.n != e.n || m.ended(now)
	})
}

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
