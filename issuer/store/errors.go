package store

import "errors"

var (
	// ErrNotFound says that nothing is kept under that name: it never was, or its
	// life has passed.
	ErrNotFound = errors.New("record not found")
	// ErrUnavailable says that Redis gave no answer. After a write it means
	// "unknown", not "failed": asking again is safe.
	ErrUnavailable = errors.New("record store unavailable")
	// ErrFull says that a status list takes no more tokens: the next one does.
	ErrFull = errors.New("status list is full")
	// ErrTorn says that Redis has lost a part of a status list. What it says of a
	// token is then not to be believed, and no more tokens go into it.
	ErrTorn = errors.New("status list has lost entries")
)
