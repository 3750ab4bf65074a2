package session

import (
	"context"
	"fmt"
)

// Peek says where a refresh token stands, without spending it and without counting
// as a replay: for verify, blacklist and introspection. It does not ask the
// revocations. An ending session that it meets is ended.
func (s *Store) Peek(ctx context.Context, sid string, generation int64, jti string) (State, error) {
	if _, ok := Birth(sid); !ok || generation < 1 {
		return Lost, nil
	}
	set := s.settings
	state, err := s.script.peek.Run(ctx, s.client, []string{s.names.session(sid)}, generation, jti,
		set.Grace.Milliseconds(), set.UndeliveredCap.Milliseconds(), seconds(set.MaxTTL)).Text()
	if err != nil {
		return "", unavailable("peek", err)
	}
	switch st := State(state); st {
	case Current, Previous, Spent, Ended, Lost:
		return st, nil
	case outcomeEnding:
		_ = s.end(ctx, sid, reasonSweep, actorSelf) // what fails is left to the sweep
		return Ended, nil
	}
	return "", fmt.Errorf("session: script returned %q", state)
}

// Delivered notes that the answer with the pair of this generation was written to
// the client: from then on only Grace lets its predecessor be replayed. It does
// nothing for a session that is gone or has moved on.
func (s *Store) Delivered(ctx context.Context, sid string, generation int64) error {
	if err := s.script.delivered.Run(ctx, s.client, []string{s.names.session(sid)}, generation).Err(); err != nil {
		return unavailable("mark delivered", err)
	}
	return nil
}
