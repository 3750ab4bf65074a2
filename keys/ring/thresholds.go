package ring

import (
	"time"

	"tollgate/keys"
)

// The moments in the life of a key, as pure functions of its times and of the
// settings. Everything that moves a key, and everything that foretells it, asks
// here.

// RipeAt is when a pending key may sign at the earliest: it was published for
// Prepublish.
func (s Settings) RipeAt(k Key) time.Time { return k.Created.Add(s.Prepublish) }

// SafeAt is when a pending key may sign without anybody's asking: also a set
// that was ServedAge old when a verifier got it is out of use.
func (s Settings) SafeAt(k Key) time.Time { return s.RipeAt(k).Add(s.ServedAge) }

// DueAt is when an active key has signed for long enough; false: it signs until
// somebody says otherwise.
func (s Settings) DueAt(k Key) (time.Time, bool) {
	return k.Activated.Add(s.RotateEvery), s.RotateEvery > 0
}

// life is how long a key stays published after it signed last.
func (s Settings) life(k Key) time.Duration { return max(s.TokenLife, k.TokenLife) }

// takeover is when the pending key of an algorithm takes over by itself; false:
// there is none, or only by hand.
func (s Settings) takeover(active, pending *Key) (time.Time, bool) {
	if pending == nil {
		return time.Time{}, false
	}
	at := s.SafeAt(*pending)
	if active == nil {
		return at, true
	}
	due, ever := s.DueAt(*active)
	if due.After(at) {
		at = due
	}
	return at, ever
}

// Line is a key with the moments of its life, those to come included. A time is
// zero for what will not happen, or cannot be foretold.
type Line struct {
	Key
	SignsFrom      time.Time
	SignsUntil     time.Time
	PublishedUntil time.Time
	// TokensUntil is when the last token that the key has signed until now is
	// dead, leeway included; zero when it has signed none that is still good.
	TokensUntil time.Time
}

// Timeline returns the keys of the ring with their moments. It assumes that
// nobody turns the ring by hand and that every edge gets each set in time.
func (r Ring) Timeline(now time.Time, s Settings) []Line {
	out := make([]Line, 0, len(r.Keys))
	for _, k := range r.Keys {
		l := Line{Key: k, SignsFrom: k.Activated, SignsUntil: k.Retired, PublishedUntil: k.PublishedUntil}
		switch k.State {
		case Pending:
			l.SignsFrom, _ = s.takeover(r.find(k.Algorithm, Active), &k)
			if !s.configured(k.Algorithm) || s.RotateEvery == 0 && r.find(k.Algorithm, Active) != nil {
				l.SignsFrom = time.Time{}
			}
		case Active:
			if at, ever := s.takeover(&k, r.find(k.Algorithm, Pending)); ever && s.configured(k.Algorithm) {
				l.SignsUntil, l.PublishedUntil = at, at.Add(s.life(k))
			}
			l.TokensUntil = now.UTC().Round(0).Add(s.life(k))
		case Retired:
			if !k.Activated.IsZero() {
				l.TokensUntil = k.PublishedUntil
			}
		case Revoked: // whatever it signed is refused
			l.SignsUntil = k.Revoked
			if k.Activated.IsZero() {
				l.SignsUntil = time.Time{}
			}
		}
		out = append(out, l)
	}
	return out
}

// find returns a copy of the key of an algorithm in a state, or nil.
func (r Ring) find(alg keys.Algorithm, state State) *Key {
	for _, k := range r.Keys {
		if k.Algorithm == alg && k.State == state {
			return &k
		}
	}
	return nil
}
