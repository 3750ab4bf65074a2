package revocation

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Tests look at Redis behind the store's back, and into the memory store.

func (r *Redis) EpochKey() string         { return r.names.epoch }
func (r *Redis) FeedKey() string          { return r.names.feed }
func (r *Redis) EntryKey(d Digest) string { return r.names.entry(d) }

// Len returns how many entries are held, ended or not.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.entries)
}

// AgeOf is how old what was read at that moment is.
func AgeOf(at, now time.Time) time.Duration { return reading{at}.since(now) }

// Client is the store's.
func (r *Redis) Client() redis.UniversalClient { return r.client }

// Hear tells the mirror of a record.
func (m *Mirror) Hear(r Record) { m.heard([]Record{r}) }

// CheckAnew is CheckPrepared of a token that has to be looked up.
func (m *Mirror) CheckAnew(p *Prepared) Verdict {
	p.clear.Store(0)
	return m.CheckPrepared(p)
}

// NewFamiliar returns what has digests at hand.
func NewFamiliar() func(issuer string, kind Kind, id string) Digest {
	return new(familiar).digestOf
}

// Lose begins an epoch after a loss.
func (r *Redis) Lose(ctx context.Context) error {
	e, err := r.Epoch(ctx)
	if err == nil {
		_, err = r.lose(ctx, finding{reason: gapGone, seen: e.ID}, e, "test")
	}
	return err
}

// Admit has the store take revocations, as it does when a process has read what is left
// after a loss.
func (r *Redis) Admit(ctx context.Context) error {
	if _, err := r.Now(ctx); err != nil { // begins an epoch
		return err
	}
	e, err := r.Epoch(ctx)
	if err == nil {
		_, err = r.open(ctx, e.ID)
	}
	return err
}

// Name is that of the process among those that put back.
func (m *Mirror) Name() string { return m.name }
