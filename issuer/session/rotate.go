package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

// What rotate.lua answers.
const (
	outcomeRotated = "rotated"
	outcomeReplay  = "replay"
	outcomeLost    = "lost"
	outcomeExpired = "expired"
	outcomeReuse   = "reuse"
	outcomeEnding  = "ending"
	outcomeEnded   = "ended"
)

const (
	reasonReuse = "refresh token reuse"
	reasonJTI   = "refresh token revoked"
	reasonSweep = "end completed by the sweep"
	actorSelf   = "tollgate"
)

// Option says more about the refresh token that is presented.
type Option func(*presented)

type presented struct {
	subject, kid   string
	address, agent string
	checked        bool
}

// ForSubject names the subject in the verified token, which saves reading it from
// the record.
func ForSubject(subject string) Option { return func(p *presented) { p.subject = subject } }

// SignedBy names the key that verified the token, so that a revoked key is noticed.
func SignedBy(kid string) Option { return func(p *presented) { p.kid = kid } }

// From says who presents the token, for lists: the client's address and its User-Agent,
// of which the first 64 and 100 bytes are kept.
func From(address, agent string) Option {
	return func(p *presented) { p.address, p.agent = clip(address, maxAddress), clip(agent, maxRefreshAgent) }
}

// Checked says that the caller has just asked these revocations about this very token
// (its jti, session, subject and key) and found it clear: they are not asked again. What
// is revoked from now on covers the successor, too, which has the same session and birth.
func Checked() Option { return func(p *presented) { p.checked = true } }

// Rotate spends a verified refresh token and mints its successor pair, or returns
// the standing one (Pair.Replay); see the package comment. The answer to a pair is
// to be followed by Delivered. Errors: ErrReuse, ErrEnded, ErrLost, ErrExpired,
// ErrUnavailable. After ErrUnavailable the same token may be presented again.
func (s *Store) Rotate(ctx context.Context, sid string, generation int64, jti string, opts ...Option) (Pair, error) {
	birth, ok := Birth(sid)
	if !ok || generation < 1 {
		return Pair{}, fmt.Errorf("%w: not an id or generation of ours", ErrLost)
	}
	p, err := s.admit(ctx, sid, birth, jti, opts)
	if err != nil {
		return Pair{}, err
	}
	set := s.settings
	rotate := "0"
	if set.Rotate {
		rotate = "1"
	}
	reply, err := s.script.rotate.Run(ctx, s.client, []string{s.names.session(sid)},
		generation, jti, p.subject, newJTI(), newJTI(),
		seconds(set.AccessTTL), seconds(set.RefreshTTL), seconds(set.MaxTTL), set.leeway(),
		set.Grace.Milliseconds(), set.UndeliveredCap.Milliseconds(),
		rotate, reasonReuse, actorSelf, p.address, p.agent, maxSpent,
	).StringSlice()
	if err != nil {
		s.suspect(sid) // the script may have run, and marked a reuse
		return Pair{}, unavailable("rotate", err)
	}
	return s.outcome(ctx, sid, reply)
}

// admit reads the options and asks the revocations about the token, before the record
// is touched. A session that is met half-ended is ended. The endpoints of the issuer have
// authenticated the token and say Checked, so that Redis is not asked twice: this is what
// holds for a caller who does not think of it, and asking is therefore what goes without saying.
func (s *Store) admit(ctx context.Context, sid string, birth int64, jti string, opts []Option) (presented, error) {
	var p presented
	for _, opt := range opts {
		opt(&p)
	}
	if p.checked {
		return p, nil
	}
	subject := p.subject
	if subject == "" {
		var err error
		if subject, err = s.client.HGet(ctx, s.names.session(sid), "sub").Result(); err != nil && !errors.Is(err, redis.Nil) {
			return p, unavailable("read subject", err)
		}
	}
	t := s.token(sid, birth, subject)
	t.JTI, t.KeyID = jti, p.kid
	v := s.rev.Check(ctx, t)
	err := check(v)
	switch {
	case v.State != revocation.Revoked:
	case v.Kind == revocation.KindJTI:
		// The statement about a bare jti may be shorter-lived than the refresh token:
		// it ends the session, or the token would come back.
		err = also(err, s.end(ctx, sid, reasonJTI, actorSelf))
	case v.Kind == revocation.KindSession:
		err = also(err, s.complete(ctx, sid))
	}
	return p, err
}

// outcome turns the script's answer into a pair or an error.
func (s *Store) outcome(ctx context.Context, sid string, reply []string) (Pair, error) {
	if len(reply) == 0 {
		return Pair{}, errors.New("session: script returned nothing")
	}
	switch reply[0] {
	case outcomeRotated, outcomeReplay:
		m, err := parseMinted(sid, reply)
		if err != nil {
			return Pair{}, err
		}
		if err := s.track(ctx, m); err != nil {
			return Pair{}, err
		}
		return m.Pair, nil
	case outcomeReuse:
		return Pair{}, also(ErrReuse, s.end(ctx, sid, reasonReuse, actorSelf))
	case outcomeEnding:
		return Pair{}, also(ErrEnded, s.end(ctx, sid, reasonSweep, actorSelf))
	case outcomeEnded:
		return Pair{}, ErrEnded
	case outcomeExpired:
		return Pair{}, ErrExpired
	case outcomeLost:
		return Pair{}, ErrLost
	}
	return Pair{}, fmt.Errorf("session: script returned %q", reply[0])
}

// also returns the answer that the client gets, with the text of what failed behind
// it for the log. The answer holds either way: refresh is refused from the mark on,
// and the sweep completes the rest. The failure is not wrapped, so that nobody takes
// the answer for ErrUnavailable.
func also(answer, failed error) error {
	if failed == nil {
		return answer
	}
	return fmt.Errorf("%w; its end is not complete: %s", answer, failed.Error())
}
