package ring

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tollgate/keys"
)

// Settings are the numbers that transitions depend on. All instances of one ring
// should have the same; while they differ (a rolling upgrade) the ring stays
// sound, but may change more often than either of them asks.
type Settings struct {
	// Algorithms have one active and one pending key each; the first signs. At
	// least one; HS256 is refused.
	Algorithms []keys.Algorithm
	// RotateEvery is how long a key signs before its successor takes over. Zero:
	// only by hand.
	RotateEvery time.Duration
	// Prepublish is how long a key is published before it signs: the longest time
	// for which any verifier keeps a JWKS.
	Prepublish time.Duration
	// ServedAge is how old a set may be when somebody hands it out: an instance
	// that has lost the store, an edge. A key that takes over by itself waits for
	// this long on top of Prepublish, so that a set of that age, kept for as long
	// as any verifier keeps one, is gone. Zero: everybody serves the newest.
	ServedAge time.Duration
	// TokenLife is the longest life of a token that a key signs, plus the leeway
	// of the verifiers: for so long a retired key stays published.
	TokenLife time.Duration
	// Generate makes the pairs of new keys. Zero: in this process (Generate).
	Generate func(keys.Algorithm) (Pair, error)
}

// Validate names everything that is wrong with the settings.
func (s Settings) Validate() error {
	var errs []error
	if len(s.Algorithms) == 0 {
		errs = append(errs, errors.New("no signing algorithm"))
	}
	for i, a := range s.Algorithms {
		if _, err := keys.ParseAlgorithm(string(a)); err != nil {
			errs = append(errs, err)
		} else if a.Symmetric() {
			errs = append(errs, fmt.Errorf("%s is not signed with", a))
		}
		if slices.Contains(s.Algorithms[:i], a) {
			errs = append(errs, fmt.Errorf("signing algorithm %s is there twice", a))
		}
	}
	if s.RotateEvery < 0 || s.Prepublish < 0 || s.ServedAge < 0 {
		errs = append(errs, errors.New("negative rotation or publication time"))
	}
	if s.TokenLife <= 0 {
		errs = append(errs, errors.New("the longest token life is not positive"))
	}
	return errors.Join(errs...)
}

func (s Settings) configured(a keys.Algorithm) bool { return slices.Contains(s.Algorithms, a) }
