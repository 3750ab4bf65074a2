package revocation

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// DefaultBlock is the Block of a FeedConfig in which it is zero.
const DefaultBlock = time.Second

// Record is one record of the feed: what is in force of one digest since At.
type Record struct {
	N         uint64 // sequence in the feed
	Digest    Digest
	Kind      Kind
	Cut       int64 // store time (µs) of the greatest statement in force; 0: all are undone
	ExpiresAt int64 // unix second by which it is over; 0: never
	At        int64 // store time (µs) of the change, also when it is told again
	Undone    int64 // store time (µs) of the latest undo in the entry's life; 0: none
	// Below has of a cut-off the store times (µs) of further statements in force, under Cut,
	// latest first and joined by commas; empty: there are none.
	Below string
	// Wanted says that somebody waits until every edge has applied this record.
	Wanted bool
}

// FeedConfig says what a Feed reads and whom it tells. Its functions are called
// one at a time, in the order Gap, Epoch, Apply, Level; they should be quick, and
// must not call the feed. Those that are nil are not called.
type FeedConfig struct {
	// Client should be a client of the feed's own or one that does not serve
	// requests: a wait holds a connection. It must have ContextTimeoutEnabled;
	// without it a frozen connection is waited for 10 s and more.
	Client redis.UniversalClient
	// Prefix is that of the store. Without braces.
	Prefix string
	// Block is the time from one scan to the next, and so how old knowledge gets. No wait
	// takes longer. DefaultBlock; at least 1 ms.
	Block time.Duration
	// Deadline is for each read. Block + 1 s; longer than Block.
	Deadline time.Duration
	// Replicas says whether replicas must vouch for a read before it counts: a Heart
	// beats in the store, and Level is told of a read that reached the end only once a
	// later one finds that the heartbeat was confirmed since. What is known is then
	// older by the time between two scans and two beats. Zero: every answer counts.
	Replicas int
	// Apply takes records in order, the same one more than once after a gap. The
	// slice is used again after Apply has returned. Required.
	Apply func([]Record)
	// Gap is told that the store has lost something, or that this feed has missed
	// something for good. The feed then reads what there is, from the beginning if
	// need be, and is level again; whether the store may still be believed about
	// what is not in it is for Gap to settle, by a new epoch. A new epoch that
	// somebody else began is a gap, too. The reason is one of few fixed sentences.
	Gap func(reason string)
	// Epoch takes the epoch as each scan finds it, whether it has changed or not; its
	// Clock is the latest store time given out. Apply comes after it with what the
	// scan found, but what came by a wait may be newer than the epoch told last.
	Epoch func(Epoch)
	// NoEpoch is told of each scan that finds the store without an epoch, with the moment when
	// it was sent.
	NoEpoch func(sentAt time.Time)
	// Level is called after each answered scan: with true when there was no more to
	// read, and with the moment when it was sent. What was known then is complete. False
	// is said while loading, and while more than a page behind. With Replicas the moment
	// is that of the last scan that they vouch for, and false is said also until there
	// is one.
	Level func(caughtUp bool, sentAt time.Time)
	// Failed is told of each read of Run that was not answered, or not with what was
	// asked for. Unlike the others it may be called at the same time as they are.
	Failed func(err error)
	// Log takes gaps, and the beginning and end of outages. Nil: nobody.
	Log *slog.Logger
	// Now is time.Now; for tests.
	Now func() time.Time
}

// filled returns the config with its defaults, or ErrInvalid.
func (c FeedConfig) filled() (FeedConfig, error) {
	if c.Block == 0 {
		c.Block = DefaultBlock
	}
	if c.Deadline == 0 {
		c.Deadline = c.Block + time.Second
	}
	switch {
	case c.Client == nil:
		return c, fmt.Errorf("%w: no Redis client", ErrInvalid)
	case !honoursDeadlines(c.Client):
		return c, fmt.Errorf("%w: a Redis client without ContextTimeoutEnabled", ErrInvalid)
	case c.Apply == nil:
		return c, fmt.Errorf("%w: nobody to apply records", ErrInvalid)
	case c.Block < time.Millisecond:
		return c, fmt.Errorf("%w: block must be at least 1ms", ErrInvalid)
	case c.Replicas < 0:
		return c, fmt.Errorf("%w: less than no replicas", ErrInvalid)
	case c.Deadline <= c.Block:
		return c, fmt.Errorf("%w: deadline must be longer than block", ErrInvalid)
	}
	if c.Gap == nil {
		c.Gap = func(string) {}
	}
	if c.Epoch == nil {
		c.Epoch = func(Epoch) {}
	}
	if c.NoEpoch == nil {
		c.NoEpoch = func(time.Time) {}
	}
	if c.Level == nil {
		c.Level = func(bool, time.Time) {}
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// honoursDeadlines says whether a context bounds the client's commands. Of a sort
// of client that is not known here it is believed.
func honoursDeadlines(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	}
	return true
}
