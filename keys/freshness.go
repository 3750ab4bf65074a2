package keys

import "time"

// Freshness says for how long a set may be kept that its owner confirmed some
// time ago. Whoever hands a set out takes its age off the max-age, so that a
// verifier which obeys never uses a set that is older than MaxAge and the little
// of Grace; and a set that is too old is not handed out at all.
type Freshness struct {
	// MaxAge of a set that is confirmed.
	MaxAge time.Duration
	// Grace is the age up to which a set counts as new. Zero: none.
	Grace time.Duration
	// Least is the age up to which a set is handed out in any case, with max-age 0
	// when it is past MaxAge: how long a confirmation may take. Zero: none.
	Least time.Duration
}

// ConfirmedFreshness is that of an issuer whose instances look at their store
// every second or so, and sign within confirm of the last look: a moment between
// two looks is no age, and a slow look takes no key set off the air.
func ConfirmedFreshness(maxAge, confirm time.Duration) Freshness {
	return Freshness{MaxAge: maxAge, Grace: min(maxAge/3, confirm), Least: confirm}
}

// Left returns the max-age of a set that was confirmed so long ago; negative: it
// must not be handed out.
func (f Freshness) Left(age time.Duration) time.Duration {
	switch {
	case age <= f.Grace:
		return f.MaxAge
	case age < f.MaxAge:
		return f.MaxAge - age
	case age <= f.Least:
		return 0
	}
	return -1
}

// Oldest is how old a set may get in the hands of a verifier that obeys.
func (f Freshness) Oldest() time.Duration { return max(f.MaxAge+f.Grace, f.Least) }
