package problem

import (
	"net/http"
	"slices"
	"strings"
)

// Bearer takes the one token of an Authorization header. It returns "" when
// there is none, and a refusal when the header cannot be read.
//
// Schemes compare without case (RFC 9110 section 11.1); one that is not among
// schemes belongs to somebody else and counts as no credential.
func Bearer(h http.Header, schemes []string) (string, *Refusal) {
	values := h["Authorization"]
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", Twice()
	}
	fields := strings.FieldsFunc(values[0], func(r rune) bool { return r == ' ' || r == '\t' })
	if len(fields) == 0 || !slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, fields[0]) }) {
		return "", nil
	}
	if len(fields) != 2 {
		return "", BadHeader()
	}
	return fields[1], nil
}
