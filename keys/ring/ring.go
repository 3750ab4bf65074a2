package ring

import (
	"crypto"
	"errors"
	"slices"
	"time"

	"tollgate/keys"
)

// State is where a key stands in its life.
type State string

// The states of a key in a ring. A key that is in no ring is in state "".
const (
	Pending State = "pending" // published, does not sign yet
	Active  State = "active"  // published, signs
	Retired State = "retired" // published, does not sign any more
	Revoked State = "revoked" // not published, kept so that it never comes back
)

// rank orders the states by how far a life has gone; zero is no state.
func (s State) rank() int {
	return 1 + slices.Index([]State{Pending, Active, Retired, Revoked}, s)
}

// What callers of this package branch on.
var (
	// ErrEmpty says that a store holds no ring yet.
	ErrEmpty = errors.New("no key ring in the store")
	// ErrConflict says that a store holds another version than the one read.
	ErrConflict = errors.New("the key ring was changed by another instance")
	// ErrUnknownKey says that a ring has no key of that id.
	ErrUnknownKey = errors.New("no key of that id in the ring")
	// ErrNotYetPublished says that a successor was not published long enough for
	// every verifier to have it. The text says from when on it may sign.
	ErrNotYetPublished = errors.New("the next key was not published long enough")
	// ErrExists says that the ring has, or had and revoked, the key to be imported.
	ErrExists = errors.New("the ring knows this key already")
	// ErrNotConfigured says that no key of that algorithm signs here.
	ErrNotConfigured = errors.New("the algorithm is not one of those that sign here")
	// ErrFull says that one more key would make the set longer than verifiers read.
	ErrFull = errors.New("the key set is full")
	// ErrUnconfirmed says that the ring could not be confirmed against the store
	// in time, so that nothing was signed.
	ErrUnconfirmed = errors.New("the key ring is not confirmed against its store")
)

// Key is one key pair in a ring. The times are UTC by the clock of the instance
// that made the step, and zero for what has not happened.
type Key struct {
	ID        string // RFC 7638 thumbprint
	Algorithm keys.Algorithm
	State     State

	Created   time.Time // also published from here on
	Activated time.Time
	Retired   time.Time
	Revoked   time.Time
	// PublishedUntil is when a retired key leaves the ring: no token that it
	// signed is alive after it. For a revoked key it is the time of revocation.
	PublishedUntil time.Time
	// TokenLife is the longest life of a token that the key has signed or may have,
	// leeway included: the greatest Settings.TokenLife of the instances that had it
	// as active. Settings that ask for less later do not shorten what was issued.
	TokenLife time.Duration

	Private   crypto.Signer    // nil once retired or revoked, and for an external key
	Reference string           // what an external signer calls the key; "" for a key of this process
	Public    crypto.PublicKey // *ecdsa.PublicKey, *rsa.PublicKey or ed25519.PublicKey
}

// Ring is all keys of one issuer. It is a value: no method changes its receiver.
type Ring struct {
	Issuer  string
	Version uint64 // rises with each change; 0 is a ring that was never stored
	Keys    []Key  // in the order in which they were made
}

// clone returns a ring whose keys can be changed without changing r's.
func (r Ring) clone() Ring {
	r.Keys = slices.Clone(r.Keys)
	return r
}

// Public returns the ring without its private halves.
func (r Ring) Public() Ring {
	r = r.clone()
	for i := range r.Keys {
		r.Keys[i].Private = nil
	}
	return r
}

// PublicSet returns what verifiers may use: the active keys, then pending, then
// retired ones. The order is the same on every instance, and naive clients that
// take the first key find one that signs.
func (r Ring) PublicSet() (*keys.Set, error) {
	var ks []*keys.Key
	for _, state := range []State{Active, Pending, Retired} {
		for _, k := range r.Keys {
			if k.State != state {
				continue
			}
			pub, err := keys.NewKeyWithID(k.ID, k.Public, k.Algorithm)
			if err != nil {
				return nil, err
			}
			ks = append(ks, pub)
		}
	}
	return keys.NewSet(ks...)
}

// same reports whether two rings tell the same story, without comparing key
// material: an id is a thumbprint of it.
func (r Ring) same(o Ring) bool {
	return r.Issuer == o.Issuer && r.Version == o.Version && slices.EqualFunc(r.Keys, o.Keys, func(a, b Key) bool {
		return a.ID == b.ID && a.Algorithm == b.Algorithm && a.State == b.State &&
			a.Created.Equal(b.Created) && a.Activated.Equal(b.Activated) && a.Retired.Equal(b.Retired) &&
			a.Revoked.Equal(b.Revoked) && a.PublishedUntil.Equal(b.PublishedUntil) && a.TokenLife == b.TokenLife
	})
}
