package revocation

import (
	"errors"
	"time"
)

// State is what a store can say of a token. The zero value is Unknown, so that
// a Verdict nobody filled in lets nothing through.
type State uint8

const (
	// Unknown: the store cannot tell. Cause says why.
	Unknown State = iota
	// Clear: nothing in force speaks of the token.
	Clear
	// Revoked: something does. Kind says what.
	Revoked
)

// String returns the state in lower case, for logs and metrics.
func (s State) String() string {
	switch s {
	case Clear:
		return "clear"
	case Revoked:
		return "revoked"
	}
	return "unknown"
}

// Cause says why a state is Unknown.
type Cause uint8

const (
	// CauseNone: the state is not Unknown.
	CauseNone Cause = iota
	// CauseUnreachable: no answer.
	CauseUnreachable
	// CauseLost: the token is older than what the store vouches for. Revocations
	// that spoke of it may have been lost.
	CauseLost
	// CauseBroken: Redis answered, but with an error or with something that cannot
	// be an answer to what was asked. Unlike silence it may be somebody's doing.
	CauseBroken
	// CauseLoading: a mirror has not read the feed to its end yet.
	CauseLoading
)

// String returns the cause in lower case, for logs and metrics.
func (c Cause) String() string {
	switch c {
	case CauseUnreachable:
		return "unreachable"
	case CauseLost:
		return "lost"
	case CauseLoading:
		return "loading"
	case CauseBroken:
		return "broken"
	}
	return "none"
}

// Verdict is the answer to a check. The store reports; whoever asked decides.
type Verdict struct {
	State State
	Kind  Kind          // what revoked the token; empty unless Revoked
	Cause Cause         // CauseNone unless Unknown
	Stale time.Duration // age of the knowledge behind it; 0 when Redis was asked, and nobody else has to vouch for it
	Err   error         // behind an Unknown, for the log, never for a client
}

// unreachable is the verdict when the store gave no usable answer.
func unreachable(err error) Verdict {
	cause := CauseUnreachable
	if errors.Is(err, errReply) {
		cause = CauseBroken
	}
	return Verdict{State: Unknown, Cause: cause, Err: err}
}

// judge gives the verdict on t from what was found: cuts[i] is the cut in force
// for probes[i], or 0. A hit wins over a loss: what is known to be revoked is
// refused even by a store that has forgotten other things.
func judge(t *Token, e Epoch, probes []probe, cuts []int64) Verdict {
	for i, p := range probes {
		if t.endedBy(p.kind, cuts[i]) {
			return Verdict{State: Revoked, Kind: p.kind}
		}
	}
	if !e.vouchesFor(t) {
		return Verdict{State: Unknown, Cause: CauseLost}
	}
	return Verdict{State: Clear}
}
