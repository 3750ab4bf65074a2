package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The path that is matched must be the path that the back end will act upon. Any
// spelling on which two parsers could differ is refused instead of mended
// (security must-hold 12): what passes is forwarded byte for byte.
var errPath = errors.New("the path is ambiguous: dot segments, empty segments, encoded separators, ';', '#', backslash and control characters are refused")

// spelling is a set of the spellings that a route may allow.
type spelling uint8

const (
	encodedSlash spelling = 1 << iota // %2F within a segment
	semicolon                         // ;name=value
	doubleSlash                       // //
)

// parseSpelling reads one entry of match.allow.
func parseSpelling(text string) (spelling, error) {
	switch text {
	case "encoded_slash":
		return encodedSlash, nil
	case "semicolon":
		return semicolon, nil
	case "double_slash":
		return doubleSlash, nil
	}
	return 0, fmt.Errorf("%q is not one of encoded_slash, semicolon, double_slash", text)
}

// target is the path of a request as it is matched.
type target struct {
	path     string
	spelling spelling // what a route must allow for this path
}

// readTarget returns the path to match. It refuses every target whose path has
// more than one reading whatever a route allows.
func readTarget(r *http.Request) (target, error) {
	if !strings.HasPrefix(r.URL.Path, "/") {
		return target{}, errPath // "*", authority form
	}
	raw := r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		// EscapedPath mends some bytes; what the client sent counts.
		raw, _, _ = strings.Cut(r.RequestURI, "?")
	}
	return parseTarget(raw, r.URL.Path)
}

func parseTarget(raw, decoded string) (target, error) {
	t := target{path: decoded}
	if strings.ContainsAny(raw, "\\#") {
		return t, errPath
	}
	if strings.IndexByte(raw, ';') >= 0 {
		t.spelling |= semicolon
	}
	if strings.IndexByte(raw, '%') >= 0 {
		slash, bad := encodedSeparators(raw)
		if bad {
			return t, errPath
		}
		if slash {
			// An encoded slash is part of its segment: it is matched as it is
			// written, so that no prefix is found across it.
			t.spelling |= encodedSlash
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

// encodedSeparators finds %2f, and what is never accepted: %5c and %00. Bad
// escapes never come here: net/http answers them with 400.
func encodedSeparators(raw string) (slash, bad bool) {
	for {
		i := strings.IndexByte(raw, '%')
		if i < 0 || i+2 >= len(raw) {
			return slash, bad
		}
		switch strings.ToLower(raw[i+1 : i+3]) {
		case "2f":
			slash = true
		case "5c", "00":
			bad = true
		}
		raw = raw[i+3:]
	}
}

// checkSegments refuses dot segments and control characters in a decoded path,
// and reports empty segments.
func checkSegments(path string) (double bool, err error) {
	start := 1
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if c := path[i]; c < 0x20 || c == 0x7f || c == '\\' {
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
