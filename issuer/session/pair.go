package session

import "time"

// Start says for whom a session begins. Only Birth and Subject are required.
type Start struct {
	// Birth is the session's birth: store time in microseconds, taken before the
	// user record was read. A cut-off that came in between then covers the session.
	Birth    int64
	Subject  string // the user's id, 1 to 255 bytes
	Username string // for lists
	Address  string // the client's, for lists; cut to 64 bytes
	Agent    string // the client's User-Agent, for lists; cut to 256 bytes
}

// Stamp is what a token gets from its session. Times are whole seconds by Redis's
// clock (RFC 7519, section 2, NumericDate), in UTC.
type Stamp struct {
	JTI       string // 32 hexadecimal digits
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Pair is what one log-in or refresh mints: the stamps of two tokens.
type Pair struct {
	SID        string
	Generation int64 // 1 at log-in, one more with each rotation
	Refresh    Stamp
	Access     Stamp
	Subject    string
	// Replay says that this pair stood already: the same jtis and times were handed
	// out before, for the same refresh token.
	Replay bool
}
