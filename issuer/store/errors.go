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
)

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, err)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}
