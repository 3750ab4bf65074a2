package revocation

import (
	"errors"
	"fmt"
)

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
	// ErrUnconfirmed says that a change is written, but that the second durable copy
	// that was asked for (replicas, journal) is not known to be there. It is an
	// ErrUnavailable, and always comes as an *Unconfirmed. Asking again is safe.
	ErrUnconfirmed = fmt.Errorf("%w: not confirmed", ErrUnavailable)
)

// Unconfirmed is an ErrUnconfirmed with what is known of the change.
type Unconfirmed struct {
	// Known is a sentence without names, for whoever has asked for the change.
	Known string
	// Err is why, or nil.
	Err error
}

// Error says what is known, and why.
func (u *Unconfirmed) Error() string {
	if u.Err == nil {
		return u.Known
	}
	return u.Known + ": " + u.Err.Error()
}

// Unwrap makes it an ErrUnconfirmed.
func (u *Unconfirmed) Unwrap() []error {
	if u.Err == nil {
		return []error{ErrUnconfirmed}
	}
	return []error{ErrUnconfirmed, u.Err}
}
