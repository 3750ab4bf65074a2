package revocation

import "fmt"

// Kind says what a revocation is about. The set is closed; the text of a kind is
// part of digests and of stored records and never changes.
type Kind string

const (
	// KindJTI is one token, by its jti.
	KindJTI Kind = "jti"
	// KindSession is one log-in and all that was minted for it, by its sid.
	KindSession Kind = "session"
	// KindSubject is a cut-off: every session of a subject born up to a moment.
	KindSubject Kind = "subject"
	// KindKey is every token signed by one key, by its kid. It never expires.
	KindKey Kind = "key"
	// KindAll is a cut-off: every session of an issuer born up to a moment.
	KindAll Kind = "all"
	// KindSigned is one token that has no jti, by its signed part
	// (header.payload). The signature is left out: some algorithms let anybody
	// write a second valid one.
	KindSigned Kind = "signed"
)

// Kinds returns every kind, in the order in which a check reports them.
func Kinds() []Kind {
	return []Kind{KindJTI, KindSigned, KindSession, KindKey, KindSubject, KindAll}
}

// ParseKind reads a kind, exact case. Any other text is ErrInvalid.
func ParseKind(s string) (Kind, error) {
	switch k := Kind(s); k {
	case KindJTI, KindSession, KindSubject, KindKey, KindAll, KindSigned:
		return k, nil
	}
	return "", fmt.Errorf("%w: unknown kind", ErrInvalid)
}

// CutOff reports whether k speaks of everything born up to a moment, rather than
// of one named thing.
func (k Kind) CutOff() bool { return k == KindSubject || k == KindAll }
