package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

// maxList is how many sessions of one subject List returns, those that live longest.
const maxList = 1000

// Get returns a session, with what the revocations say of it, or ErrNotFound.
func (s *Store) Get(ctx context.Context, sid string) (Session, error) {
	fields, err := s.client.HGetAll(ctx, s.names.session(sid)).Result()
	if err != nil {
		return Session{}, unavailable("read session", err)
	}
	if len(fields) == 0 {
		return Session{}, ErrNotFound
	}
	return s.show(ctx, sid, fields)
}

// List returns the sessions of a subject, and those in which it acts for another
// (Session.Impersonator), the newest first: live ones, and for the
// rest of their life those that were ended. At most 1000.
func (s *Store) List(ctx context.Context, subject string) ([]Session, error) {
	key := s.names.subject(subject)
	sids, err := s.client.ZRevRange(ctx, key, 0, maxList-1).Result()
	if err != nil {
		return nil, unavailable("list sessions", err)
	}
	pipe := s.client.Pipeline()
	records := make([]*redis.MapStringStringCmd, len(sids))
	for i, sid := range sids {
		records[i] = pipe.HGetAll(ctx, s.names.session(sid))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable("read sessions", err)
	}
	var gone []any
	list := make([]Session, 0, len(sids))
	for i, sid := range sids {
		fields := records[i].Val()
		if len(fields) == 0 {
			gone = append(gone, sid)
			continue
		}
		session, err := s.show(ctx, sid, fields)
		if err != nil {
			return nil, err
		}
		list = append(list, session)
	}
	if len(gone) > 0 { // a sid never comes back
		_ = s.client.ZRem(ctx, key, gone...).Err()
	}
	slices.SortStableFunc(list, func(a, b Session) int {
		first, _ := Birth(a.SID) // finer than Created
		second, _ := Birth(b.SID)
		return cmp.Compare(second, first)
	})
	return list, nil
}

// show reads a record, completes its end if it is ending, and asks the revocations
// about a live one: a cut-off ends it without touching its record.
func (s *Store) show(ctx context.Context, sid string, fields map[string]string) (Session, error) {
	session, err := parseSession(sid, fields)
	if err != nil {
		return Session{}, err
	}
	switch session.State {
	case StateEnding:
		if s.end(ctx, sid, reasonSweep, actorSelf) == nil {
			session.State = StateEnded
		}
	case StateLive:
		switch s.standing(ctx, sid, session.Subject, session.Impersonator, session.ImpersonatorSID).State {
		case revocation.Clear:
		case revocation.Revoked:
			session.State = StateRevoked
		default:
			session.State = StateUnknown
		}
	}
	return session, nil
}

func parseSession(sid string, fields map[string]string) (Session, error) {
	session := Session{
		SID: sid, Subject: fields["sub"], Username: fields["name"], Address: fields["addr"], Agent: fields["agent"],
		State: fields["state"], Reason: fields["why"], Actor: fields["who"],
		Impersonator: fields["act"], ImpersonatorSID: fields["act_sid"],
	}
	if session.State == "" {
		session.State = StateLive
	}
	n := map[string]int64{}
	for _, field := range [...]string{"created", "used", "ends", "gen", "over"} {
		text, ok := fields[field]
		if !ok {
			continue
		}
		var err error
		if n[field], err = strconv.ParseInt(text, 10, 64); err != nil {
			return Session{}, fmt.Errorf("session: record of %s: %s: %w", sid, field, err)
		}
	}
	session.Created, session.LastRefresh, session.ExpiresAt = moment(n["created"]), moment(n["used"]), moment(n["ends"])
	session.Generation, session.EndedAt = n["gen"], moment(n["over"])
	var err error
	if session.Minted, err = pairsOf(fields, session.Generation); err == nil {
		session.Line, err = lineOf(fields, &session)
	}
	if err != nil {
		return Session{}, fmt.Errorf("session: record of %s: %w", sid, err)
	}
	return session, nil
}

// pairsOf reads the pairs of a record. A session that was never refreshed has one.
func pairsOf(fields map[string]string, generation int64) ([]Minted, error) {
	var out []Minted
	for _, one := range [...]struct {
		name    string // of the fields, less their last letter
		refresh bool
		behind  int64 // generations
	}{{"r", true, 0}, {"a", false, 0}, {"pr", true, 1}, {"pa", false, 1}} {
		jti := fields[one.name+"j"]
		if jti == "" {
			continue
		}
		m := Minted{Stamp: Stamp{JTI: jti}, Refresh: one.refresh, Generation: generation - one.behind}
		for field, into := range map[string]*time.Time{one.name + "i": &m.IssuedAt, one.name + "x": &m.ExpiresAt} {
			n, err := strconv.ParseInt(fields[field], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", field, err)
			}
			*into = moment(n)
		}
		out = append(out, m)
	}
	return out, nil
}
