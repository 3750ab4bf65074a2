package remote

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"time"

	"tollgate/keys"
)

// flight is one fetch. Its fields belong to the source's mutex, done apart.
type flight struct {
	done    chan struct{}       // closed when what it brought is in place
	asked   map[string]struct{} // at most maxMissing kids; given to missing in the end
	waiting int
}

// ask notes a kid that somebody waits for.
func (f *flight) ask(kid string) {
	if len(f.asked) < maxMissing && kid != "" {
		f.asked[kid] = struct{}{}
	}
}

// launch begins a fetch. The mutex is held, the source is not closed, and no
// fetch is under way. The fetch has a deadline of its own: a request that gives
// up must not take it from the others.
func (s *urlSource) launch(now time.Time, fresh bool) {
	f := &flight{done: make(chan struct{}), asked: make(map[string]struct{})}
	s.flight, s.started, s.due = f, now, now.Add(s.minRefetch)
	s.flights.Go(func() {
		next, dropped, err := s.fetch(now, fresh)
		s.land(f, next, dropped, err)
	})
}

// fetch returns the snapshot that an answer of the issuer is worth.
func (s *urlSource) fetch(now time.Time, fresh bool) (*snapshot, []error, error) {
	ctx, cancel := context.WithTimeout(s.base, fetchTimeout)
	defer cancel()
	old := s.current.Load()
	if old == nil {
		old = &snapshot{}
	}
	a, err := get(ctx, s.client, s.url, old.etag, fresh)
	if err != nil {
		return nil, nil, err
	}
	next := &snapshot{set: old.set, digest: old.digest, etag: a.etag, seen: now, leftOut: old.leftOut}
	if a.unchanged {
		return next, nil, nil
	}
	digest := sha256.Sum256(a.body)
	if old.set != nil && digest == old.digest {
		return next, nil, nil
	}
	set, dropped, err := s.parse(a.body)
	if err != nil {
		return nil, nil, err
	}
	next.set, next.digest, next.leftOut = renewed(old.set, set), digest, brief(dropped)
	return next, dropped, nil
}

// land puts what a fetch brought in place and lets those go who waited for it.
func (s *urlSource) land(f *flight, next *snapshot, dropped []error, err error) {
	var before *keys.Set
	if old := s.current.Load(); old != nil {
		before = old.set
	}
	s.mu.Lock()
	ended := s.base.Err() != nil
	if err == nil {
		s.current.Store(next)
		s.missing.replace(f.asked, s.now())
	}
	first := s.outcomes.add(err)
	s.due = s.started.Add(s.pause())
	s.flight = nil
	if s.again && !s.closed {
		s.launch(s.now(), true)
	}
	s.again = false
	s.mu.Unlock()
	close(f.done)
	if ended {
		return // the failure is ours
	}
	s.report(before, next, dropped, err, first)
	if err == nil && before != nil && before != next.set {
		s.changed(s.issuer)
	}
}

// report logs what changed: the beginning and the end of an outage, and keys.
func (s *urlSource) report(before *keys.Set, next *snapshot, dropped []error, err error, first bool) {
	log := s.log.With("issuer", s.issuer, "source", s.name())
	if err != nil {
		if first {
			log.Error("keys of an issuer cannot be fetched", "error", err, "keys", s.Set().Len())
		}
		return
	}
	if first {
		log.Info("keys of an issuer are fetched again")
	}
	logChange(log, before, next.set, dropped)
}

// pause is how long after the beginning of the last fetch the next one is due.
// After a failure it is tried again soon, and less and less often while there is
// a set to go on with. All of it up to a tenth less, so that a thousand edges
// which started together do not ask together for ever.
func (s *urlSource) pause() time.Duration {
	d := s.refresh
	if n := s.outcomes.failing; n > 0 && s.Set().Len() > 0 {
		d = min(d, s.minRefetch<<min(n-1, 10))
	} else if n > 0 {
		d = min(d, s.minRefetch)
	}
	return max(d-rand.N(d/10+1), s.minRefetch) //nolint:gosec // it spreads load and guards nothing
}
