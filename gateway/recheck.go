package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"tollgate/keys/token"
)

const (
	// recheckAtOnce bounds how many open streams are asked about at the same time.
	recheckAtOnce = 8
	// recheckVain is how many questions in a row may go without an answer before the
	// remaining streams are left for the next round.
	recheckVain = 64
	// The pause before streams are asked about again whose questions nobody could
	// answer. It doubles from the first value to the second.
	recheckPause, recheckPauseMax = 100 * time.Millisecond, 2 * time.Second
	// overdueEvery is how long a stream may outlive its token where its timer is late.
	overdueEvery = 30 * time.Second
)

// ask wants every open stream asked about; run does it.
func (s *streams) ask() {
	select {
	case s.asked <- struct{}{}:
	default: // one is wanted already, and has not begun
	}
}

// run rechecks whenever that is asked for, and again for as long as there are
// streams of which nobody can say whether their token still holds.
func (s *streams) run(ctx context.Context) error {
	var left []*stream
	pause := recheckPause
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	tick := time.NewTicker(overdueEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.asked:
			left, pause = s.all(), recheckPause
		case <-retry.C:
		case <-tick.C:
			s.overdue(time.Now())
			continue
		}
		left = s.recheck(ctx, left)
		if retry.Stop(); len(left) > 0 {
			retry.Reset(pause)
			pause = min(2*pause, recheckPauseMax)
		}
	}
}

// overdue ends the streams whose tokens are over by the clock on the wall. Their timers do
// so as a rule, but follow another clock: one that knows of no correction, and stands still
// while the machine sleeps.
func (s *streams) overdue(now time.Time) {
	for _, st := range s.all() {
		if !now.Before(st.identity.Deadline()) {
			st.finish(token.ReasonExpired)
		}
	}
}

// all returns the open streams, each once.
func (s *streams) all() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[*stream]struct{}, s.open)
	out := make([]*stream, 0, s.open)
	for _, set := range s.byDigest {
		for st := range set {
			if _, twice := seen[st]; !twice {
				seen[st] = struct{}{}
				out = append(out, st)
			}
		}
	}
	return out
}

// recheck asks about streams, a few at a time, and ends those that are refused. It
// returns those of which nobody could say anything, behind those that were not
// asked about: that nobody can say is no reason to end what was allowed, and none
// to forget it.
func (s *streams) recheck(ctx context.Context, list []*stream) []*stream {
	var (
		mu      sync.Mutex
		next    int
		vain    int // in a row
		unknown []*stream
		workers sync.WaitGroup
	)
	take := func() *stream {
		mu.Lock()
		defer mu.Unlock()
		if next == len(list) || vain >= recheckVain || ctx.Err() != nil {
			return nil
		}
		next++
		return list[next-1]
	}
	for range min(recheckAtOnce, len(list)) {
		workers.Go(func() {
			for st := take(); st != nil; st = take() {
				known := s.decide(ctx, st)
				mu.Lock()
				if known {
					vain = 0
				} else {
					vain++
					unknown = append(unknown, st)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return append(list[next:], unknown...)
}

// decide asks about one stream and ends it if its token is refused. It reports
// false where nobody can say, and where a route would let such a token through:
// what was revoked meanwhile must not stay open for that.
func (s *streams) decide(ctx context.Context, st *stream) (known bool) {
	s.mu.Lock()
	left := st.left
	s.mu.Unlock()
	if left {
		return true
	}
	policy := *st.policy
	policy.OnUnavailable, policy.Uncertain = token.Deny, nil
	var refusal *token.Refusal
	if !errors.As(s.verifier.Reaffirm(ctx, st.identity, &policy, s.revocations), &refusal) {
		return true
	}
	if refusal.Reason == token.ReasonUnavailable {
		return false
	}
	st.finish(refusal.Reason)
	return true
}
