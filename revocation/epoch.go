package revocation

const microsPerSecond = 1_000_000

// Epoch is one unbroken life of a store: it ends when the store is found to have
// lost what it held. All times are store time in µs.
type Epoch struct {
	ID            string // random
	Born          int64  // when the epoch began
	CompleteSince int64  // nothing about tokens born from here on is missing; 0: nothing at all
	N             uint64 // sequence of the latest feed record
	Clock         int64  // store time when the epoch was read
	// From names the epochs that this one came from by a loss, newest first,
	// separated by blanks. Only a feed fills in this and what follows.
	From string
	// Lost is when the loss was noticed that is being mended; 0: none is. Until it is
	// mended, Born and CompleteSince are that moment.
	Lost int64
	// Need names the epochs of which nobody has put back all yet, or had not when the
	// loss was noticed.
	Need string
	// Evicted says which evictions were noticed: what is in the feed need not be an
	// entry, too. Empty: none.
	Evicted string
	// Shut says that the epoch takes no revocations yet: it came of a loss, and whoever
	// began it has not read what the store holds.
	Shut bool
	// Shared says, while a loss is being mended, that nobody has anything more to put back that
	// a process which knew all up to the loss could lack.
	Shared bool
}

// vouchesFor reports whether e can say of t that nothing was said about it.
func (e Epoch) vouchesFor(t *Token) bool {
	if e.ID == "" {
		return false
	}
	born, since, own := t.Born, e.CompleteSince, e.Born
	if born == 0 {
		// Whole seconds against whole seconds for the store's birth: an own token
		// of its very first second is not older than it.
		born, own = t.IssuedAt*microsPerSecond, e.Born/microsPerSecond*microsPerSecond
	}
	if t.Own && born < own {
		return false
	}
	return born >= since
}
