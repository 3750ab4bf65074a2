package users

import (
	"fmt"
	"strconv"
	"time"
)

// record is a user as Redis holds it. It is never printed: it carries the hash.
type record struct {
	user     User
	password string
	claim    string
	pending  bool
}

func (rec record) owner() owner { return owner{claim: rec.claim, id: rec.user.ID} }

// String keeps the hash out of whatever prints a record by accident.
func (rec record) String() string { return fmt.Sprintf("record of user %q", rec.user.ID) }

// GoString is String, for %#v.
func (rec record) GoString() string { return rec.String() }

// parseRecord reads the fields of a record; ErrNotFound when there are none.
func parseRecord(fields map[string]string) (record, error) {
	if len(fields) == 0 {
		return record{}, ErrNotFound
	}
	rec := record{
		password: fields[fieldPassword], claim: fields[fieldClaim], pending: fields[fieldPending] != "",
		user: User{
			ID: fields[fieldID], Username: fields[fieldUsername], Email: fields[fieldEmail],
			IsActive: fields[fieldActive] == "1", IsStaff: fields[fieldStaff] == "1",
			IsSuperuser: fields[fieldSuperuser] == "1", MustChange: fields[fieldMustChange] == "1",
		},
	}
	var err error
	if rec.user.Attributes, err = decodeAttributes([]byte(fields[fieldAttributes])); err != nil {
		return record{}, fmt.Errorf("users: user %q: %w", rec.user.ID, err)
	}
	for field, t := range map[string]*time.Time{
		fieldCreated: &rec.user.Created, fieldChanged: &rec.user.PasswordChanged, fieldLastLogin: &rec.user.LastLogin,
	} {
		if *t, err = parseMicros(fields[field]); err != nil {
			return record{}, fmt.Errorf("users: user %q: %s: %w", rec.user.ID, field, err)
		}
	}
	return rec, nil
}

// parseMicros reads store time; "" is the zero time.
func parseMicros(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(n).UTC(), nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
