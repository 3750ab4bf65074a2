package keys

import (
	"errors"
	"fmt"
	"slices"
)

// Set is an immutable collection of keys with distinct ids, all of one issuer.
// A nil Set is an empty one.
type Set struct {
	keys []*Key
	byID map[string]*Key
}

// NewSet makes a set that keeps the order of the keys. Two keys with one id are
// an error: a kid names one key.
func NewSet(ks ...*Key) (*Set, error) {
	s := &Set{keys: slices.Clone(ks), byID: make(map[string]*Key, len(ks))}
	for _, k := range ks {
		if k == nil {
			return nil, errors.New("nil key in a set")
		}
		if _, there := s.byID[k.id]; there {
			return nil, fmt.Errorf("two keys with the id %q", k.id)
		}
		s.byID[k.id] = k
	}
	return s, nil
}

// Key returns the key of that id.
func (s *Set) Key(id string) (*Key, bool) {
	if s == nil {
		return nil, false
	}
	k, ok := s.byID[id]
	return k, ok
}

// Keys returns the keys in the order of the set. The slice is the caller's.
func (s *Set) Keys() []*Key {
	if s == nil {
		return nil
	}
	return slices.Clone(s.keys)
}

// Len returns the number of keys.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}
