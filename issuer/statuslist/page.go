package statuslist

import (
	"context"
	"fmt"
	"time"

	"tollgate/revocation"
)

// Event is one record of the feed: what is in force since it about one thing. A
// thing is named by the one member that fits Kind.
type Event struct {
	N    uint64          `json:"n"`
	Kind revocation.Kind `json:"kind"`

	JTI     string `json:"jti,omitempty"`
	SID     string `json:"sid,omitempty"`
	Subject string `json:"sub,omitempty"`
	KeyID   string `json:"kid,omitempty"`
	All     bool   `json:"all,omitempty"`
	// Digest stands for a thing whose id is not kept: revocation.DigestOf in
	// hexadecimal.
	Digest string `json:"digest,omitempty"`

	Cut       int64 `json:"cut,omitempty"` // store time (µs): what was born up to it is refused
	ExpiresAt int64 `json:"exp,omitempty"` // unix second by which it is over; absent: never
	Undone    bool  `json:"undone,omitempty"`
}

// page are the claims of a page of revocations.
type page struct {
	stamp
	Epoch  string  `json:"epoch"`
	From   uint64  `json:"from"`
	To     uint64  `json:"to"`
	Next   uint64  `json:"next"` // where to go on: the value of after
	More   bool    `json:"more"` // there is a next page already
	Reset  bool    `json:"reset,omitempty"`
	Events []Event `json:"events"`
}

// pageKey names a page. A record more, and the ledger has another version.
type pageKey struct {
	after uint64
	epoch string
}

const (
	// PageType is the typ of a page of revocations.
	PageType = "revocations+jwt"
	// PageLimit is the greatest number of events on a page.
	PageLimit = 1000

	mostPages = 64
)

// Revocations returns the page of what was revoked, or undone, after the record
// with that sequence: 0 is the beginning, which tells all that is in force. epoch is
// that of the page read before, or empty. Whoever cannot go on from there is told to
// start over. ErrUnavailable.
func (l *Lists) Revocations(ctx context.Context, after uint64, epoch string) (*Document, error) {
	if !l.Ledger.fresh(mostStale) {
		return nil, fmt.Errorf("%w: what is revoked is not known well enough", ErrUnavailable)
	}
	if current := epochTag(l.Ledger.epochID()); epoch != "" && epoch != current {
		epoch = "other" // one page for all of them
	}
	key := pageKey{after, epoch}
	l.mu.Lock()
	d := l.pages[key]
	l.mu.Unlock()
	if now := l.Now(); d.current(now) {
		return d.served(now), nil
	}
	d, err := l.once(ctx, fmt.Sprintf("revocations %d %s", after, epoch), func(ctx context.Context) (document, error) {
		return l.buildPage(ctx, key)
	})
	if err != nil {
		return nil, err
	}
	return d.served(l.Now()), nil
}

func (l *Lists) buildPage(ctx context.Context, key pageKey) (document, error) {
	now := l.Now()
	p, events, err := l.cut(ctx, key)
	if err != nil {
		return document{}, err
	}
	p.stamp = l.stamp(l.Base+RevocationsPath, now)
	if p.Events, err = l.describe(ctx, events); err != nil {
		return document{}, err
	}
	d, err := l.finish(ctx, p, PageType, now, pageAge)
	if err != nil {
		return document{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pages) >= mostPages {
		for other, old := range l.pages {
			if !old.current(now) {
				delete(l.pages, other)
			}
		}
	}
	if len(l.pages) < mostPages {
		l.pages[key] = d
	}
	return d, nil
}

// cut takes a page out of the ledger.
func (l *Lists) cut(ctx context.Context, key pageKey) (page, []event, error) {
	l.Ledger.mu.RLock()
	p := page{Epoch: epochTag(l.Ledger.epoch.ID), From: key.after, To: l.Ledger.log.head}
	events, more, ok := l.Ledger.log.after(key.after, PageLimit)
	l.Ledger.mu.RUnlock()
	other := key.epoch != "" && key.epoch != p.Epoch
	if !ok && !other && key.after > p.To {
		// Another process may have read further than this one.
		head, err := l.Head(ctx)
		if err != nil {
			return page{}, nil, unavailable(err)
		}
		if ok = key.after <= head; ok {
			p.To = key.after
		}
	}
	if !ok || other {
		return page{Epoch: p.Epoch, From: key.after, Reset: true, More: true}, nil, nil
	}
	if more {
		p.To = events[len(events)-1].n
	}
	p.Next, p.More = p.To, more
	return p, events, nil
}

// describe makes events of records: those of our own tokens, and those of which
// nobody can tell whose they are, by their digest.
func (l *Lists) describe(ctx context.Context, records []event) ([]Event, error) {
	digests := make([]revocation.Digest, len(records))
	for i, r := range records {
		digests[i] = r.digest
	}
	things, err := l.Things(ctx, digests)
	if err != nil {
		return nil, unavailable(err)
	}
	out := make([]Event, 0, len(records))
	now := l.Now().Add(-time.Minute).Unix()
	for i, r := range records {
		thing := things[i]
		if thing.Issuer != "" && thing.Issuer != l.Issuer || thing.Issuer == "" && r.exp != 0 && r.exp < now {
			continue // not ours, or over
		}
		e := Event{N: r.n, Kind: r.kind, Cut: r.cut, ExpiresAt: r.exp, Undone: r.cut == 0}
		e.name(thing, r.digest)
		out = append(out, e)
	}
	return out, nil
}

// name says what the event is about.
func (e *Event) name(thing revocation.Thing, d revocation.Digest) {
	switch {
	case thing.Issuer != "" && e.Kind == revocation.KindAll:
		e.All = true
	case thing.Value == "":
		e.Digest = d.String()
	case e.Kind == revocation.KindJTI:
		e.JTI = thing.Value
	case e.Kind == revocation.KindSession:
		e.SID = thing.Value
	case e.Kind == revocation.KindSubject:
		e.Subject = thing.Value
	case e.Kind == revocation.KindKey:
		e.KeyID = thing.Value
	default:
		e.Digest = d.String()
	}
}
