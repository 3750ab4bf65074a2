package gateway

import (
	"errors"
	"net/http"
	"strings"
)

// The path that is matched must be the path that the back end will act upon. Any
// spelling on which two parsers could differ is refused instead of mended
// (security must-hold 12): what passes is forwarded byte for byte.
var errPath = errors.New("the path is ambiguous: dot segments, empty segments, encoded separators, ';', '#', backslash and control characters are refused")

// checkPath refuses every target whose path has more than one reading.
func checkPath(r *http.Request) error {
	if !strings.HasPrefix(r.URL.Path, "/") {
		return errPath // "*", authority form
	}
	raw := r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		// EscapedPath mends some bytes; what the client sent counts.
		raw, _, _ = strings.Cut(r.RequestURI, "?")
	}
	if strings.ContainsAny(raw, ";\\#") || encodesSeparator(raw) {
		return errPath
	}
	return checkSegments(r.URL.Path)
}

// encodesSeparator finds %2f, %5c and %00 in either case. Bad escapes never come
// here: net/http answers them with 400.
func encodesSeparator(raw string) bool {
	for {
		i := strings.IndexByte(raw, '%')
		if i < 0 || i+2 >= len(raw) {
			return false
		}
		switch strings.ToLower(raw[i+1 : i+3]) {
		case "2f", "5c", "00":
			return true
		}
		raw = raw[i+3:]
	}
}

func checkSegments(path string) error {
	start := 1
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if c := path[i]; c < 0x20 || c == 0x7f || c == '\\' {
				return errPath
			}
			continue
		}
		switch segment := path[start:i]; {
		case segment == "." || segment == "..", segment == "" && i < len(path):
			return errPath
		}
		start = i + 1
	}
	return nil
}
