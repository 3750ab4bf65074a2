package problem

import (
	"net/http"
	"strings"
)

// Cookie takes the value of a cookie; "" when there is none, or an empty one. One
// with the same name twice (two paths or domains) could be either's: it is refused.
//
// net/http leaves out a cookie whose value it does not like, and all of them where
// there are thousands: what stood beside the token would not be seen.
func Cookie(h http.Header, name string) (string, *Refusal) {
	found, value := 0, ""
	for _, line := range h["Cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			key, raw := cutCookie(part)
			if key != name {
				continue
			}
			found++
			if value = raw; len(raw) > 1 && raw[0] == '"' && raw[len(raw)-1] == '"' {
				value = raw[1 : len(raw)-1]
			}
		}
	}
	if found > 1 {
		return "", Twice()
	}
	return value, nil
}

// WithoutCookie takes a cookie out of a request's header, whatever its value is; the
// others stay as they were written.
func WithoutCookie(h http.Header, name string) {
	var lines []string
	changed := false
	for _, line := range h["Cookie"] {
		if !strings.Contains(line, name) {
			lines = append(lines, line)
			continue
		}
		var kept []string
		for part := range strings.SplitSeq(line, ";") {
			if key, _ := cutCookie(part); key == name {
				changed = true
				continue
			}
			kept = append(kept, strings.Trim(part, " \t"))
		}
		if text := strings.Join(kept, "; "); text != "" {
			lines = append(lines, text)
		}
	}
	switch {
	case !changed:
	case len(lines) == 0:
		delete(h, "Cookie")
	default:
		h["Cookie"] = lines
	}
}

// cutCookie splits name=value, RFC 6265 section 5.2 for white space around the name.
func cutCookie(part string) (name, value string) {
	name, value, _ = strings.Cut(strings.Trim(part, " \t"), "=")
	return strings.TrimRight(name, " \t"), value
}
