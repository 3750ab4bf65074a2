package remote

import (
	"crypto/sha256"
	"sync/atomic"
	"time"

	"tollgate/keys"
)

// snapshot is a good set and when it was last known to be the issuer's. It is
// never changed.
type snapshot struct {
	set    *keys.Set
	digest [sha256.Size]byte // of the document
	etag   string
	seen   time.Time // when the request or the reading that confirmed it began
	// leftOut says which members of the document cannot be used, in brief.
	leftOut error
}

// held is the snapshot that requests meet.
type held struct {
	hardAge time.Duration
	now     func() time.Time
	current atomic.Pointer[snapshot]
}

// Set returns the keys of the issuer, or nil when there are none that are young
// enough. It takes no lock and never waits.
func (h *held) Set() *keys.Set {
	s := h.current.Load()
	if s == nil || age(s.seen, h.now()) > h.hardAge {
		return nil
	}
	return s.set
}

// age is the larger of what the monotonic and the wall clock say: the first one
// stands still while the machine sleeps, the second one can be set back.
func age(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// renewed returns fresh with the keys of old in place of those that are the same,
// and old itself when nothing changed. Whoever remembers that a key signed
// something compares keys; reading the same document again must not cost that.
func renewed(old, fresh *keys.Set) *keys.Set {
	if old == nil {
		return fresh
	}
	list, same := fresh.Keys(), old.Len() == fresh.Len()
	for i, k := range list {
		if o, found := old.Key(k.ID()); found && o.Same(k) {
			list[i] = o
		} else {
			same = false
		}
	}
	if same {
		return old
	}
	set, err := keys.NewSet(list...)
	if err != nil { // the ids are those of fresh, which are distinct
		return fresh
	}
	return set
}

// difference returns the ids of fresh that old does not have.
func difference(fresh, old *keys.Set) []string {
	var ids []string
	for _, k := range fresh.Keys() {
		if o, found := old.Key(k.ID()); !found || !o.Same(k) {
			ids = append(ids, k.ID())
		}
	}
	return ids
}
