package main

import (
	"fmt"
	"slices"
	"strings"
)

// splitList splits a comma separated list and trims its members. No members at
// all is an empty list; an empty one among others is not ok.
func splitList(text string) (members []string, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	for member := range strings.SplitSeq(text, ",") {
		member = strings.TrimSpace(member)
		if member == "" {
			return nil, false
		}
		members = append(members, member)
	}
	return members, true
}

// emptyMember is the fault of a list that splitList does not take.
const emptyMember = "has an empty member in its list"

// List is a comma separated list of text, without repetitions.
type List struct{ value[[]string] }

// Decode implements setting.
func (l *List) Decode(text string) error {
	return l.put(checkedList(text, func(member string) string {
		if len(member) > 255 || hasControl(member) {
			return "is longer than 255 bytes or has a control character in it"
		}
		return ""
	}))
}

// checkedList splits the text and checks each member.
func checkedList(text string, check func(member string) (problem string)) ([]string, string) {
	members, ok := splitList(text)
	if !ok {
		return nil, emptyMember
	}
	for i, member := range members {
		if problem := check(member); problem != "" {
			return nil, shown(member) + " " + problem
		}
		if slices.Contains(members[:i], member) {
			return nil, shown(member) + " stands there twice"
		}
	}
	return members, ""
}

// Hosts is a list of host names without port.
type Hosts struct{ value[[]string] }

// Decode implements setting.
func (h *Hosts) Decode(text string) error {
	return h.put(checkedList(strings.ToLower(text), func(member string) string {
		if strings.ContainsAny(member, "/:@?#") || hasBlankOrControl(member) {
			return "is not a host name without port"
		}
		return ""
	}))
}

// Schemes is a list of authentication schemes (RFC 9110 section 11.1): at least
// one, told apart without regard to case.
type Schemes struct{ value[[]string] }

// Decode implements setting.
func (s *Schemes) Decode(text string) error {
	members, problem := checkedList(text, func(member string) string {
		if strings.ContainsFunc(member, func(r rune) bool { return !isTokenRune(r) }) {
			return "is not the name of a scheme"
		}
		return ""
	})
	if problem == "" && len(members) == 0 {
		problem = "names no scheme"
	}
	for i, member := range members {
		if slices.ContainsFunc(members[:i], func(o string) bool { return strings.EqualFold(o, member) }) {
			problem = fmt.Sprintf("%s stands there twice", shown(member))
		}
	}
	return s.put(members, problem)
}

// isTokenRune reports whether r may be part of a token of RFC 9110 section 5.6.2.
func isTokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
