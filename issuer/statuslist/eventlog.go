package statuslist

import (
	"cmp"
	"slices"

	"tollgate/revocation"
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
	kind     revocation.Kind
}

// keepAll is how many of the latest records stay whatever they say, so that whoever
// reads every now and then is never told to start over.
const keepAll = 1 << 14

func (l *eventLog) add(r revocation.Record) {
	l.begin(r.N - 1)
	if r.N <= l.head { // told again; its place in the order is taken
		return
	}
	l.head = r.N
	l.events = append(l.events, event{n: r.N, digest: r.Digest, cut: r.Cut, exp: r.ExpiresAt, kind: r.Kind})
}

// begin says where the log begins, if it has not yet.
func (l *eventLog) begin(n uint64) {
	if !l.begun {
		l.begun, l.base, l.head = true, n, n
	}
}

// compact takes out what is useless, when it is worth it.
func (l *eventLog) compact(useless func(event) bool) {
	if len(l.events) < max(2*keepAll, l.compactAt) {
		return
	}
	old := l.events[:len(l.events)-keepAll]
	kept := make([]event, 0, len(l.events))
	for _, e := range old {
		if useless(e) {
			l.base = e.n
		} else {
			kept = append(kept, e)
		}
	}
	l.events = append(kept, l.events[len(old):]...)
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
