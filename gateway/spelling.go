package gateway

import (
	"fmt"
	"strings"
)

// spelling is a set of the spellings that a route may allow.
type spelling uint8

const (
	encodedSlash spelling = 1 << iota // %2F within a segment
	semicolon                         // ;name=value, and %3B
	doubleSlash                       // //

	everySpelling = encodedSlash | semicolon | doubleSlash
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

// encodedSeparators finds %2f and %3b, and what is never accepted: %5c and %00. Bad
// escapes never come here: net/http answers them with 400.
func encodedSeparators(raw string) (found spelling, bad bool) {
	for {
		i := strings.IndexByte(raw, '%')
		if i < 0 || i+2 >= len(raw) {
			return found, bad
		}
		switch strings.ToLower(raw[i+1 : i+3]) {
		case "2f":
			found |= encodedSlash
		case "3b": // some unescape before they cut parameters off
			found |= semicolon
		case "5c", "00":
			bad = true
		}
		raw = raw[i+3:]
	}
}

// permits reports whether a route allows the spelling of the path that led to it. A back
// end may read such a path in another way: unescape a slash, cut parameters off, merge
// slashes. So every such reading must lead to the same route: allowing /files/a%2Fb must
// not open /files/secret%2Fb where /files/secret belongs to another route.
func (t *Table) permits(route *Route, host string, at target, method string) bool {
	if at.spelling == 0 {
		return true
	}
	if at.spelling&^route.Permits != 0 {
		return false
	}
	for lax := spelling(1); lax <= everySpelling; lax++ {
		if lax&^at.spelling != 0 {
			continue
		}
		if other, _ := t.Match(host, at.read(lax), method); other != route {
			return false
		}
	}
	return true
}

// read returns the path as somebody reads it who does not keep to these spellings.
func (t target) read(lax spelling) string {
	path := t.path
	if lax&encodedSlash != 0 {
		path = strings.NewReplacer("%2f", "/", "%2F", "/").Replace(path)
	}
	if lax&semicolon != 0 {
		segments := strings.Split(path, "/")
		for i, segment := range segments {
			segments[i], _, _ = strings.Cut(segment, ";")
		}
		path = strings.Join(segments, "/")
	}
	for lax&doubleSlash != 0 && strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}
