package revocation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// holdOff is how long after a CatchUp that failed nobody tries another: requests do
// not each wait for a Redis that is away.
const holdOff = 250 * time.Millisecond

// flight is one CatchUp that several callers share.
type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// flights lets one CatchUp run at a time. Callers share one that has not begun yet,
// so that what it reads is from after their question.
type flights struct {
	mu     sync.Mutex // guards what follows
	next   *flight
	busy   bool
	failed error     // of the last one; nil: it succeeded
	at     time.Time // when it failed
}

// CatchUp reads what the store has told since, once and on another connection than
// Run does, for a check that found itself too stale. Callers share a read, which
// takes Patience at most. The error is ErrUnavailable; CauseOf says why.
func (m *Mirror) CatchUp(ctx context.Context) error {
	f, err := m.flights.join(m)
	if err != nil {
		return err
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return fmt.Errorf("catch up: %w: %w", ErrUnavailable, ctx.Err())
	}
}

// join returns the flight to wait for, and starts it when none is under way.
func (s *flights) join(m *Mirror) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil && time.Since(s.at) < holdOff {
		return nil, s.failed
	}
	if s.next == nil {
		s.next = &flight{done: make(chan struct{})}
	}
	if !s.busy {
		s.busy = true
		go s.fly(m)
	}
	return s.next, nil
}

// fly does flights until nobody waits for another.
func (s *flights) fly(m *Mirror) {
	for {
		s.mu.Lock()
		f := s.next
		s.next = nil
		s.busy = f != nil
		s.mu.Unlock()
		if f == nil {
			return
		}
		// Not the context of a caller: others wait for the same read.
		ctx, cancel := context.WithTimeout(context.Background(), m.cfg.Patience)
		f.err = m.feed.CatchUp(ctx)
		cancel()
		s.mu.Lock()
		s.failed, s.at = f.err, time.Now()
		s.mu.Unlock()
		close(f.done)
	}
}

// CauseOf says why a CatchUp failed, in the words of a verdict.
func CauseOf(err error) Cause {
	switch {
	case err == nil:
		return CauseNone
	case errors.Is(err, errNotLevel):
		return CauseLoading
	case errors.Is(err, errNoEpoch):
		return CauseLost
	case errors.Is(err, errReply), isReply(err):
		return CauseBroken
	}
	return CauseUnreachable
}
