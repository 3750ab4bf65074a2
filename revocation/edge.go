package revocation

import (
	"strings"
	"time"
)

// EdgeGrace is how long an edge is taken for live after the moment at which its own
// routes no longer let anything through without having heard from the store.
const EdgeGrace = 5 * time.Second

// Bounds of the register.
const (
	edgeShown    = 10 * time.Minute // how long an edge is listed after it fell silent
	maxClosing   = 24 * time.Hour   // of ClosesAfter
	maxEdgeText  = 256              // bytes of each text of an edge
	maxEdgeNames = 16384            // names that a census keeps at hand
)

// Edge is a process that follows the feed, as it was heard last.
type Edge struct {
	Name    string // of its own while it is live
	Version string // of the program
	Since   time.Time
	// N is the sequence of the last record that it has applied, in the epoch of that
	// id. Epoch is empty while it still loads.
	N       uint64
	Epoch   string
	Stale   time.Duration // how old its knowledge was when it was heard
	Entries int           // in its mirror
	KeySet  string        // digest of the public keys that it holds
	Routes  string        // digest of its routes
	// ClosesAfter is how long it lets requests through on old knowledge at most.
	ClosesAfter time.Duration
	Heard       time.Time // store time
	// Live says that it was not yet silent for ClosesAfter and EdgeGrace.
	Live bool
	// Lag is how many records it is behind the store; of one at another epoch, all
	// of them.
	Lag uint64
}

// EdgeReport is what an edge says of itself. The zero value is that of one which is
// still loading.
type EdgeReport struct {
	// N is the sequence of the last record that was applied, and Epoch the epoch that
	// it belongs to. While the feed was not yet read to its end Epoch must be empty:
	// such an edge has applied nothing.
	N     uint64
	Epoch string
	// Nonce and ID (store time, µs) are those of record N in the feed. A store that
	// has another record N, or none, takes the edge for one that has applied nothing.
	Nonce string
	ID    int64

	Stale   time.Duration
	Entries int
	KeySet  string
	Routes  string
}

// plainName makes a name fit for a Redis key and a table: at most 128 characters,
// others than letters, digits, dot and underscore become a hyphen.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, name)
	return name[:min(len(name), 128)]
}

// edgeText cuts a text to what is kept of it.
func edgeText(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxEdgeText)], "")
}
