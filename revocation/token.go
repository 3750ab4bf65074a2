package revocation

// Token is what a check needs to know of a token. Every field comes from bytes
// whose signature was verified.
type Token struct {
	Issuer  string // empty: our own, Settings.Own
	JTI     string
	SID     string // session; empty when the token has none
	Subject string
	KeyID   string // of the key that verified it
	// Signed is header.payload as it was signed. It is looked at only when JTI is
	// empty.
	Signed []byte
	// Born is the store time (µs) at which the token's session was born; 0 when
	// that is not known, and IssuedAt is compared instead.
	Born     int64
	IssuedAt int64 // unix seconds (iat)
	// Own says that the token is of our own issuer, and so no older than the
	// store unless the store was lost.
	Own bool
}

// probe is one entry that may speak of a token.
type probe struct {
	kind   Kind
	digest Digest
}

// maxProbes is the greatest number of probes of one token.
const maxProbes = 5

// probes appends to buf the entries that may speak of t, in the order of Kinds.
func (t *Token) probes(buf []probe, own string) []probe { return t.probesOf(buf, own, nil) }

// probesOf is probes with the digests that f has at hand; nil: none.
func (t *Token) probesOf(buf []probe, own string, f *familiar) []probe {
	issuer := t.Issuer
	if issuer == "" {
		issuer = own
	}
	add := func(kind Kind, id string) {
		buf = append(buf, probe{kind, f.digestOf(issuer, kind, id)})
	}
	switch {
	case t.JTI != "":
		add(KindJTI, t.JTI)
	case len(t.Signed) > 0:
		add(KindSigned, string(t.Signed))
	}
	if t.SID != "" {
		add(KindSession, t.SID)
	}
	if t.KeyID != "" {
		add(KindKey, t.KeyID)
	}
	if t.Subject != "" {
		add(KindSubject, t.Subject)
	}
	add(KindAll, "")
	return buf
}

// endedBy reports whether an entry of that kind, in force with that cut (µs, 0:
// nothing in force), ends t.
func (t *Token) endedBy(kind Kind, cut int64) bool {
	switch {
	case cut == 0:
		return false
	case !kind.CutOff():
		return true
	case t.Born != 0:
		return t.Born <= cut
	default:
		// iat has whole seconds: which side of a cut-off within its second the
		// token stood on cannot be known, so the second is refused whole.
		return t.IssuedAt <= cut/microsPerSecond
	}
}

// Name is an entry that may speak of a token.
type Name struct {
	Kind   Kind
	Digest Digest
}

// Names returns the entries that may speak of t, for whoever follows the feed and
// wants to know which of its records concern a token. Issuer must be set.
func (t *Token) Names() []Name {
	probes := t.probes(make([]probe, 0, maxProbes), "")
	out := make([]Name, len(probes))
	for i, p := range probes {
		out[i] = Name{p.kind, p.digest}
	}
	return out
}

// EndedBy reports whether an entry of that kind, in force with that cut (µs, 0:
// nothing in force any more), ends t.
func (t *Token) EndedBy(kind Kind, cut int64) bool { return t.endedBy(kind, cut) }
