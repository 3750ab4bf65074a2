package issuer

import (
	"context"
	"errors"

	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// viaPublic says in the audit log that it came over the public listener.
const viaPublic = "public"

// note tells the audit log of what has happened on a row. It neither waits nor fails.
func (i *Issuer) note(c *call, l store.Line) {
	if i.Audit == nil {
		return
	}
	l.Remote, l.RequestID, l.Via = address(c), c.record.RequestID, viaPublic
	if l.Outcome == "" {
		l.Outcome = store.OutcomeDone
	}
	i.Audit(l)
}

// loggedIn notes a log-in.
func (i *Issuer) loggedIn(c *call, u users.User, sid string) {
	i.note(c, store.Line{Action: "login", Actor: u.Username, ActorID: u.ID, Session: sid, Kind: "user", Target: u.Username})
}

// ended notes that a token's session, or a token without one, was ended by its holder.
func (i *Issuer) ended(c *call, id *token.Identity, source string) {
	l := store.Line{Action: "session.end", Kind: "session", Target: id.SID, Detail: source}
	if id.SID == "" {
		l.Action, l.Kind, l.Target = "token.revoke", "jti", id.JTI
	}
	i.note(c, by(l, id))
}

// by fills in who holds a token: who acts, where somebody acts for another.
func by(l store.Line, id *token.Identity) store.Line {
	l.Actor, l.ActorID, l.Session = actor(id), id.Subject, id.SID
	if id.Actor != "" {
		l.ActorID = id.Actor
	}
	return l
}

// knower is a directory that can tell whether there is such a user, at the same cost
// either way. One that is asked over HTTP cannot.
type knower interface {
	Knows(ctx context.Context, login string) bool
}

// auditAttempt leaves a line about refused credentials: who was tried from where, never
// with what. A name that nobody has is not kept: people type passwords there.
func (i *Issuer) auditAttempt(c *call, action, name string, err error) {
	if !errors.Is(err, users.ErrCredentials) {
		return
	}
	if k, can := i.Users.(knower); !can || !k.Knows(c.r.Context(), name) {
		i.auditFailure(c, action, "", "unknown_user")
		return
	}
	i.auditFailure(c, action, name, "credentials")
}

func (i *Issuer) auditFailure(c *call, action, name, why string) {
	i.Log.Warn("a log-in was refused", "username", clip(name), "remote", address(c), "why", why, "route", c.record.Route, "request_id", c.record.RequestID)
	i.note(c, store.Line{Action: action, Actor: clip(name), Kind: "user", Target: clip(name), Outcome: store.OutcomeRefused, Detail: why})
}

// audit leaves a line about who acts as whom.
func (i *Issuer) audit(c *call, what, action, sid string, actor, user person) {
	i.Log.Info(what, "actor", actor.name, "actor_sub", actor.id, "user", user.name, "sub", user.id,
		"sid", sid, "remote", c.record.Remote, "route", c.record.Route, "request_id", c.record.RequestID)
	i.note(c, store.Line{Action: action, Actor: actor.name, ActorID: actor.id, Session: sid, Kind: "user", Target: user.name})
}
