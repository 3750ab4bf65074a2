package main

import (
	"context"

	"tollgate/issuer/users"
)

// openUsers opens the directory of TOLLGATE_USERS. The sessions are open already:
// a change of a users file ends some.
func (a *app) openUsers() error {
	c, l := a.config, &a.config.Login
	hasher := users.NewHasher(l.Concurrency.Value)
	switch source := l.Users.Value; {
	case source.File != "":
		f, err := users.OpenFile(source.File, hasher, users.FileConfig{LoginByEmail: l.byEmail(), Ended: a.endUser, Log: a.log})
		if err != nil {
			return &exitError{exitUsage, err}
		}
		a.directory, a.usersLoop = f, f.Run
	case source.URL != "":
		back := l.backEnd()
		back.Log = a.log
		back.Kept = users.NewKept(a.redis.Slow, c.Redis.Prefix.Value, c.Tokens.SessionMaxTTL.Value+c.Tokens.Leeway.Value)
		d, err := users.NewHTTP(back)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		a.directory = d
		a.closeOthers = append(a.closeOthers, d.Close)
	default:
		a.users = users.NewRedisWith(a.redis.Slow, c.Redis.Prefix.Value, hasher, users.Settings{
			LoginByEmail: l.byEmail(), Log: a.log,
		})
		a.directory = a.users
		if l.byEmail() {
			a.usersLoop = a.indexEmails
		}
	}
	return nil
}

// endUser ends the sessions of a user whom the users file changed or dropped.
func (a *app) endUser(ctx context.Context, u users.User) error {
	_, err := a.sessions.EndAll(ctx, u.ID, "the users file was changed", "users file")
	return err
}

// indexEmails enters the addresses that users shared before log-in went by e-mail and
// have for themselves now, once at each start.
func (a *app) indexEmails(ctx context.Context) error {
	shared, err := a.users.Reindex(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		a.log.Error("the index of e-mail addresses could not be completed: users who are not in it cannot log in by e-mail until the next start", "error", err)
	case len(shared) > 0:
		a.log.Warn("users share their e-mail address with somebody and cannot log in by it", "users", len(shared), "ids", shared[:min(len(shared), 20)])
	}
	return nil
}
