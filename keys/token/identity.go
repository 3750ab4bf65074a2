package token

import (
	"math"
	"strings"
	"sync/atomic"
	"time"

	"tollgate/keys"
	"tollgate/revocation"
)

// Identity is what a verified token says. It is immutable and does not depend on
// the route: two routes that accept the same token share it.
type Identity struct {
	Issuer    string
	Subject   string // sub, or what the issuer's subject claim says
	JTI       string // empty only for an issuer that is excused from it
	SID       string // session, empty when the token belongs to none
	KeyID     string
	TokenType string // access, refresh, …; empty when the issuer does not say
	Algorithm keys.Algorithm
	// Actor is who acts in the subject's name (act.sub, RFC 8693 section 4.1), empty
	// when nobody does; ActorSID is the actor's own log-in, where the token names it.
	Actor, ActorSID string
	// Own says that the issuer is this system.
	Own bool
	// Born is the session's birth in microseconds of store time, 0 when the
	// token does not carry it.
	Born int64
	// IssuedAt and ExpiresAt are iat and exp; IssuedAt is zero without iat.
	IssuedAt, ExpiresAt time.Time

	notBefore float64
	issuedAt  float64
	expires   float64
	audience  []string
	scopes    []string
	named     string // iss as the token has it, empty without
	signed    []byte // header.payload, the identity's own
	header    header
	key       *keys.Key
	issuer    *Issuer
	claims    object
	revocable revocation.Token
	acting    *revocation.Token // the actor's standing; nil: nobody acts
	memos     atomic.Pointer[memo]
	prepared  atomic.Pointer[preparedToken]
}

// seal completes an identity by what is not said in its claims.
func (id *Identity) seal(key *keys.Key, h header, signed []byte) {
	// The key's own id, not the header's: a token without kid must still be
	// covered by the revocation of the key that signed it.
	id.KeyID, id.Algorithm, id.key, id.signed, id.header = key.ID(), h.alg, key, signed, h
	id.revocable = revocation.Token{
		Issuer: id.Issuer, JTI: id.JTI, SID: id.SID, Subject: id.Subject, KeyID: id.KeyID,
		Born: id.Born, IssuedAt: int64(id.issuedAt), Own: id.Own || id.issuer.RefuseBeforeStore,
	}
	if id.JTI == "" {
		id.revocable.Signed = signed
	}
	id.acting = id.standing()
}

// Has reports whether the token carries the claim, null included.
func (id *Identity) Has(claim string) bool {
	_, found := id.claims.get(claim)
	return found
}

// Text returns a claim as the text of a header: strings as they are, numbers and
// booleans as they were written, an array of strings joined by blanks (as
// scope is, RFC 6749 section 3.3), an object or another array as its JSON. It
// reports false when the claim is absent or null.
func (id *Identity) Text(claim string) (string, bool) {
	v, found := id.claims.get(claim)
	if !found {
		return "", false
	}
	switch v.kind {
	case kindNull:
		return "", false
	case kindString:
		return v.text()
	case kindArray:
		if list, ok := v.strings(); ok {
			return strings.Join(list, " "), true
		}
	}
	return string(v.raw), true
}

// Raw returns a claim as the JSON text that was signed.
func (id *Identity) Raw(claim string) ([]byte, bool) {
	v, found := id.claims.get(claim)
	return v.raw, found
}

// Number returns a claim that is a number.
func (id *Identity) Number(claim string) (float64, bool) {
	v, found := id.claims.get(claim)
	if !found {
		return 0, false
	}
	return v.float()
}

// Names lists the names of all claims in their order.
func (id *Identity) Names() []string {
	out := make([]string, len(id.claims))
	for i, m := range id.claims {
		out[i] = string(m.name)
	}
	return out
}

// Scopes returns the scope claim as a list, whichever of its two forms it has:
// RFC 8693 section 4.2 (blanks between) or an array of strings. Do not modify it.
func (id *Identity) Scopes() []string { return id.scopes }

// Audience returns aud as a list. Do not modify it.
func (id *Identity) Audience() []string { return id.audience }

// Signed returns the part of the token under the signature (header.payload): the
// name by which a token without jti is revoked.
func (id *Identity) Signed() string { return string(id.signed) }

// Ends is exp rounded up to whole seconds, without any leeway: what is to outlast the
// token must not end before it. ExpiresAt may lie up to a second earlier.
func (id *Identity) Ends() time.Time { return unix(math.Ceil(id.expires)) }

// Deadline is the moment from which the token is not accepted any more: exp and
// the leeway of its issuer.
func (id *Identity) Deadline() time.Time {
	return time.UnixMicro(int64(math.Ceil(id.expires * 1e6))).UTC().Add(id.issuer.Leeway)
}
