package revocation

import (
	"fmt"
	"strings"
	"time"
)

// MaxText is the greatest length in bytes of each text of an Order. A token's
// ids are far shorter. The value of a KindSigned is not kept and may have up to
// MaxSigned.
const (
	MaxText   = 1024
	MaxSigned = 64 << 10
)

// Latest is the latest end of a revoked life, the year 2106: mirrors keep it as
// unsigned 32-bit seconds. A token that claims to live longer is revoked until
// then.
const Latest = 1<<32 - 1 - 30*24*3600 // unix seconds, with room for any leeway

// Order asks a store to revoke something.
type Order struct {
	Kind   Kind
	Issuer string // whose tokens; empty: Settings.Own
	// Value is what is revoked: the jti, sid, subject, kid or signed part. For
	// KindAll it is empty, or the issuer again.
	Value string
	// Subject is whose token or session it is, for lists only. For KindSubject it
	// is always Value.
	Subject string
	Reason  string // why, for people; not valid UTF-8 is mended
	Actor   string // who said so, for people; likewise
	// ExpiresAt is the end of the life that the revocation ends, without leeway;
	// the store adds that. Zero means the longest life of the kind. KindKey
	// ignores it and never expires. What is later than Latest is taken as Latest.
	ExpiresAt time.Time
	// OfSession says that a jti may be of a refresh token, which outlives access tokens:
	// without ExpiresAt its revocation lasts as long as anything of a session may.
	OfSession bool
	// Wait says that somebody waits until every edge has applied this: it is told in
	// the feed in any case, and edges report at once (Record.Wanted).
	Wait bool
}

// prepared is an Order that was checked and brought into the form in which
// stores keep it.
type prepared struct {
	Order            // Issuer set; Value empty for KindAll and KindSigned
	digest    Digest // of the full value
	expiresMs int64  // unix ms; 0: not given
	lifeMs    int64  // when expiresMs is 0: from now; 0: never ends
}

// prepare checks o. Every error is ErrInvalid.
func (s Settings) prepare(o Order) (prepared, error) {
	if err := s.Validate(); err != nil { // NewMemory cannot refuse them
		return prepared{}, err
	}
	if _, err := ParseKind(string(o.Kind)); err != nil {
		return prepared{}, err
	}
	if o.Issuer == "" {
		o.Issuer = s.Own
	}
	if o.Issuer == "" {
		return prepared{}, fmt.Errorf("%w: no issuer", ErrInvalid)
	}
	if o.Kind == KindAll {
		if o.Value != "" && o.Value != o.Issuer {
			return prepared{}, fmt.Errorf("%w: kind all takes no value", ErrInvalid)
		}
		o.Value = ""
	} else if o.Value == "" {
		return prepared{}, fmt.Errorf("%w: no value", ErrInvalid)
	}
	if o.Kind == KindSubject {
		o.Subject = o.Value
	}
	p := prepared{digest: DigestOf(o.Issuer, o.Kind, o.Value)}
	if o.Kind == KindSigned {
		if len(o.Value) > MaxSigned {
			return prepared{}, fmt.Errorf("%w: value longer than %d bytes", ErrInvalid, MaxSigned)
		}
		o.Value = "" // claims are nobody's to keep
	}
	if err := shortEnough(o); err != nil {
		return prepared{}, err
	}
	o.Reason = strings.ToValidUTF8(o.Reason, "\uFFFD")
	o.Actor = strings.ToValidUTF8(o.Actor, "\uFFFD")
	p.Order = o
	p.setEnd(s)
	return p, nil
}

// setEnd works out when the revoked life ends.
func (p *prepared) setEnd(s Settings) {
	switch {
	case p.Kind == KindKey:
	case p.ExpiresAt.IsZero():
		p.lifeMs = s.life(p.Kind).Milliseconds()
		if p.OfSession && p.Kind == KindJTI {
			p.lifeMs = s.life(KindSession).Milliseconds()
		}
	// By seconds first: the milliseconds of an absurd exp overflow.
	case p.ExpiresAt.Unix() >= Latest:
		p.expiresMs = Latest * 1000
	case p.ExpiresAt.Unix() < 0:
		p.expiresMs = 1 // 0 is "not given"
	default: // a part of a millisecond counts as a whole one
		p.expiresMs = max(1, p.ExpiresAt.Add(time.Millisecond-1).UnixMilli())
	}
}

func shortEnough(o Order) error {
	for _, f := range [...]struct{ name, text string }{
		{"issuer", o.Issuer}, {"value", o.Value}, {"subject", o.Subject}, {"reason", o.Reason}, {"actor", o.Actor},
	} {
		if len(f.text) > MaxText {
			return fmt.Errorf("%w: %s longer than %d bytes", ErrInvalid, f.name, MaxText)
		}
	}
	return nil
}
