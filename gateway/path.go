package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The path that is matched must be the path that the back end will act upon. A spelling
// that two parsers could read differently is refused, and never mended: what passes is
// forwarded byte for byte.
var errPath = errors.New("the path is ambiguous: dot segments, empty segments, encoded separators, ';', '#', backslash and control characters are refused")

// target is the path of a request as it is matched.
type target struct {
	path     string   // unescaped, but for an encoded slash
	raw      string   // as it was written
	spelling spelling // what a route must allow for this path
}

// readTarget returns the path to match. It refuses a path that has more than one
// reading, whatever a route allows, and a Host that is not a valid host: policies are
// chosen by both.
func readTarget(r *http.Request) (target, error) {
	u := r.URL
	if !strings.HasPrefix(u.Path, "/") || strings.ContainsAny(r.RequestURI, "# ") {
		return target{}, errPath // "*", authority form; nobody sends a fragment or a blank
	}
	if u.Scheme != "" && (r.ProtoMajor > 1 || !isWebURL(u)) {
		return target{}, errPath // absolute form, which is HTTP/1's
	}
	if !validHost(r.Host) {
		return target{}, errHost
	}
	raw := u.RawPath
	switch {
	case strings.HasPrefix(r.RequestURI, "/"):
		raw, _, _ = strings.Cut(r.RequestURI, "?")
	case raw == "":
		raw = u.EscapedPath()
	}
	return parseTarget(raw, u.Path)
}

// isWebURL reports whether a URL is one of HTTP's, without a user (RFC 9110 section
// 4.2.4).
func isWebURL(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

func parseTarget(raw, decoded string) (target, error) {
	t := target{path: decoded, raw: raw}
	if strings.ContainsAny(raw, "\\#") { // a path of the routes file comes here as well
		return t, errPath
	}
	if strings.IndexByte(raw, ';') >= 0 {
		t.spelling |= semicolon
	}
	if strings.IndexByte(raw, '%') >= 0 {
		found, bad := encodedSeparators(raw)
		if bad {
			return t, errPath
		}
		t.spelling |= found
		if found&encodedSlash != 0 {
			// An encoded slash is part of its segment: it is matched as it is
			// written, so that no prefix is found across it.
			kept, err := url.PathUnescape(strings.NewReplacer("%2f", "%252f", "%2F", "%252F").Replace(raw))
			if err != nil {
				return t, errPath
			}
			t.path = kept
		}
	}
	double, err := checkSegments(decoded)
	if double {
		t.spelling |= doubleSlash
	}
	return t, err
}

// forward lets the URL of a request go on as it was written. One byte that a
// client should have escaped and did not makes net/url escape the whole path anew,
// whereby an encoded slash would become a plain one: such a byte is escaped here,
// and every escape stays as it is.
func (t target) forward(u *url.URL) {
	if u.RawPath == "" {
		return
	}
	var b strings.Builder
	for i := range len(t.raw) {
		if c := t.raw[i]; inPath(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	u.RawPath = b.String()
}

// inPath reports whether a byte may stand in a path as it is: RFC 3986 section
// 3.3, and the brackets, which browsers do not escape and net/url keeps.
func inPath(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("\"<>^`{|}", c) < 0
}

// checkSegments refuses dot segments, control characters and ASCII in disguise in
// a decoded path, and reports empty segments.
func checkSegments(path string) (double bool, err error) {
	start := 1
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if c := path[i]; c < 0x20 || c == 0x7f || c == '\\' || c >= 0xc0 && overlong(path[i:]) {
				return double, errPath
			}
			continue
		}
		segment := path[start:i]
		if cut := strings.IndexByte(segment, ';'); cut >= 0 {
			segment = segment[:cut] // "..;x" is ".." to some
			if segment == "" {
				return double, errPath
			}
		}
		switch {
		case segment == "." || segment == "..":
			return double, errPath
		case segment == "" && i < len(path):
			double = true
		}
		start = i + 1
	}
	return double, nil
}

// overlong reports whether text begins with more bytes than UTF-8 takes for its
// first character: to a lax decoder %c0%ae is a dot.
func overlong(text string) bool {
	if len(text) < 2 || text[1]&0xc0 != 0x80 {
		return false
	}
	switch text[0] {
	case 0xc0, 0xc1:
		return true
	case 0xe0:
		return text[1] < 0xa0
	case 0xf0:
		return text[1] < 0x90
	}
	return false
}
