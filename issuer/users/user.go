package users

import "time"

// User is what a log-in yields. It is a value without the password or its hash.
type User struct {
	ID       string // becomes the token's sub; 1 to 255 bytes
	Username string // case-sensitive
	Email    string // may be empty

	// Attributes hold whatever else is known, for claims. They went through JSON:
	// a number is a json.Number, so that a large integer keeps its digits.
	Attributes map[string]any

	IsActive    bool // an inactive user cannot log in
	IsStaff     bool
	IsSuperuser bool
	MustChange  bool // must set another password before logging in

	// Times are the store's clock, in microseconds, UTC.
	LastLogin       time.Time // zero: never, or not recorded
	PasswordChanged time.Time
	Created         time.Time
}

// own names the attributes that are fields of User. A key of Attributes with such
// a name could never be read, so none is accepted.
var own = [...]string{"id", "username", "email", "is_active", "is_staff", "is_superuser", "last_login"}

// Attribute returns the value that a claim is filled from: id, username, email,
// is_active, is_staff, is_superuser, last_login (RFC 3339 in UTC, or nil when the
// user never logged in), or a key of Attributes. It reports false for a name that
// is none of these.
func (u User) Attribute(name string) (any, bool) {
	switch name {
	case "id":
		return u.ID, true
	case "username":
		return u.Username, true
	case "email":
		return u.Email, true
	case "is_active":
		return u.IsActive, true
	case "is_staff":
		return u.IsStaff, true
	case "is_superuser":
		return u.IsSuperuser, true
	case "last_login":
		if u.LastLogin.IsZero() {
			return nil, true
		}
		return u.LastLogin.UTC().Format(time.RFC3339), true
	}
	v, ok := u.Attributes[name]
	return v, ok
}
