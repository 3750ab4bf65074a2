package statuslist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/issuer/store"
)

// list is what this process knows of one list. It is changed by one call at a time,
// that of Lists.once.
type list struct {
	entries map[int]store.StatusEntry
	at      store.StatusPosition

	bits bitArray
	lst  string // of bits
	doc  document
}

// listClaims are the claims of a list (draft-ietf-oauth-status-list section 5.1).
type listClaims struct {
	stamp
	List struct {
		Bits int    `json:"bits"`
		Lst  string `json:"lst"`
	} `json:"status_list"`
}

// ListType is the typ of a list and, behind "application/", its media type.
const ListType = "statuslist+jwt"

// List returns the list of that name. ErrNotFound, ErrUnavailable.
func (l *Lists) List(ctx context.Context, text string) (*Document, error) {
	name, ok := parseListName(text)
	if !ok || !l.plausible(name) {
		return nil, ErrNotFound
	}
	if !l.Ledger.fresh(mostStale) {
		return nil, fmt.Errorf("%w: what is revoked is not known well enough", ErrUnavailable)
	}
	if name.epoch != epochTag(l.Ledger.epochID()) {
		return nil, ErrNotFound
	}
	if d, ok := l.known(name); ok {
		return d.served(l.Now()), nil
	}
	d, err := l.once(ctx, text, func(ctx context.Context) (document, error) { return l.build(ctx, name) })
	if err != nil {
		return nil, err
	}
	return d.served(l.Now()), nil
}

// plausible reports whether tokens of such a list can be alive. It keeps whoever
// makes up names from asking Redis about each. Redis has set the tokens' times, so
// a difference of clocks is allowed for.
func (l *Lists) plausible(n listName) bool {
	const skew = 5 * time.Minute
	now := l.Now()
	return n.begins().Before(now.Add(skew)) && n.ends().Add(24*time.Hour+max(l.AccessTTL, mostWindow)+l.Leeway+skew).After(now)
}

// known returns the list's document where it is young enough.
func (l *Lists) known(name listName) (document, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held := l.lists[name]; held != nil && held.doc.current(l.Now()) {
		return held.doc, true
	}
	return document{}, false
}

// build makes the list's document anew.
func (l *Lists) build(ctx context.Context, name listName) (document, error) {
	if d, ok := l.known(name); ok { // somebody else was faster
		return d, nil
	}
	l.mu.Lock()
	held := l.lists[name]
	l.mu.Unlock()
	next := &list{entries: map[int]store.StatusEntry{}}
	if held != nil {
		*next = *held
	}
	now := l.Now()
	var err error
	next.at, err = l.Index.Read(ctx, name.String(), next.at, func(index int, e store.StatusEntry) { next.entries[index] = e })
	if err != nil {
		l.forget(name)
		if errors.Is(err, store.ErrNotFound) {
			return document{}, ErrNotFound
		}
		return document{}, unavailable(err)
	}
	bits := newBitArray(store.StatusSize)
	l.Ledger.judge(l.Issuer, func(j *judge) {
		for i, e := range next.entries {
			if j.refuses(&e) {
				bits.set(i)
			}
		}
	})
	if !l.Ledger.fresh(mostStale) || name.epoch != epochTag(l.Ledger.epochID()) { // since it was looked at first
		return document{}, fmt.Errorf("%w: what is revoked is not known well enough", ErrUnavailable)
	}
	if next.lst == "" || !bytes.Equal(bits, next.bits) {
		if next.lst, err = bits.lst(); err != nil {
			return document{}, err
		}
		next.bits = bits
	}
	claims := listClaims{stamp: l.stamp(l.uri(name), now)}
	claims.List.Bits, claims.List.Lst = 1, next.lst
	if next.doc, err = l.finish(ctx, claims, ListType, now, rebuildAfter); err != nil {
		return document{}, err
	}
	l.keep(name, next)
	return next.doc, nil
}

// keep remembers a list, and forgets those that nobody has asked for lately.
func (l *Lists) keep(name listName, held *list) {
	const idle = 5 * time.Minute
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists[name] = held
	for n, other := range l.lists {
		if held.doc.built.Sub(other.doc.built) > idle {
			delete(l.lists, n)
		}
	}
}

func (l *Lists) forget(name listName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.lists, name)
}
