package issuer

import (
	"io"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// params are the parameters of a request to an OAuth endpoint: from the body alone,
// for what stands in a URL is written to logs (RFC 6749 sections 2.3.1, 3.2).
type params map[string][]string

// repeatable may come more than once: RFC 8693 section 2.1, RFC 8707 section 2.
var repeatable = [...]string{"audience", "resource"}

// readParams reads a form. A parameter without a value counts as omitted, one that
// comes twice is a fault (RFC 6749 section 3.2).
func (c *call) readParams() (params, error) {
	mediaType, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, badRequest(invalidRequest, "The body is not of the type application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return nil, bodyFault(err)
	}
	out, seen := params{}, map[string]bool{}
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(rawName)
		value, err2 := url.QueryUnescape(rawValue)
		if err1 != nil || err2 != nil || !utf8.ValidString(name) || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return nil, badRequest(invalidRequest, "The body is not a form.")
		}
		if seen[name] && !slices.Contains(repeatable[:], name) {
			return nil, badRequest(invalidRequest, "A parameter came more than once.")
		}
		if seen[name] = true; value != "" {
			out[name] = append(out[name], value)
		}
	}
	return out, nil
}

// get returns a parameter, "" when it was omitted.
func (p params) get(name string) string {
	if v := p[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// words are the members of a list parameter. RFC 6749 section 3.3: a blank
// separates; the same one twice is one.
func (p params) words(name string) []string {
	var out []string
	for word := range strings.SplitSeq(p.get(name), " ") {
		if word != "" && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// targets are for whom a token is asked: RFC 8693 section 2.1 audience, RFC 8707
// section 2 resource, which must be an absolute URI without a fragment.
func (p params) targets() ([]string, error) {
	for _, resource := range p["resource"] {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || strings.Contains(resource, "#") {
			return nil, badRequest(invalidTarget, "A resource is not an absolute URI without a fragment.")
		}
	}
	out := slices.Concat(p["audience"], p["resource"])
	slices.Sort(out)
	return slices.Compact(out), nil
}

// within returns what is asked for when all of it is allowed, and all that is
// allowed when nothing is asked for.
func within(asked, allowed []string) ([]string, bool) {
	if len(asked) == 0 {
		return allowed, true
	}
	for _, a := range asked {
		if !slices.Contains(allowed, a) {
			return nil, false
		}
	}
	return asked, true
}

// common are the members of a that b has, too.
func common(a, b []string) []string {
	var out []string
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
