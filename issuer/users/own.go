package users

import (
	"context"
	"errors"
	"fmt"
)

// ChangePassword gives the user with this id another password, for whoever knows
// the old one. ErrCredentials answers a wrong old password, a user who is not
// there, is not active, or whose password was changed by somebody else meanwhile;
// ErrInvalid a new password that cannot be stored. A password that had to be
// changed is changed by it. Sessions that stand are the caller's to end, after this,
// and after ErrUnsettled, too.
func (r *Redis) ChangePassword(ctx context.Context, id, password, next string) (User, error) {
	return r.change(ctx, func(ctx context.Context) (record, error) { return r.byID(ctx, id) }, password, next)
}

// ChangeAtLogin is ChangePassword by what the user logs in with, for one who has to
// change the password before there can be a log-in.
func (r *Redis) ChangeAtLogin(ctx context.Context, login, password, next string) (User, error) {
	return r.change(ctx, r.byLogin(login), password, next)
}

func (r *Redis) change(ctx context.Context, find func(context.Context) (record, error), password, next string) (User, error) {
	if err := validPassword(next); err != nil {
		return User{}, err
	}
	rec, _, err := r.prove(ctx, find, password)
	if err != nil {
		return User{}, err
	}
	hash, err := r.hasher.Hash(ctx, next)
	if err != nil {
		return User{}, err
	}
	// Only while the old password stands: of two changes at once, one wins.
	err = r.write(ctx, rec, fieldChanged, rec.password, fieldPassword, hash, fieldMustChange, flag(false))
	switch {
	case errors.Is(err, ErrNotFound):
		return User{}, ErrCredentials
	case errors.Is(err, ErrUnavailable):
		return User{}, fmt.Errorf("%w: %w", ErrUnsettled, err)
	case err != nil:
		return User{}, err
	}
	u, err := r.ByID(ctx, rec.user.ID)
	if err != nil {
		return User{}, fmt.Errorf("%w: %w", ErrUnsettled, err)
	}
	return u, nil
}
