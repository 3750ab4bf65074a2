package revocation

import "errors"

var (
	// ErrNotFound says that no statement of that id is kept: it never was, or its
	// life has passed.
	ErrNotFound = errors.New("revocation not found")
	// ErrInvalid says that an order, a filter or a setting cannot be meant. The
	// text after it names the field; it never holds the field's value.
	ErrInvalid = errors.New("invalid revocation")
	// ErrUnavailable says that the store gave no answer. After a write it means
	// "unknown", not "failed": the statement may stand. Asking again is safe.
	ErrUnavailable = errors.New("revocation store unavailable")
)
