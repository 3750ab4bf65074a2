package remote

import (
	"errors"
	"time"

	"tollgate/keys"
)

// Age is how old a moment counts.
func Age(since, now time.Time) time.Duration { return age(since, now) }

// PanickingParser returns what is left of a parser that panics.
func PanickingParser() error {
	_, _, err := guarded(func([]byte) (*keys.Set, []error, error) { panic("hunter2") })(nil)
	return err
}

// Brief is how many errors come into a log line.
func Brief(errs ...string) string {
	var list []error
	for _, e := range errs {
		list = append(list, errors.New(e))
	}
	return brief(list).Error()
}

// The bounds.
const (
	MaxMissing = maxMissing
	MaxWaiters = maxWaiters
)

// Missing returns how many kids are remembered as missing for an issuer.
func (i *Issuers) Missing(issuer string) int {
	u := i.sources[i.index(issuer)].(*urlSource)
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.missing.kids)
}

// Waiting returns how many requests wait for the fetch of an issuer.
func (i *Issuers) Waiting(issuer string) int {
	u := i.sources[i.index(issuer)].(*urlSource)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flight == nil {
		return 0
	}
	return u.flight.waiting
}

func (i *Issuers) index(issuer string) int {
	for n := range i.specs {
		if i.specs[n].Issuer == issuer {
			return n
		}
	}
	return -1
}
