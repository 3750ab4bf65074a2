package statuslist

import (
	"cmp"
	"slices"
	"unique"

	"tollgate/revocation"
	"tollgate/revocation/table"
)

// eventLog is the records of the feed in order, for readers that resume. What a
// later record has overtaken, and what is over, leaves it in time.
type eventLog struct {
	begun     bool
	base      uint64 // who has read up to here has missed nothing
	head      uint64 // of the last record
	events    []event
	compactAt int
}

// event is one record in 48 bytes.
type event struct {
	n        uint64
	digest   revocation.Digest
	cut, exp int64
	kind     unique.Handle[revocation.Kind] // half of a string
}

// ended says whether what the record tells of is over at now, a unix second.
func (e *event) ended(now int64) bool { return e.exp != 0 && e.exp <= now }

// keepAll is how many of the latest records stay whatever they say, so that whoever
// reads every now and then is never told to start over.
const keepAll = 1 << 14

func (l *eventLog) add(r revocation.Record) {
	l.begin(r.N - 1)
	if r.N <= l.head { // told again; its place in the order is taken
		return
	}
	l.head = r.N
	if r.Kind == revocation.HintRing { // about keys, which readers fetch by themselves
		return
	}
	l.events = append(l.events, event{n: r.N, digest: r.Digest, cut: r.Cut, exp: r.ExpiresAt, kind: unique.Make(r.Kind)})
}

// begin says where the log begins, if it has not yet.
func (l *eventLog) begin(n uint64) {
	if !l.begun {
		l.begun, l.base, l.head = true, n, n
	}
}

// compact takes out what a later record has overtaken, and what is over at now, when it
// is worth it.
func (l *eventLog) compact(now int64) {
	if len(l.events) < max(2*keepAll, l.compactAt) {
		return
	}
	told := table.New() // by a record further on
	kept := make([]event, 0, len(l.events))
	old := len(l.events) - keepAll
	base := l.base
	for i, e := range slices.Backward(l.events) {
		if fresh := told.Put(e.digest, table.Forever); i >= old || fresh && !e.ended(now) {
			kept = append(kept, e)
		} else {
			base = max(base, e.n)
		}
	}
	slices.Reverse(kept)
	l.base, l.events = base, kept
	l.compactAt = 2 * len(l.events)
}

// after returns a copy of at most limit events after n, and whether there are more.
// ok is false when n is no place in this log to go on from.
func (l *eventLog) after(n uint64, limit int) (events []event, more, ok bool) {
	if n != 0 && (n < l.base || n > l.head) {
		return nil, false, false
	}
	at, _ := slices.BinarySearchFunc(l.events, n+1, func(e event, n uint64) int { return cmp.Compare(e.n, n) })
	rest := l.events[at:]
	if len(rest) > limit {
		return slices.Clone(rest[:limit]), true, true
	}
	return slices.Clone(rest), false, true
}
