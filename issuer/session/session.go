package session

import "time"

// What Session.State says.
const (
	StateLive    = "live"    // can be refreshed
	StateEnding  = "ending"  // refresh is refused, the revocation is not yet confirmed
	StateEnded   = "ended"   // refresh is refused, and so is every token of it
	StateRevoked = "revoked" // a revocation in force covers it (of the subject, or of all)
	StateUnknown = "unknown" // nobody ended it, but the revocations cannot be asked
)

// Session is one log-in on one device, for lists. It holds no token.
type Session struct {
	SID         string
	Subject     string
	Username    string
	Address     string
	Agent       string
	Created     time.Time // whole seconds, as all times here
	LastRefresh time.Time // zero: never refreshed
	ExpiresAt   time.Time // end of the last token that was minted for it
	Generation  int64     // 0: a session without refresh tokens
	State       string    // one of the State constants
	EndedAt     time.Time // zero unless ending or ended
	Reason      string    // why it was ended
	Actor       string    // who ended it
	// Impersonator is the subject who acts in the name of Subject; empty: nobody. Then
	// ImpersonatorSID is the log-in from which, empty where that has none.
	Impersonator, ImpersonatorSID string
	Minted                        []Minted // the current pair and the one before it, the newest first
	// Line is its line of refresh tokens, the newest first: the current one and the last
	// five that were spent. Empty for a session of one token.
	Line []Refreshed
}

// Refreshed is what is kept of a refresh token, spent or not: never the token.
type Refreshed struct {
	Generation     int64
	JTI            string
	IssuedAt       time.Time
	SpentAt        time.Time // zero: it is the current one
	Address, Agent string    // of who got it; both empty where that was not kept
}

// Minted is what is kept of a token: never the token.
type Minted struct {
	Stamp
	Refresh    bool // a refresh token, else an access token
	Generation int64
}
