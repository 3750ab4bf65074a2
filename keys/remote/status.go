package remote

import (
	"log/slog"
	"time"

	"tollgate/keys"
)

// Status is how it stands with the keys of one issuer.
type Status struct {
	Issuer string
	// Source is where the keys come from, as the file names it, without the query
	// of an address: "jwks_url https://id.example/jwks.json".
	Source string
	// Keys is how many keys can be used now; 0 refuses every token of the issuer.
	Keys int
	// Seen is when the set that is held was last known to be the issuer's, and Age
	// the time since. Both are zero when there never was a set.
	Seen time.Time
	Age  time.Duration
	// Err is why the last fetch or reading failed, nil when it did not. It does
	// not show what was read.
	Err error
	// LeftOut says in brief which keys of the issuer's document cannot be used, nil
	// when all can.
	LeftOut error
	// Fetches and Failures count fetches or readings since the start.
	Fetches, Failures uint64
}

// outcomes counts how fetching or reading went.
type outcomes struct {
	fetches, failures uint64
	failing           int // failures in a row
	err               error
}

// add notes one outcome, and reports whether an outage began or ended with it.
func (o *outcomes) add(err error) bool {
	was := o.failing > 0
	o.fetches++
	o.err = err
	if err == nil {
		o.failing = 0
		return was
	}
	o.failures++
	o.failing++
	return !was
}

// status is what held and outcomes say together.
func (h *held) status(issuer, source string, o outcomes) Status {
	s := Status{Issuer: issuer, Source: source, Keys: h.Set().Len(), Err: o.err, Fetches: o.fetches, Failures: o.failures}
	if c := h.current.Load(); c != nil {
		s.Seen, s.Age, s.LeftOut = c.seen, max(age(c.seen, h.now()), 0), c.leftOut
	}
	return s
}

func (s *urlSource) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.status(s.issuer, s.name(), s.outcomes)
}

// logChange logs which keys came and went, and what was left out of a document
// that was not seen before.
func logChange(log *slog.Logger, before, after *keys.Set, dropped []error) {
	if added, removed := difference(after, before), difference(before, after); len(added)+len(removed) > 0 {
		log.Info("keys of an issuer changed", "added", added, "removed", removed)
	}
	if len(dropped) > 0 {
		log.Warn("keys of an issuer are left out", "count", len(dropped), "error", brief(dropped))
	}
}
