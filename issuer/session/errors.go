package session

import "errors"

var (
	// ErrReuse answers a refresh token that was spent before. Its session was ended
	// by this call; where a step of that failed its text says so, and the sweep or
	// whoever meets the session next completes the end.
	ErrReuse = errors.New("session: refresh token was used before")
	// ErrEnded answers for a session that was ended or revoked.
	ErrEnded = errors.New("session: ended")
	// ErrLost answers a refresh token that the store does not know: no record, a
	// generation above the record's, or another jti at the same generation. The store
	// lost a write; nobody stole anything. It is counted apart from ErrReuse.
	ErrLost = errors.New("session: the store has no record of this token")
	// ErrExpired answers a session that reached its longest life, or a refresh token
	// past its own.
	ErrExpired = errors.New("session: longest life is over")
	// ErrUnavailable says that sessions or revocations could not be asked. A write
	// that ends with it may have happened; asking again is harmless.
	ErrUnavailable = errors.New("session: store unavailable")
	// ErrNotFound answers for a session that has no record (any more).
	ErrNotFound = errors.New("session: no such session")
	// ErrInvalid answers a Start that lacks its birth or its subject, and a cursor that
	// is none.
	ErrInvalid = errors.New("session: invalid")
)
