package gateway

import (
	"net/http"
	"slices"
	"strings"

	"tollgate/gateway/upstream"
	"tollgate/keys/token"
)

// IdentityHeader is a header that tells the back end something about the caller.
type IdentityHeader struct {
	Name  string // canonical
	Claim string
	// OrSubject falls back to the subject where the claim is absent.
	OrSubject bool
}

// BuiltinIdentity returns the headers that every route sets: X-User-Id from
// userIDClaim (else the subject), X-Token-Subject, X-Token-Jti, X-Token-Scope.
func BuiltinIdentity(userIDClaim string) []IdentityHeader {
	return []IdentityHeader{
		{Name: "X-User-Id", Claim: userIDClaim, OrSubject: true},
		{Name: "X-Token-Subject", OrSubject: true},
		{Name: "X-Token-Jti", Claim: "jti"},
		{Name: "X-Token-Scope", Claim: "scope"},
	}
}

// value returns what the header says of the caller. A value that no header can
// carry (control characters) is left out: it must not become two headers, and a
// back end must not see half a name.
func (h IdentityHeader) value(id *token.Identity) (string, bool) {
	s, ok := "", false
	if h.Claim != "" {
		s, ok = id.Text(h.Claim)
	}
	if !ok && h.OrSubject {
		s, ok = id.Subject, true
	}
	return s, ok && validValue(s)
}

// validValue reports whether a header carries the text as it is: no control
// characters, and no blanks at its ends, which HTTP would trim (" alice" must not
// arrive as alice).
func validValue(s string) bool {
	if s != strings.Trim(s, " \t") {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// stripSet is the names under which an identity header could be smuggled in, in
// their folded spelling. It spans all routes: a header that one route sets is
// not to be believed on any other. With them go our own request id and Proxy, which
// CGI turns into the setting HTTP_PROXY (CVE-2016-5385).
type stripSet map[string]struct{}

// newStripSet holds each name folded and in its canonical form, which is how
// net/http hands nearly every header over: that one is found without folding.
func newStripSet(routes []*Route, builtin []IdentityHeader) stripSet {
	set := stripSet{}
	add := func(name string) {
		set[foldName(name)] = struct{}{}
		set[http.CanonicalHeaderKey(foldName(name))] = struct{}{}
	}
	add("X-Request-Id")
	add("Proxy")
	for _, h := range builtin {
		add(h.Name)
	}
	for _, r := range routes {
		for _, h := range r.Identity {
			add(h.Name)
		}
	}
	return set
}

// holds reports whether a back end could take a header for one of the set.
func (s stripSet) holds(name string) bool {
	if _, ours := s[name]; ours {
		return true
	}
	if plainName(name) && name[0] != '-' && name[len(name)-1] != '-' && name == http.CanonicalHeaderKey(name) {
		return false // its fold's canonical form would have been found
	}
	_, ours := s[foldName(name)]
	return ours
}

// foldName lower-cases a header name, turns each other character into "-" and
// trims "-": the spellings that CGI and WSGI servers take for one name.
func foldName(name string) string {
	if plainName(name) {
		return strings.Trim(strings.ToLower(name), "-")
	}
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name), "-")
}

// plainName reports whether a header name is made of [A-Za-z0-9-] alone.
func plainName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return name != ""
}

// strip removes from a request's headers every imitation of an identity header
// and every name that a back end could take for another one.
func (s stripSet) strip(h http.Header) {
	for name := range h {
		if !plainName(name) || s.holds(name) {
			delete(h, name)
		}
	}
}

// headerValues are the identity headers of one caller.
type headerValues struct {
	fields []upstream.Field
	// nameless says that the caller's id cannot be written into a header.
	nameless bool
}

// identityValues returns what the headers say of a caller, made once for each
// remembered token and map of headers.
func identityValues(headers []IdentityHeader, id *token.Identity) *headerValues {
	if len(headers) == 0 {
		return &headerValues{}
	}
	return id.Memo(&headers[0], func(id *token.Identity) any {
		v := &headerValues{fields: make([]upstream.Field, 0, len(headers))}
		for _, h := range headers {
			switch text, ok := h.value(id); {
			case ok:
				v.fields = append(v.fields, upstream.Field{Name: h.Name, Value: text})
			case h.OrSubject:
				v.nameless = true
			}
		}
		return v
	}).(*headerValues)
}

// mergeIdentity adds the headers of a file or route to the built-in ones; one of
// the same name replaces it.
func mergeIdentity(builtin []IdentityHeader, added map[string]string) []IdentityHeader {
	out := slices.Clone(builtin)
	names := make([]string, 0, len(added))
	for name := range added {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := IdentityHeader{Name: http.CanonicalHeaderKey(name), Claim: added[name]}
		if i := slices.IndexFunc(out, func(o IdentityHeader) bool { return foldName(o.Name) == foldName(h.Name) }); i >= 0 {
			out[i] = h
		} else {
			out = append(out, h)
		}
	}
	return out
}
