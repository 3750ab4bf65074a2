package wire

import "errors"

var (
	// ErrFirstByte says that the answer did not begin within Request.FirstByte.
	ErrFirstByte = errors.New("the answer did not begin in time")
	// ErrProtocol says that what came is no answer to what was asked.
	ErrProtocol = errors.New("not a valid HTTP/1.1 answer")
	// ErrSwitched is a 101 that nobody asked for.
	ErrSwitched = errors.New("the protocol was switched unasked")
)

// DialError says that no connection was made, so that nothing was sent.
type DialError struct{ Err error }

// Error names the cause.
func (e *DialError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// EndedError says that a connection ended before the first byte of the answer.
type EndedError struct {
	Reused bool // it had served before: its end may have had nothing to do with the request
	Err    error
}

// Error names the cause.
func (e *EndedError) Error() string {
	return "the connection ended before the answer: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *EndedError) Unwrap() error { return e.Err }
