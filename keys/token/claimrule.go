package token

import (
	"math"
	"slices"
	"strconv"
)

// ClaimRule asks something of one claim.
type ClaimRule struct {
	// Name of the claim, exact case.
	Name string
	// OneOf are the values of which the claim must have one: its text, or any
	// element of it where it is an array of strings. Empty: the claim must only be
	// present and not null.
	OneOf []string
}

// Holds reports whether the token satisfies the rule. Numbers compare by value
// (1 and 1.0 are one), strings and booleans by their text.
func (r *ClaimRule) Holds(id *Identity) bool {
	v, found := id.claims.get(r.Name)
	if !found || v.kind == kindNull {
		return false
	}
	if len(r.OneOf) == 0 {
		return true
	}
	if list, ok := v.strings(); ok {
		return anyOf(list, r.OneOf)
	}
	switch v.kind {
	case kindString:
		s, _ := v.text()
		return slices.Contains(r.OneOf, s)
	case kindNumber:
		return slices.ContainsFunc(r.OneOf, func(want string) bool { return sameNumber(v, want) })
	case kindTrue, kindFalse:
		return slices.Contains(r.OneOf, string(v.raw))
	}
	return false
}

// sameNumber compares by value as far as a float64 is exact. Beyond, where
// neighbours become one, an identifier would match another tenant's: there only
// the same text is the same number.
func sameNumber(v value, want string) bool {
	if string(v.raw) == want {
		return true
	}
	n, ok := v.float()
	w, err := strconv.ParseFloat(want, 64)
	return ok && err == nil && n == w && math.Abs(n) < 1<<53
}
