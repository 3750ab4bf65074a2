package session

// State tells where a refresh token stands in its session's line, without using it.
type State string

// What Peek answers.
const (
	Current  State = "current"  // the next refresh would rotate it
	Previous State = "previous" // the one before; a refresh would repeat the standing pair
	Spent    State = "spent"    // older: a refresh would be reuse and end the session
	Ended    State = "ended"    // its session is ended, or past its longest life
	Lost     State = "lost"     // the store has no record of it
)
