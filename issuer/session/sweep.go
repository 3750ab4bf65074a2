package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	sweepBatch  = 100
	maxSuspects = 4096
)

// suspect remembers a session whose record may have been marked by a call whose
// answer did not come, for the next sweep to look at. When there are too many the
// rest is left to whoever meets them.
func (s *Store) suspect(sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.suspects) < maxSuspects {
		s.suspects[sid] = struct{}{}
	}
}

func (s *Store) takeSuspects() map[string]struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.suspects
	s.suspects = map[string]struct{}{}
	return taken
}

// Sweep completes every session that was left ending, and returns what failed: that
// is tried again by the next sweep. Any number of processes may sweep at once.
func (s *Store) Sweep(ctx context.Context) error {
	var failed failures
	for sid := range s.takeSuspects() {
		if err := s.complete(ctx, sid); err != nil {
			s.suspect(sid)
			failed.add(err)
		}
	}
	now, err := s.client.Time(ctx).Result()
	if err != nil {
		return unavailable("sweep", err)
	}
	var kept int64 // members that stay in the set, at its head
	for {
		members, err := s.client.ZRangeWithScores(ctx, s.names.ending(), kept, kept+sweepBatch-1).Result()
		if err != nil {
			return unavailable("sweep", err)
		}
		for _, m := range members {
			sid, _ := m.Member.(string)
			done, err := s.sweepOne(ctx, sid, now.Sub(time.Unix(int64(m.Score), 0)))
			if err != nil {
				failed.add(err)
			}
			if !done {
				kept++
			}
		}
		if len(members) < sweepBatch || ctx.Err() != nil {
			return failed.err()
		}
	}
}

// sweepOne ends one session of the set, unless whoever entered it is still about to
// mark it: the reason and actor are theirs to write.
func (s *Store) sweepOne(ctx context.Context, sid string, age time.Duration) (done bool, err error) {
	state, err := s.state(ctx, sid)
	if err != nil {
		return false, err
	}
	if state == "" && age < s.settle {
		return false, nil
	}
	err = s.end(ctx, sid, reasonSweep, actorSelf)
	return err == nil, err
}

// Run looks at every record once, for ends that a process left behind when it died,
// and then sweeps until ctx ends. Failures are logged and tried again. It returns
// nil when ctx ends.
func (s *Store) Run(ctx context.Context) error {
	if err := s.scan(ctx); err != nil && ctx.Err() == nil {
		s.settings.Log.WarnContext(ctx, "looking for sessions left ending failed", "error", err)
	}
	loop(ctx, s.settings.SweepEvery, func(ctx context.Context) {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.settings.Log.WarnContext(ctx, "sweep of ending sessions failed", "error", err)
		}
	})
	return nil
}

// loop calls do at once and after each pause, until ctx ends.
func loop(ctx context.Context, pause time.Duration, do func(context.Context)) {
	for ctx.Err() == nil {
		do(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// failures keeps the first error and counts the others.
type failures struct {
	first error
	more  int
}

func (f *failures) add(err error) {
	if f.first == nil {
		f.first = err
		return
	}
	f.more++
}

func (f *failures) err() error {
	if f.more == 0 {
		return f.first
	}
	return errors.Join(f.first, fmt.Errorf("and %d more", f.more))
}
