package users

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxNameRunes      = 150      // Django's limit, so that imported names fit
	maxIDBytes        = 255      // the longest sub that a verifier takes
	maxEmailBytes     = 254      // RFC 5321, 4.5.3.1.3, less the angle brackets
	maxPasswordBytes  = 4096     // hashing must not be fed megabytes
	maxAttributeBytes = 64 << 10 // as JSON; a token is far smaller
)

// New is a user to be created. Its String leaves the password out.
type New struct {
	Username string // 1 to 150 characters, no control characters, no white space at either end
	Password string // 1 to 4096 bytes, no white space at either end; ignored with NoPassword
	// PasswordHash is taken over as it is instead of a password, and made anew when
	// the password is next seen. CheckHash says which are taken.
	PasswordHash string
	ID           string // empty: the next integer, as text
	Email        string
	// Attributes must encode to JSON and must not repeat a name that
	// User.Attribute knows itself.
	Attributes map[string]any

	IsActive    bool
	IsStaff     bool
	IsSuperuser bool
	NoPassword  bool // the user cannot log in until a password is set
	MustChange  bool // the user cannot log in until the password is changed

	LastLogin time.Time // zero: never; from the system that the user comes from
}

// String names the user without the password.
func (n New) String() string { return fmt.Sprintf("new user %q", n.Username) }

// GoString is String, so that %#v does not print the password either.
func (n New) GoString() string { return n.String() }

// LogValue is String, for slog.
func (n New) LogValue() slog.Value { return slog.StringValue(n.String()) }

// Validate reports the first fault as ErrInvalid, and never repeats the password.
func (n New) Validate() error {
	if err := validName(n.Username); err != nil {
		return err
	}
	if n.ID != "" {
		if err := validText("id", n.ID, maxIDBytes); err != nil {
			return err
		}
		if n.ID != strings.TrimSpace(n.ID) {
			return fmt.Errorf("%w: id starts or ends with white space", ErrInvalid)
		}
	}
	if err := validText("email", n.Email, maxEmailBytes); err != nil {
		return err
	}
	if err := n.validPassword(); err != nil {
		return err
	}
	_, err := encodeAttributes(n.Attributes)
	return err
}

func (n New) validPassword() error {
	switch {
	case n.NoPassword:
		return nil
	case n.PasswordHash == "":
		return validPassword(n.Password)
	case n.Password != "":
		return fmt.Errorf("%w: there is a password and a password hash", ErrInvalid)
	}
	return CheckHash(n.PasswordHash)
}

// validName refuses white space at the ends because every log-in form trims it:
// such a user could never log in.
func validName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: username is empty", ErrInvalid)
	case utf8.RuneCountInString(name) > maxNameRunes:
		return fmt.Errorf("%w: username is longer than %d characters", ErrInvalid, maxNameRunes)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%w: username starts or ends with white space", ErrInvalid)
	}
	return validText("username", name, utf8.UTFMax*maxNameRunes)
}

// reachable refuses the two names that a path can hardly have: browsers, most clients and
// proxies in between take them for a step (RFC 3986, 5.2.4), written with a percent sign
// too. Such a user could be made and not be disabled.
func (n New) reachable() error {
	if n.Username == "." || n.Username == ".." {
		return fmt.Errorf("%w: username is %s, which stands for a step in every path", ErrInvalid, n.Username)
	}
	return nil
}

func validText(what, s string, limit int) error {
	switch {
	case len(s) > limit:
		return fmt.Errorf("%w: %s is longer than %d bytes", ErrInvalid, what, limit)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: %s is not UTF-8", ErrInvalid, what)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%w: %s has a control character", ErrInvalid, what)
	}
	return nil
}

// validPassword says what is wrong without a word of the password. White space at
// the ends is refused for the same reason as in a name.
func validPassword(password string) error {
	switch {
	case password == "":
		return fmt.Errorf("%w: password is empty", ErrInvalid)
	case len(password) > maxPasswordBytes:
		return fmt.Errorf("%w: password is longer than %d bytes", ErrInvalid, maxPasswordBytes)
	case strings.TrimSpace(password) != password:
		return fmt.Errorf("%w: password starts or ends with white space", ErrInvalid)
	case strings.ContainsRune(password, 0):
		return fmt.Errorf("%w: password has a null character", ErrInvalid)
	}
	return nil
}

// encodeAttributes returns the JSON that is stored: an object, "{}" for none.
func encodeAttributes(attributes map[string]any) ([]byte, error) {
	for name := range attributes {
		if name == "" || slices.Contains(own[:], name) {
			return nil, fmt.Errorf("%w: attribute name %q is reserved", ErrInvalid, name)
		}
		if err := validText("attribute name", name, maxIDBytes); err != nil {
			return nil, err
		}
	}
	if len(attributes) == 0 {
		return []byte("{}"), nil
	}
	data, err := json.Marshal(attributes)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: attributes do not encode to JSON", ErrInvalid)
	case len(data) > maxAttributeBytes:
		return nil, fmt.Errorf("%w: attributes take more than %d bytes", ErrInvalid, maxAttributeBytes)
	}
	return data, nil
}

func decodeAttributes(data []byte) (map[string]any, error) {
	attributes := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&attributes); err != nil {
		return nil, fmt.Errorf("decode attributes: %w", err)
	}
	return attributes, nil
}

// DecodeAttributes reads attributes from a JSON object as they are kept: a number
// stays the digits that it was written with.
func DecodeAttributes(data []byte) (map[string]any, error) { return decodeAttributes(data) }
