package session

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// track enters a pair where it is looked for: its session under the subject, its
// refresh jti under the session. It happens before the pair is handed out, so a
// token that somebody holds can always be found; a call that dies before it is
// asked again and gets the same pair.
func (s *Store) track(ctx context.Context, m minted) error {
	// A sliding token may outlive the period in which it can be exchanged.
	last := max(m.Refresh.ExpiresAt.Unix(), m.Access.ExpiresAt.Unix())
	life := time.Duration(last-m.now+s.settings.leeway()) * time.Second
	pipe := s.client.Pipeline()
	pipe.ZAdd(ctx, s.names.subject(m.Subject), redis.Z{Score: float64(m.ends), Member: m.SID})
	pipe.Expire(ctx, s.names.subject(m.Subject), s.settings.keep())
	pipe.Set(ctx, s.names.jti(m.Refresh.JTI), m.SID, max(life, time.Second))
	if _, err := pipe.Exec(ctx); err != nil {
		return unavailable("index", err)
	}
	return nil
}

// prune takes a few sessions that are over out of their subject's list, so that the
// list of a program that logs in all day stays short. A score may be behind its
// session, so only a missing record counts. A failure is left to the next log-in.
func (s *Store) prune(ctx context.Context, m minted) {
	const few = 32
	sids, err := s.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: s.names.subject(m.Subject), ByScore: true, Count: few,
		Start: "-inf", Stop: "(" + strconv.FormatInt(m.now-s.settings.leeway(), 10),
	}).Result()
	if err != nil || len(sids) == 0 {
		return
	}
	pipe := s.client.Pipeline()
	there := make([]*redis.IntCmd, len(sids))
	for i, sid := range sids {
		there[i] = pipe.Exists(ctx, s.names.session(sid))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return
	}
	var gone []any
	for i, sid := range sids {
		if there[i].Val() == 0 {
			gone = append(gone, sid)
		}
	}
	if len(gone) > 0 {
		_ = s.client.ZRem(ctx, s.names.subject(m.Subject), gone...).Err()
	}
}

// ByJTI returns the sid of the session that a refresh token with this jti belongs
// to, whether or not it was spent since; ErrNotFound when it is no refresh token of
// ours, or past its life.
func (s *Store) ByJTI(ctx context.Context, jti string) (string, error) {
	sid, err := s.client.Get(ctx, s.names.jti(jti)).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return "", ErrNotFound
	case err != nil:
		return "", unavailable("find jti", err)
	}
	return sid, nil
}
