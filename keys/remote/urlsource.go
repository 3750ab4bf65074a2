package remote

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
)

const (
	// maxWait is how long a request may wait for a key that is not at hand.
	maxWait = 2 * time.Second
	// maxWaiters bounds the requests that wait for one issuer. A slow host and a
	// flood of invented kids would otherwise fill the memory with them.
	maxWaiters = 1024
)

// urlSource keeps the key set behind one address.
type urlSource struct {
	held
	issuer     string
	url        *url.URL
	algorithms []keys.Algorithm
	parse      parse
	client     *http.Client
	log        *slog.Logger
	changed    func(issuer string)
	refresh    time.Duration
	minRefetch time.Duration

	base    context.Context // ends with Close; the context of every fetch
	flights sync.WaitGroup

	mu       sync.Mutex // guards what follows
	closed   bool
	flight   *flight   // nil while no fetch is under way
	again    bool      // fetch once more after this one
	started  time.Time // when the last fetch began
	due      time.Time // when the next one is due
	missing  missing
	outcomes outcomes
}

var _ token.KeyAwaiter = (*urlSource)(nil)

// Await returns the newest set, and looks for kid first when it is not there: one
// fetch at most in MinRefetch, which all who wait share. It waits 2 s at most,
// and not at all for a kid that is at hand, that was looked for in vain a short
// while ago, or while no fetch is allowed.
func (s *urlSource) Await(ctx context.Context, kid string) *keys.Set {
	if set := s.Set(); answers(set, kid) {
		return set
	}
	f := s.join(kid)
	if f == nil {
		return s.Set()
	}
	defer s.leave(f)
	bound := time.NewTimer(maxWait)
	defer bound.Stop()
	select {
	case <-f.done:
	case <-bound.C:
	case <-ctx.Done():
	}
	return s.Set()
}

// answers reports whether a fetch could tell nothing more about the kid. A token
// without kid asks for any key.
func answers(set *keys.Set, kid string) bool {
	_, found := set.Key(kid)
	return found || kid == "" && set.Len() > 0
}

// join returns the fetch to wait for, and begins it when that is allowed.
func (s *urlSource) join(kid string) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	set, now := s.Set(), s.now()
	switch {
	case s.closed, answers(set, kid), set.Len() > 0 && s.missing.has(kid, now):
		return nil
	case s.flight == nil && now.Sub(s.started) < s.minRefetch:
		return nil
	case s.flight == nil:
		s.launch(now, true)
	}
	if s.flight.waiting >= maxWaiters {
		return nil
	}
	s.flight.waiting++
	s.flight.ask(kid)
	return s.flight
}

func (s *urlSource) leave(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.waiting--
}

// refetch fetches at once, or once more after the fetch that is under way: that
// one may have been answered before whatever the hint is about.
func (s *urlSource) refetch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case s.flight != nil:
		s.again = true
	default:
		s.launch(s.now(), true)
	}
}

// run fetches whenever it is due, until ctx ends or the source is closed.
func (s *urlSource) run(ctx context.Context) {
	for {
		var landed <-chan struct{}
		var timer *time.Timer
		var elapsed <-chan time.Time
		if f, wait := s.whenDue(); f != nil {
			landed = f.done
		} else {
			timer = time.NewTimer(wait)
			elapsed = timer.C
		}
		select {
		case <-landed:
		case <-elapsed:
		case <-ctx.Done():
		case <-s.base.Done():
		}
		if timer != nil {
			timer.Stop()
		}
		if ctx.Err() != nil || s.base.Err() != nil {
			return
		}
	}
}

// whenDue begins the fetch that is due. It returns the fetch that is under way,
// or how long it is until the next one.
func (s *urlSource) whenDue() (*flight, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.flight == nil && !s.closed && !now.Before(s.due) {
		s.launch(now, false)
	}
	return s.flight, s.due.Sub(now)
}

// name is the source in logs and status.
func (s *urlSource) name() string { return fromURL + " " + show(s.url) }

// close lets no further fetch begin and waits for the one that is under way,
// whose context has ended.
func (s *urlSource) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.flights.Wait()
}

// adopt takes over what an earlier source of the same keys held, so that a reload
// during an outage of the issuer loses nothing.
func (s *urlSource) adopt(from *urlSource) {
	from.mu.Lock()
	defer from.mu.Unlock()
	s.current.Store(from.current.Load())
	s.publication.keep(&from.publication)
	s.started, s.due, s.outcomes = from.started, from.due, from.outcomes
}
