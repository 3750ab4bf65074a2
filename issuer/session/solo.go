package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/revocation"
)

// Solo says what a session of one token is: there is no refresh token. In its Pair
// Refresh and Access are the same stamp.
type Solo struct {
	// Life of the token where it is shorter than Settings.AccessTTL; zero: that.
	Life time.Duration
	// UUID writes the jti as a UUID (RFC 9562 section 4) in place of 32 digits.
	UUID bool
	// Renews lets Renew mint further tokens, for as long as the last one lives.
	Renews bool
	// Actor is the subject who acts with the token in the name of Start.Subject, and
	// ActorSID the log-in from which, "" where there is none. The session stands in the
	// lists of both, and does not outlive that log-in: a revocation of it must last as
	// long as what it ends. Renews means nothing beside it. Empty: nobody.
	Actor, ActorSID string
}

// StartSolo begins a session of one token. Errors are those of Start; ErrEnded also
// says that the actor's own log-in was ended, ErrLost that it has no record.
func (s *Store) StartSolo(ctx context.Context, start Start, solo Solo) (Pair, error) {
	if start.Birth <= 0 || start.Subject == "" || len(start.Subject) > maxSubject || len(solo.Actor) > maxSubject || solo.Life < 0 {
		return Pair{}, fmt.Errorf("%w: a session needs a birth and subjects of at most %d bytes", ErrInvalid, maxSubject)
	}
	sid := NewID(start.Birth)
	if err := check(s.standing(ctx, sid, start.Subject, solo.Actor, solo.ActorSID)); err != nil {
		return Pair{}, err
	}
	set := s.settings
	life := set.AccessTTL
	if solo.Life > 0 {
		life = min(life, solo.Life)
	}
	limit, err := s.actorEnds(ctx, solo.ActorSID)
	if err != nil {
		return Pair{}, err
	}
	renews := ""
	if solo.Renews && solo.Actor == "" {
		renews = "1"
	}
	reply, err := s.script.solo.Run(ctx, s.client, []string{s.names.session(sid)},
		soloJTI(solo.UUID), seconds(life), seconds(set.MaxTTL), set.leeway(),
		start.Subject, clip(start.Username, maxUsername), clip(start.Address, maxAddress), clip(start.Agent, maxAgent),
		renews, solo.Actor, solo.ActorSID, limit,
	).StringSlice()
	if err != nil {
		return Pair{}, unavailable("start", err)
	}
	if len(reply) == 1 && reply[0] == outcomeExpired {
		return Pair{}, ErrExpired
	}
	m, err := parseMinted(sid, reply)
	if err != nil {
		return Pair{}, err
	}
	if err := errors.Join(s.track(ctx, m), s.trackActor(ctx, m, solo.Actor)); err != nil {
		return Pair{}, err
	}
	s.prune(ctx, m)
	return m.Pair, nil
}

// Renew mints a further token for the session that a verified token of it names. The
// token that is presented stays valid. In the Pair Access is the new token, with a
// UUID for its jti, and Refresh the first one of the session. Errors are those of
// Rotate, without ErrReuse: nothing is spent.
func (s *Store) Renew(ctx context.Context, sid, jti string, opts ...Option) (Pair, error) {
	birth, ok := Birth(sid)
	if !ok {
		return Pair{}, fmt.Errorf("%w: not an id of ours", ErrLost)
	}
	p, err := s.admit(ctx, sid, birth, jti, opts)
	if err != nil {
		return Pair{}, err
	}
	set := s.settings
	reply, err := s.script.renew.Run(ctx, s.client, []string{s.names.session(sid)},
		p.subject, newUUID(), seconds(set.AccessTTL), seconds(set.MaxTTL), set.leeway(),
	).StringSlice()
	if err != nil {
		return Pair{}, unavailable("renew", err)
	}
	return s.outcome(ctx, sid, reply)
}

func soloJTI(uuid bool) string {
	if uuid {
		return newUUID()
	}
	return newJTI()
}

// standing asks whether a session still holds: itself and, where somebody acts in its
// subject's name, the log-in of that actor, by its own birth.
func (s *Store) standing(ctx context.Context, sid, subject, actor, actorSID string) revocation.Verdict {
	birth, _ := Birth(sid)
	v := s.rev.Check(ctx, s.token(sid, birth, subject))
	if actor == "" || v.State != revocation.Clear {
		return v
	}
	if born, ok := Birth(actorSID); ok {
		birth = born
	}
	return s.rev.Check(ctx, s.token(actorSID, birth, actor))
}

// actorEnds is when the last token of an actor's log-in expires, in unix seconds; ""
// for an actor without one. It only ever becomes later.
func (s *Store) actorEnds(ctx context.Context, sid string) (string, error) {
	if sid == "" {
		return "", nil
	}
	held, err := s.client.HMGet(ctx, s.names.session(sid), "ends", "state").Result()
	if err != nil {
		return "", unavailable("read the actor's session", err)
	}
	ends, _ := held[0].(string)
	switch {
	case ends == "":
		return "", fmt.Errorf("%w: the actor's log-in", ErrLost)
	case held[1] != nil:
		return "", fmt.Errorf("%w: the actor's log-in", ErrEnded)
	}
	return ends, nil
}

// trackActor lists the session among its actor's, too.
func (s *Store) trackActor(ctx context.Context, m minted, actor string) error {
	if actor == "" {
		return nil
	}
	m.Subject = actor
	return s.track(ctx, m)
}
