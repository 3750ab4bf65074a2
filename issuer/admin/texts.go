package admin

import (
	"slices"
	"strings"
	"unicode"

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

// nameable refuses control characters in what names a token, session, subject, key or
// issuer. No token that has one is taken here (package token, keys.NewKey), so nothing
// could be meant by it, and a revocation of it would only look like one: a line break
// that came along with what was copied. Everything else may stand in a token of another
// issuer, a character that turns the direction of reading too, and can be revoked.
func nameable(b revocationBody) error {
	kinds := []string{string(revocation.KindJTI), string(revocation.KindSession), string(revocation.KindSubject), string(revocation.KindKey)}
	for _, t := range []named{{"issuer", b.Issuer}, {"value", b.Value}} {
		if t.member == "value" && !slices.Contains(kinds, b.Kind) {
			continue // a whole token is read by another rule
		}
		if strings.ContainsFunc(t.text, unicode.IsControl) {
			return badBody("The member " + t.member + " has a control character or a line break: no token that is accepted has one there, so nothing would be revoked.")
		}
	}
	return nil
}
