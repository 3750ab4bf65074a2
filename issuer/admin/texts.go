package admin

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"tollgate/internal/telemetry"
	"tollgate/revocation"
)

// named is a member of a body with its text.
type named struct{ member, text string }

// legible refuses texts of our own (names, reasons) that would not be read in a list, a
// log or a terminal as they were written: a control character there begins a line or
// drives the terminal, and one that turns the direction of reading shows another name.
func legible(texts ...named) error {
	for _, t := range texts {
		if strings.ContainsFunc(t.text, func(r rune) bool { return unicode.IsControl(r) || turns(r) }) {
			return badBody("The member " + t.member + " has a control character, a line break, or a character that turns the direction of reading.")
		}
	}
	return nil
}

// turns reports the embeddings, overrides and isolates of Unicode's bidirectional
// algorithm (UAX 9), and the two separators that end a line. The marks, which Arabic and
// Hebrew texts need, are none of them.
func turns(r rune) bool {
	return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' || r == '\u2028' || r == '\u2029'
}

// longestName is the longest jti, sid or subject that a token may have (package token).
const longestName = 255 // bytes

// nameable refuses what names no token, session, subject, key or issuer: control
// characters, of which no token that is taken here has one (package token, keys.NewKey),
// and what is longer than any. A revocation of it would only look like one: a line break
// that came along with what was copied, or a whole token. That one would also stand in the
// list, good as before, for everybody who may look. Everything else may stand in a token of
// another issuer, a character that turns the direction of reading too, and can be revoked.
func nameable(b revocationBody) error {
	if strings.ContainsFunc(b.Issuer, unicode.IsControl) {
		return nothingRevoked("issuer", "has a control character or a line break")
	}
	kinds := []revocation.Kind{revocation.KindJTI, revocation.KindSession, revocation.KindSubject, revocation.KindKey}
	kind := revocation.Kind(b.Kind)
	switch {
	case !slices.Contains(kinds, kind): // a whole token is read by another rule
		return nil
	case wholeToken(b.Value):
		return badBody(`The member value is a whole token, not a ` + b.Kind + `: nothing was revoked. Send it with "kind": "token" (tollgate revoke token -).`)
	case strings.ContainsFunc(b.Value, unicode.IsControl):
		return nothingRevoked("value", "has a control character or a line break")
	case kind != revocation.KindKey && len(b.Value) > longestName:
		return nothingRevoked("value", "is longer than 255 bytes")
	}
	return nil
}

func nothingRevoked(member, fault string) error {
	return badBody("The member " + member + " " + fault + ": no token that is accepted has one there, so nothing would be revoked.")
}

// wholeToken reports whether a text has the form of a JWT: a header of JSON, claims and a
// signature. An id of random characters has no dots.
func wholeToken(text string) bool {
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 3 {
		return false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	var members map[string]json.RawMessage
	return err == nil && json.Unmarshal(header, &members) == nil && members != nil
}

// tokenless refuses a token in a reason: it is kept as it is, and shown to everybody who
// may look.
func tokenless(reason string) error {
	if telemetry.HoldsToken(reason) {
		return badBody("The member reason holds a token. It would stand in the list and in the log for everybody who may look: leave it away.")
	}
	return nil
}
