package ratelimit

import "time"

// gcra is a rate in whole microseconds. The interval is rounded down, in the
// caller's favour: by less than 1% for rates up to 10,000 a second.
//
// allow.lua does the same arithmetic; a test holds the two against each other.
type gcra struct {
	interval int64 // µs between calls that come evenly
	burst    int64 // calls that may come at once
}

// decide returns the decision on a call at now about a key whose tat is kept, and
// the tat to keep from then on. A key of which nothing is known has tat now.
func (g gcra) decide(now, tat int64) (Decision, int64) {
	most := now + g.interval*g.burst
	// A tat beyond the burst was written under another rate, or before the clock
	// went back: as it stands it could refuse for years.
	tat = min(max(tat, now), most)
	next := tat + g.interval
	if next > most {
		return Decision{RetryAfter: time.Duration(next-most) * time.Microsecond}, tat
	}
	return Decision{Allowed: true, Remaining: int((most - next) / g.interval)}, next
}
