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
	scheme, rest := cutField(values[0])
	if scheme == "" || !slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, scheme) }) {
		return "", nil
	}
	token, rest := cutField(rest)
	if more, _ := cutField(rest); token == "" || more != "" {
		return "", BadHeader()
	}
	return token, nil
}

// cutField takes the first word off a line in which blanks and tabs stand between
// words. It leaves no garbage: every request comes by here.
func cutField(line string) (word, rest string) {
	from := 0
	for from < len(line) && (line[from] == ' ' || line[from] == '\t') {
		from++
	}
	line = line[from:]
	// A token is long: two searches at the processor's own width beat a loop.
	end := strings.IndexByte(line, ' ')
	if end < 0 {
		end = len(line)
	}
	if tab := strings.IndexByte(line[:end], '\t'); tab >= 0 {
		end = tab
	}
	return line[:end], line[end:]
}
