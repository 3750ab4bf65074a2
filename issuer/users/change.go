package users

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Patch says what to change of a user; a nil field stays as it is. Attributes are
// replaced as a whole. Its String leaves the password out.
type Patch struct {
	Email       *string
	Attributes  map[string]any
	IsActive    *bool
	IsStaff     *bool
	IsSuperuser *bool
	// Password replaces the user's, dates the change and ends MustChange unless that
	// is set beside it.
	Password   *string
	MustChange *bool
}

// String says nothing of what is in the patch.
func (p Patch) String() string { return "change of a user" }

// GoString is String, for %#v.
func (p Patch) GoString() string { return p.String() }

// LogValue is String, for slog.
func (p Patch) LogValue() slog.Value { return slog.StringValue(p.String()) }

// EndsSessions reports whether sessions that stand must not outlive the change:
// another password, a user who may not log in any more, or has to change the
// password first.
func (p Patch) EndsSessions() bool {
	return p.Password != nil || p.IsActive != nil && !*p.IsActive || p.MustChange != nil && *p.MustChange
}

// fields reports the first fault as ErrInvalid, and never repeats the password.
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
	if p.Password != nil {
		if err := validPassword(*p.Password); err != nil {
			return nil, err
		}
		if p.MustChange == nil {
			p.MustChange = new(bool)
		}
	}
	for _, f := range []struct {
		field string
		value *bool
	}{{fieldActive, p.IsActive}, {fieldStaff, p.IsStaff}, {fieldSuperuser, p.IsSuperuser}, {fieldMustChange, p.MustChange}} {
		if f.value != nil {
			fields = append(fields, f.field, flag(*f.value))
		}
	}
	return fields, nil
}

// Update changes a user in one step and returns it as it is then, or ErrNotFound,
// ErrInvalid, ErrExists (the e-mail address), ErrBusy. Sessions that stand are the
// caller's to end, after this: Patch.EndsSessions says whether.
func (r *Redis) Update(ctx context.Context, name string, p Patch) (User, error) {
	fields, err := p.fields()
	if err != nil {
		return User{}, err
	}
	rec, err := r.byName(ctx, name)
	if err != nil {
		return User{}, err
	}
	stamp := ""
	if p.Password != nil {
		hash, err := r.hasher.Hash(ctx, *p.Password)
		if err != nil {
			return User{}, err
		}
		stamp, fields = fieldChanged, append(fields, fieldPassword, hash)
	}
	if p.Email != nil && fold(*p.Email) != fold(rec.user.Email) {
		err = r.move(ctx, rec, *p.Email, stamp, fields)
	} else {
		err = r.write(ctx, rec, stamp, "", fields...)
	}
	if err != nil {
		return User{}, err
	}
	return r.ByID(ctx, rec.user.ID)
}

// move writes a change that gives the user another e-mail address. The address is
// claimed before and, with another stamp, once more after: until the record has it,
// whoever else wants it takes the claim for a stale one.
func (r *Redis) move(ctx context.Context, rec record, email, stamp string, fields []any) error {
	me := rec.owner()
	me.stamp = nonce()
	if err := r.takeEmail(ctx, me, email); err != nil {
		return err
	}
	if err := r.write(ctx, rec, stamp, "", fields...); err != nil {
		_ = r.dropEmail(ctx, me, email) // where it cannot be reached, it points to nobody
		return err
	}
	me.stamp = nonce()
	if err := r.takeEmail(ctx, me, email); errors.Is(err, ErrExists) {
		return errors.Join(err, r.moveBack(ctx, rec))
	} else if err != nil {
		return err
	}
	return r.dropEmail(ctx, me, rec.user.Email)
}

// moveBack gives the user the former e-mail address again, or none when somebody was
// quick enough to get that one meanwhile.
func (r *Redis) moveBack(ctx context.Context, rec record) error {
	if err := r.write(ctx, rec, "", "", fieldEmail, rec.user.Email); err != nil {
		return err
	}
	me := rec.owner()
	me.stamp = nonce()
	if err := r.takeEmail(ctx, me, rec.user.Email); errors.Is(err, ErrExists) {
		return errors.Join(errors.New("the former address is another's by now"), r.write(ctx, rec, "", "", fieldEmail, ""))
	} else if err != nil {
		return err
	}
	return nil
}

// RecordLogin dates the user's last log-in with the store's clock; ErrNotFound.
func (r *Redis) RecordLogin(ctx context.Context, id string) error {
	rec, err := r.byID(ctx, id)
	if err != nil {
		return err
	}
	return r.write(ctx, rec, fieldLastLogin, "")
}

// Remove deletes the user; ErrNotFound when there is none. Sessions that stand are
// the caller's to end. An id is not given again by itself.
func (r *Redis) Remove(ctx context.Context, name string) error {
	rec, err := r.byName(ctx, name)
	if err != nil {
		return err
	}
	return r.forget(ctx, name, rec.user.Email, rec.owner())
}

// write changes fields of a record in one step: while hash still stands there, if
// that is not empty. stamp names a field that gets the store's time, or is empty.
func (r *Redis) write(ctx context.Context, rec record, stamp, hash string, fields ...any) error {
	args := append([]any{rec.claim, stamp, hash}, fields...)
	ok, err := r.script.update.Run(ctx, r.client, []string{r.names.user(rec.user.ID)}, args...).Int()
	switch {
	case err != nil:
		return unavailable("change user", err)
	case ok == 0: // removed since it was read
		return fmt.Errorf("%w: removed or changed meanwhile", ErrNotFound)
	}
	return nil
}
