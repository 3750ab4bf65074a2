package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// CORS lets pages of the listed origins read answers, our own refusals included:
// without it a single-page application sees a network error in place of a 401 and
// never refreshes. The zero value, or nil, allows nobody.
type CORS struct{ allowed *origins }

// NewCORS returns the rule for exact origins; nil for none.
func NewCORS(list []string) (*CORS, error) {
	if len(list) == 0 {
		return nil, nil
	}
	o, err := newOrigins(list)
	if err != nil {
		return nil, err
	}
	return &CORS{o}, nil
}

// joinCORS returns a rule for the origins of all routes together. It serves refusals
// that come before a route is found: they depend on nobody's credential, so that any
// listed page may read them.
func joinCORS(routes []*Route) *CORS {
	all := &CORS{&origins{list: map[string]struct{}{}}}
	for _, r := range routes {
		if r.CORS != nil {
			maps.Copy(all.allowed.list, r.CORS.allowed.list)
		}
	}
	if len(all.allowed.list) == 0 {
		return nil
	}
	return all
}

// exposed are the answer's headers that a page needs beside the safe ones.
const exposed = "Retry-After, WWW-Authenticate, X-Request-Id"

// apply sets the headers of an answer to a listed origin. It never says "*": the
// answer is to one caller. Vary is set in any case, so that no cache hands one
// origin's answer to another.
func (c *CORS) apply(h http.Header, r *http.Request) {
	if c == nil {
		return
	}
	addVary(h, "Origin")
	origin := r.Header.Get("Origin")
	if !c.allowed.listed(origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", exposed)
}

// expose adds to the answer what the back end lets pages read beyond our own.
func (c *CORS) expose(h http.Header, theirs []string) {
	if origin := h["Access-Control-Allow-Origin"]; len(origin) == 0 || origin[0] == "" {
		return
	}
	names := strings.Split(exposed, ", ")
	for _, value := range theirs {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.TrimSpace(name)
			known := slices.ContainsFunc(names, func(have string) bool { return strings.EqualFold(have, name) })
			if !known && (name == "*" || plainName(name)) {
				names = append(names, name)
			}
		}
	}
	h.Set("Access-Control-Expose-Headers", strings.Join(names, ", "))
}

// preflight answers the browser's question before a cross-origin request. It
// carries no credential by design, so it is answered before any is looked for. It
// reports false where the request is no preflight of a listed origin.
func (c *CORS) preflight(w http.ResponseWriter, r *http.Request, methods []string) bool {
	if !c.answer(w.Header(), r, methods) {
		return false
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// answer sets the header of the answer to a preflight of a listed origin.
func (c *CORS) answer(h http.Header, r *http.Request, methods []string) bool {
	if c == nil || !isPreflight(r) || !c.allowed.listed(r.Header.Get("Origin")) {
		return false
	}
	c.apply(h, r)
	addVary(h, "Access-Control-Request-Method", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && headerList(asked) {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	return true
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// headerList keeps what is echoed to a list of header names.
func headerList(text string) bool {
	for name := range strings.SplitSeq(text, ",") {
		if !plainName(strings.TrimSpace(name)) {
			return false
		}
	}
	return true
}

func addVary(h http.Header, names ...string) {
	have := strings.Split(strings.ToLower(strings.Join(h.Values("Vary"), ",")), ",")
	for i := range have {
		have[i] = strings.TrimSpace(have[i])
	}
	for _, name := range names {
		if !slices.Contains(have, strings.ToLower(name)) {
			h.Add("Vary", name)
		}
	}
}

// stripCORS removes the CORS headers of the back end from an answer to which the gateway
// adds its own: a browser that finds two values of one of them lets the page read
// nothing.
func stripCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}
