package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

// endTime bounds one end. It runs to its end even when the client that caused it
// has gone: whoever replays a spent token must not be able to stop what follows.
const endTime = 5 * time.Second

// End ends a session: refresh is refused, and every token minted for it is revoked.
// Ending again changes nothing, and completes what was left half done. A sid without
// a record is revoked all the same, for the longest life a session can have. After
// ErrUnavailable the session may be half-ended: the sweep completes it, or asking
// again does.
func (s *Store) End(ctx context.Context, sid, why, who string) error {
	if sid == "" || len(sid) > maxSubject {
		return fmt.Errorf("%w: sid", ErrInvalid)
	}
	return s.end(ctx, sid, why, who)
}

// EndAll ends every session that the subject has up to now, by one cut-off. Sessions
// that begin after it are not touched, not even in the same second.
func (s *Store) EndAll(ctx context.Context, subject, why, who string) (revocation.Revocation, error) {
	if subject == "" || len(subject) > maxSubject {
		return revocation.Revocation{}, fmt.Errorf("%w: subject", ErrInvalid)
	}
	r, err := s.rev.Revoke(ctx, revocation.Order{
		Kind: revocation.KindSubject, Issuer: s.issuer, Value: subject, Subject: subject,
		Reason: clip(why, maxReason), Actor: clip(who, maxReason),
	})
	if err != nil {
		return revocation.Revocation{}, unavailable("revoke subject", err)
	}
	return r, nil
}

// end takes a session through the protocol, from whatever step it stands at.
func (s *Store) end(ctx context.Context, sid, why, who string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err := s.register(ctx, sid); err != nil {
		s.suspect(sid)
		return err
	}
	order, err := s.mark(ctx, sid, why, who)
	if err != nil {
		return err
	}
	if _, err := s.rev.Revoke(ctx, order); err != nil {
		return unavailable("revoke session", err)
	}
	return s.finish(ctx, sid)
}

// register enters the session for the sweep, before anything else is done.
func (s *Store) register(ctx context.Context, sid string) error {
	err := s.script.register.Run(ctx, s.client, []string{s.names.ending()}, sid, seconds(s.settings.keep())).Err()
	if err != nil {
		return unavailable("register end", err)
	}
	return nil
}

// mark makes the session ending, from where nothing leads back, and returns the
// revocation that is to follow. The reason of the first mark stays.
func (s *Store) mark(ctx context.Context, sid, why, who string) (revocation.Order, error) {
	order := revocation.Order{
		Kind: revocation.KindSession, Issuer: s.issuer, Value: sid,
		Reason: clip(why, maxReason), Actor: clip(who, maxReason),
	}
	held, err := s.script.mark.Run(ctx, s.client, []string{s.names.session(sid)}, order.Reason, order.Actor).StringSlice()
	if err != nil {
		return order, unavailable("mark ending", err)
	}
	if len(held) == 0 { // no record: revoked for the longest life of the kind
		return order, nil
	}
	if len(held) != 5 {
		return order, fmt.Errorf("session: script returned %d values", len(held))
	}
	ends, err := strconv.ParseInt(held[1], 10, 64)
	if err != nil {
		return order, fmt.Errorf("session: end of session: %w", err)
	}
	order.ExpiresAt, order.Subject, order.Reason, order.Actor = moment(ends), held[2], held[3], held[4]
	return order, nil
}

// finish notes that the revocation is in force, and that the sweep need not look.
func (s *Store) finish(ctx context.Context, sid string) error {
	if err := s.script.finish.Run(ctx, s.client, []string{s.names.session(sid)}).Err(); err != nil {
		return unavailable("mark ended", err)
	}
	if err := s.client.ZRem(ctx, s.names.ending(), sid).Err(); err != nil {
		return unavailable("unregister end", err)
	}
	return nil
}

// complete ends a session that is ending, and leaves every other alone.
func (s *Store) complete(ctx context.Context, sid string) error {
	state, err := s.state(ctx, sid)
	if err != nil || state != StateEnding {
		return err
	}
	return s.end(ctx, sid, reasonSweep, actorSelf)
}

// state returns the record's state; "" for a live session and for none.
func (s *Store) state(ctx context.Context, sid string) (string, error) {
	state, err := s.client.HGet(ctx, s.names.session(sid), "state").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", unavailable("read state", err)
	}
	return state, nil
}
