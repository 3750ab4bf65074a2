package session

import "context"

// noGeneration marks the record of a sliding session: no refresh token can be of it,
// since the generations of those begin with 1.
const noGeneration = "0"

// StartSliding begins a session with one token in place of a pair: SimpleJWT's sliding
// token, which gives access and can be exchanged for a later copy of itself. In the
// Pair that it returns Generation is 0, Access is the token's stamp, and Refresh has
// the same jti and, as its ExpiresAt, the end of the period in which it can be
// exchanged (refresh_exp). Errors are those of Start.
func (s *Store) StartSliding(ctx context.Context, start Start) (Pair, error) {
	jti := newJTI()
	return s.begin(ctx, start, beginning{
		refreshJTI: jti, accessJTI: jti, generation: noGeneration,
		access: s.settings.SlidingTTL, refresh: s.settings.SlidingRefreshTTL,
	})
}

// Slide gives the sliding token with this jti, verified and not expired, a new life:
// the same jti and end of the refresh period, a new iat and exp. What was handed out
// before stays valid until its own exp, so asking again is harmless. Errors: ErrEnded,
// ErrLost, ErrUnavailable, and ErrExpired once the refresh period or the session's
// longest life is over.
func (s *Store) Slide(ctx context.Context, sid, jti string, opts ...Option) (Pair, error) {
	birth, ok := Birth(sid)
	if !ok {
		return Pair{}, ErrLost
	}
	p, err := s.admit(ctx, sid, birth, jti, opts)
	if err != nil {
		return Pair{}, err
	}
	set := s.settings
	reply, err := s.script.slide.Run(ctx, s.client, []string{s.names.session(sid)},
		jti, p.subject, seconds(set.SlidingTTL), seconds(set.MaxTTL), set.leeway(),
	).StringSlice()
	if err != nil {
		return Pair{}, unavailable("slide", err)
	}
	return s.outcome(ctx, sid, reply)
}
