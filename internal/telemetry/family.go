package telemetry

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// family holds the children of a metric vector by a key of their label values.
// A vector's own look-up hashes a list of labels on each call; here a request
// costs one look-up in a map that is never changed once published, without a lock
// or an allocation.
type family[K comparable, M any] struct {
	create func(K) M

	mu       sync.Mutex // held while a child is added
	children atomic.Pointer[map[K]M]
}

func newFamily[K comparable, M any](create func(K) M) *family[K, M] {
	f := &family[K, M]{create: create}
	f.children.Store(&map[K]M{})
	return f
}

// get returns the child for k, made at its first use.
func (f *family[K, M]) get(k K) M {
	if c, ok := (*f.children.Load())[k]; ok {
		return c
	}
	return f.add(k)
}

func (f *family[K, M]) add(k K) M {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := *f.children.Load()
	if c, ok := old[k]; ok { // another request was first
		return c
	}
	c := f.create(k)
	next := maps.Clone(old)
	next[k] = c
	f.children.Store(&next)
	return c
}

// all ranges over the children there are.
func (f *family[K, M]) all() iter.Seq2[K, M] { return maps.All(*f.children.Load()) }
