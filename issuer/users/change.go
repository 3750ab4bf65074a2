package users

import (
	"context"
	"fmt"
)

// Patch says what to change of a user; a nil field stays as it is. Attributes are
// replaced as a whole.
type Patch struct {
	Email       *string
	Attributes  map[string]any
	IsActive    *bool
	IsStaff     *bool
	IsSuperuser *bool
}

func (p Patch) fields() ([]any, error) {
	var fields []any
	if p.Email != nil {
		if err := validText("email", *p.Email, maxEmailBytes); err != nil {
			return nil, err
		}
		fields = append(fields, fieldEmail, *p.Email)
	}
	if p.Attributes != nil {
		data, err := encodeAttributes(p.Attributes)
		if err != nil {
			return nil, err
		}
		fields = append(fields, fieldAttributes, data)
	}
	for _, f := range []struct {
		field string
		value *bool
	}{{fieldActive, p.IsActive}, {fieldStaff, p.IsStaff}, {fieldSuperuser, p.IsSuperuser}} {
		if f.value != nil {
			fields = append(fields, f.field, flag(*f.value))
		}
	}
	return fields, nil
}

// Update changes a user and returns it as it is then, or ErrNotFound, ErrInvalid.
func (r *Redis) Update(ctx context.Context, name string, p Patch) (User, error) {
	fields, err := p.fields()
	if err != nil {
		return User{}, err
	}
	return r.update(ctx, name, "", fields...)
}

// Disable keeps the user from logging in; ErrNotFound when there is none. Sessions
// that stand are the caller's to end.
func (r *Redis) Disable(ctx context.Context, name string) error {
	_, err := r.update(ctx, name, "", fieldActive, flag(false))
	return err
}

// Enable lets the user log in again; ErrNotFound when there is none.
func (r *Redis) Enable(ctx context.Context, name string) error {
	_, err := r.update(ctx, name, "", fieldActive, flag(true))
	return err
}

// SetPassword gives the user another password and dates the change; ErrNotFound,
// ErrInvalid, ErrBusy. Sessions that stand are the caller's to end.
func (r *Redis) SetPassword(ctx context.Context, name, password string) error {
	if err := validPassword(password); err != nil {
		return err
	}
	if _, err := r.byName(ctx, name); err != nil {
		return err
	}
	hash, err := r.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = r.update(ctx, name, fieldChanged, fieldPassword, hash)
	return err
}

// RecordLogin dates the user's last log-in with the store's clock; ErrNotFound.
func (r *Redis) RecordLogin(ctx context.Context, id string) error {
	rec, err := r.byID(ctx, id)
	if err != nil {
		return err
	}
	return r.write(ctx, rec, fieldLastLogin)
}

// Remove deletes the user; ErrNotFound when there is none. Sessions that stand are
// the caller's to end. An id is not given again by itself.
func (r *Redis) Remove(ctx context.Context, name string) error {
	rec, err := r.byName(ctx, name)
	if err != nil {
		return err
	}
	return r.forget(ctx, name, rec.user.ID, rec.claim)
}

func (r *Redis) update(ctx context.Context, name, stamp string, fields ...any) (User, error) {
	rec, err := r.byName(ctx, name)
	if err != nil {
		return User{}, err
	}
	if err := r.write(ctx, rec, stamp, fields...); err != nil {
		return User{}, err
	}
	return r.ByID(ctx, rec.user.ID)
}

func (r *Redis) write(ctx context.Context, rec record, stamp string, fields ...any) error {
	args := append([]any{rec.claim, stamp, ""}, fields...)
	ok, err := r.script.update.Run(ctx, r.client, []string{r.names.user(rec.user.ID)}, args...).Int()
	switch {
	case err != nil:
		return unavailable("change user", err)
	case ok == 0: // removed since it was read
		return fmt.Errorf("%w: removed meanwhile", ErrNotFound)
	}
	return nil
}
