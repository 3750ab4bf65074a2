package revocation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation/table"
)

// Journaler keeps records where a restart finds them again, and how far the feed was
// followed: a [Journal]. What it is given may be what it holds already. Records calls
// yield with what it keeps of each digest, until that returns false.
type Journaler interface {
	Append(ctx context.Context, records []Kept) error
	Mark(p Position)
	Records(yield func(Kept) bool) error
}

// MirrorConfig says what a Mirror copies and whom it tells.
type MirrorConfig struct {
	// Store is written through, and mended after a loss. It should be used by no
	// other mirror. Required.
	Store *Redis
	// Client reads the feed; see FeedConfig.Client. Required.
	Client redis.UniversalClient
	// Prefix and Settings are those of the store. Settings may be left out.
	Prefix   string
	Settings Settings
	// MaxStale is the smallest age up to which anybody still counts what the mirror
	// says: the feed is asked three times as often, and at least once a second. Zero:
	// once a second.
	MaxStale time.Duration
	// Replicas that must confirm the store's heartbeat for its word to count; see
	// FeedConfig.Replicas. 0: none.
	Replicas int
	// Patience bounds a CatchUp. 250 ms.
	Patience time.Duration
	// Heard takes the records of the feed after the mirror has. It must not wait.
	Heard func([]Record)
	// Doubt is told after a gap, an epoch that came of a loss, and its mending:
	// whoever holds verdicts or open streams asks anew. It must not wait.
	Doubt func(reason string)
	// Journal is given what this process writes before the writer is answered, and
	// soon what the feed tells; after a loss it says what lists are to show of what was
	// put back. Nil: none.
	Journal Journaler
	// Log takes losses and what became of them. Nil: nobody.
	Log *slog.Logger
	// Now is time.Now; for tests.
	Now func() time.Time
}

// Mirror is a process's exact copy of the revocations in force. It answers without
// asking Redis, and says how old what it knows is. What it once knew to be revoked
// it refuses, whatever becomes of Redis, until the life ends or an undo is told.
type Mirror struct {
	cfg  MirrorConfig
	feed *Feed
	name string // of this process among those that put back

	view    atomic.Pointer[view] // what checks read beside the tables
	changes changes              // of the tables, but for what left them

	jtis, signed, sessions, keys *table.Table
	subjects, issuers            *table.Cuts

	familiar familiar

	mu    sync.Mutex // guards what follows, and every write to the tables and to changes
	dated map[Digest]dated
	below map[Digest][]int64 // cut-offs under those in the tables, latest first
	own   map[Digest]ownWrite
	loss  lossState
	// recent is what was heard since the mirror was level.
	recent recent
	stats  mirrorStats
	told   []Kept // for the journal
	// unkept: since the feed was last told from its beginning something was dropped,
	// because more than unkeptMost waited for the journal.
	unkept     bool
	unkeptMost int
	// heardN is the sequence of the last record heard; 0: none since the last gap.
	heardN uint64
	// heardAt is the feed's position with that record.
	heardAt feedPosition
	// reserved: room for the first load was announced.
	reserved bool

	pace pace // of mend

	wake    chan struct{} // something is to be mended
	opens   chan struct{} // an epoch that is shut was read to its end
	words   chan struct{} // something was put back that the journal may know more of
	flights flights
}

var _ Store = (*Mirror)(nil)

// NewMirror returns a mirror that knows nothing yet. ErrInvalid.
func NewMirror(cfg MirrorConfig) (*Mirror, error) {
	if cfg.Store == nil {
		return nil, fmt.Errorf("mirror: %w: no store", ErrInvalid)
	}
	if cfg.Settings != (Settings{}) && cfg.Settings.withDefaults() != cfg.Store.settings {
		return nil, fmt.Errorf("mirror: %w: settings other than the store's", ErrInvalid)
	}
	if n, err := newNames(cfg.Prefix); err != nil || n != cfg.Store.names {
		return nil, fmt.Errorf("mirror: %w: a prefix other than the store's", ErrInvalid)
	}
	if cfg.Patience == 0 {
		cfg.Patience = 250 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mirror{
		cfg: cfg, name: nonce(8), wake: make(chan struct{}, 1), opens: make(chan struct{}, 1), words: make(chan struct{}, 1),
		jtis: table.New(), signed: table.New(), sessions: table.New(), keys: table.New(),
		subjects: table.NewCuts(), issuers: table.NewCuts(),
		dated: map[Digest]dated{}, below: map[Digest][]int64{}, own: map[Digest]ownWrite{}, unkeptMost: mostUnkept,
	}
	m.view.Store(&view{sent: m.reading(cfg.Now())})
	var err error
	m.feed, err = NewFeed(FeedConfig{
		Client: cfg.Client, Prefix: cfg.Prefix, Block: blockFor(cfg.MaxStale), Replicas: cfg.Replicas, Log: cfg.Log, Now: cfg.Now,
		Apply: m.heard, Gap: m.gap, Epoch: m.epoch, NoEpoch: m.noEpoch, Level: m.level, Failed: m.failed,
	})
	if err != nil {
		return nil, fmt.Errorf("mirror: %w", err)
	}
	wrote := m.wrote
	cfg.Store.wrote.Store(&wrote)
	return m, nil
}

// blockFor is how long a wait may take so that what it ends with still counts under
// that max_stale; 0: as long as ever.
func blockFor(maxStale time.Duration) time.Duration {
	if maxStale <= 0 {
		return time.Second
	}
	return max(min(time.Second, maxStale/3), time.Millisecond)
}

// SetMaxStale replaces MaxStale: the feed is asked as often as that needs.
func (m *Mirror) SetMaxStale(d time.Duration) { m.feed.SetBlock(blockFor(d)) }

// Run follows the feed, mends losses and forgets what is over, until ctx ends; then
// it returns nil.
func (m *Mirror) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { m.mend(ctx) })
	loops.Go(func() { m.opening(ctx) })
	loops.Go(func() { m.sweep(ctx) })
	if m.cfg.Journal != nil {
		loops.Go(func() { m.keep(ctx) })
		loops.Go(func() { m.describe(ctx) })
	}
	err := m.feed.Run(ctx)
	loops.Wait()
	return err
}

// named returns the table of a kind that is no cut-off, or nil.
func (m *Mirror) named(k Kind) *table.Table {
	switch k {
	case KindJTI:
		return m.jtis
	case KindSession:
		return m.sessions
	case KindKey:
		return m.keys
	case KindSigned:
		return m.signed
	}
	return nil
}

// cuts returns the table of a kind of cut-off, or nil.
func (m *Mirror) cuts(k Kind) *table.Cuts {
	switch k {
	case KindSubject:
		return m.subjects
	case KindAll:
		return m.issuers
	}
	return nil
}

// holds says whether there is a table for a kind: not for hints, and what later versions tell.
func (m *Mirror) holds(k Kind) bool { return m.named(k) != nil || m.cuts(k) != nil }

// wakeUp lets mend look again.
func (m *Mirror) wakeUp() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}
