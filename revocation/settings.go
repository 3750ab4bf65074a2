package revocation

import (
	"fmt"
	"time"
)

// Lives of a Settings whose fields are zero.
const (
	DefaultAccessLife  = 5 * time.Minute
	DefaultSessionLife = 720 * time.Hour
)

// Settings tell a store how long what it revokes can live. The zero value is
// usable: default lives, no leeway, no own issuer.
type Settings struct {
	// Leeway is how long after its exp a token is still accepted. It is added to
	// the life of every entry, or a token would outlive its revocation.
	Leeway time.Duration
	// AccessLife is the longest life of an access token that any edge accepts.
	// Zero means DefaultAccessLife; a part of a millisecond does not count.
	AccessLife time.Duration
	// SessionLife is the longest life of anything that belongs to a session.
	// Zero means DefaultSessionLife.
	SessionLife time.Duration
	// Own is our issuer: the issuer of orders and tokens that name none. When it
	// is empty, an order must name its issuer.
	Own string
}

// Validate returns ErrInvalid when the leeway is negative or longer than a day, or
// a life is negative or longer than 50 years.
func (s Settings) Validate() error {
	const day, years = 24 * time.Hour, 50 * 365 * 24 * time.Hour
	for _, d := range [...]struct {
		name     string
		is, most time.Duration
	}{{"leeway", s.Leeway, day}, {"access life", s.AccessLife, years}, {"session life", s.SessionLife, years}} {
		if d.is < 0 || d.is > d.most {
			return fmt.Errorf("%w: %s must be between 0 and %s", ErrInvalid, d.name, d.most)
		}
	}
	return nil
}

// withDefaults fills in the lives that are zero.
func (s Settings) withDefaults() Settings {
	if s.AccessLife == 0 {
		s.AccessLife = DefaultAccessLife
	}
	if s.SessionLife == 0 {
		s.SessionLife = DefaultSessionLife
	}
	return s
}

// life returns the longest life that a revocation of that kind can end; 0 means
// that it never ends by itself.
func (s Settings) life(k Kind) time.Duration {
	switch k {
	case KindKey:
		return 0
	case KindJTI, KindSigned:
		return s.AccessLife
	default: // other issuers' access tokens may outlive our sessions
		return max(s.SessionLife, s.AccessLife)
	}
}

// horizon is how far back the feed reaches: nothing shorter-lived than this has
// to be written again.
func (s Settings) horizon() time.Duration { return s.AccessLife + s.Leeway }
