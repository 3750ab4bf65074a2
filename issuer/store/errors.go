package store

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound answers for a record that is not there.
	ErrNotFound = errors.New("store: no such record")
	// ErrExists answers the creation of what is there already.
	ErrExists = errors.New("store: exists already")
	// ErrInvalid says what is wrong with a record, in words for its author.
	ErrInvalid = errors.New("store: invalid")
	// ErrUnavailable says that Redis gave no answer. A write that ends with it may
	// have happened.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrFull says that a status list takes no more tokens: the next one does.
	ErrFull = errors.New("store: status list is full")
	// ErrTorn says that Redis has lost a part of a status list. What it says of a
	// token is then not to be believed, and no more tokens go into it.
	ErrTorn = errors.New("store: status list has lost entries")
)

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, err)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}
