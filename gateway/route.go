package gateway

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate/gateway/upstream"
	"tollgate/keys/token"
)

// Mode says whether a route needs a token.
type Mode string

// The modes of a route.
const (
	Required Mode = "required" // no token, no entry
	Optional Mode = "optional" // without a token anonymous; a bad token is still refused
	None     Mode = "none"     // public: a token is not looked at
)

// Route is one row of the routing table, compiled and immutable.
type Route struct {
	Name string
	// Hosts in lower case without port, exact or "*.example.com"; empty: any.
	Hosts []string
	// Path prefix. It matches whole segments: /api matches /api and /api/x, not
	// /apix. A trailing slash makes no difference.
	Path string
	// Methods in upper case; empty: any.
	Methods []string
	// Permits are the spellings of a path that are refused elsewhere.
	Permits  spelling
	Upstream *upstream.Upstream
	Mode     Mode
	Policy   token.Policy
	// Carriers are where a credential is looked for, in their order.
	Carriers []carrier
	// Origins may use a cookie beside our own.
	Origins *origins
	// CORS lets pages of other origins read the answers; nil: nobody's.
	CORS *CORS
	// ReportOnly decides, logs and counts, but lets through.
	ReportOnly bool
	// WebSocket lets upgrades through.
	WebSocket bool
	// KeepStreams lets a stream outlive its token.
	KeepStreams bool
	Limits      Limits
	// Identity headers that are set from the token, in a fixed order.
	Identity []IdentityHeader
	// StripPrefix is removed from the path before it is forwarded.
	StripPrefix string
	// PreserveHost forwards the client's Host instead of the upstream's.
	PreserveHost bool
	// DropAuthorization keeps the Authorization header from the back end.
	DropAuthorization bool
	// Timeout until the first byte of the answer; 0: none.
	Timeout time.Duration
}

func (r *Route) allows(method string) bool {
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method)
}

// takes lists the methods that the route takes.
func (r *Route) takes() []string {
	if len(r.Methods) == 0 {
		return methods
	}
	return r.Methods
}

// overrideHeaders may name the method by which a back end goes in place of the
// request's own.
var overrideHeaders = [...]string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// overrides reports whether one of them is there.
func overrides(h http.Header) bool {
	for name := range h {
		// In every spelling that a back end could take for it.
		folded := foldName(name)
		if slices.ContainsFunc(overrideHeaders[:], func(o string) bool { return strings.ToLower(o) == folded }) {
			return true
		}
	}
	return false
}

// takesOverride reports whether the route takes the method, too, by which a back
// end may go in place of the request's own. A route that lists its methods would
// be left through such a header.
func (r *Route) takesOverride(h http.Header) bool {
	if len(r.Methods) == 0 {
		return true
	}
	for _, name := range overrideHeaders {
		for _, method := range h[name] {
			if !r.allows(strings.ToUpper(strings.TrimSpace(method))) {
				return false
			}
		}
	}
	return true
}

// Table finds the route of a request: exact host before wildcard before any
// host, then the longest prefix, then the method. It is immutable.
type Table struct {
	strip    stripSet
	private  string // a cookie that no back end gets; empty: none
	exact    map[string]prefixes
	wildcard map[string]prefixes // by the part behind "*."
	anyHost  prefixes
	routes   []*Route
	// cors is of refusals that no route gives: it knows the origins of all routes.
	cors *CORS
}

// prefixes holds the routes of one host by their path without trailing slash.
type prefixes map[string][]*Route

// newTable returns the table of routes. Builtin are the identity headers that are
// stripped whether a route sets them or not.
func newTable(routes []*Route, builtin []IdentityHeader) *Table {
	t := &Table{
		exact: map[string]prefixes{}, wildcard: map[string]prefixes{}, anyHost: prefixes{}, routes: routes,
		strip: newStripSet(routes, builtin), cors: joinCORS(routes),
	}
	for _, r := range routes {
		if len(r.Hosts) == 0 {
			t.anyHost.add(r)
		}
		for _, host := range r.Hosts {
			into, name := t.exact, host
			if rest, ok := strings.CutPrefix(host, "*."); ok {
				into, name = t.wildcard, rest
			}
			if into[name] == nil {
				into[name] = prefixes{}
			}
			into[name].add(r)
		}
	}
	return t
}

// Routes lists the routes in the order of the file.
func (t *Table) Routes() []*Route { return t.routes }

func (p prefixes) add(r *Route) {
	key := strings.TrimSuffix(r.Path, "/")
	p[key] = append(p[key], r)
}

// Match returns the route of a request. Where the path belongs to a route that
// does not take the method, the route is nil and allow names the methods that
// are taken: a shorter prefix is not tried, since its policy was not meant for
// this path.
func (t *Table) Match(host, path, method string) (route *Route, allow []string) {
	host = canonicalHost(host)
	for candidates := range t.candidates(host, path) {
		for _, r := range candidates {
			if r.allows(method) {
				return r, nil
			}
			allow = append(allow, r.Methods...)
		}
		slices.Sort(allow)
		return nil, slices.Compact(allow)
	}
	return nil, nil
}

// candidates yields the rows of the best host and prefix first.
func (t *Table) candidates(host, path string) func(yield func([]*Route) bool) {
	return func(yield func([]*Route) bool) {
		if rows := t.exact[host].longest(path); rows != nil && !yield(rows) {
			return
		}
		for rest := host; len(t.wildcard) > 0; {
			_, after, found := strings.Cut(rest, ".")
			if !found {
				break
			}
			if rows := t.wildcard[after].longest(path); rows != nil && !yield(rows) {
				return
			}
			rest = after
		}
		if rows := t.anyHost.longest(path); rows != nil {
			yield(rows)
		}
	}
}

// longest cuts segment after segment from the path until it finds rows, so that
// the cost is that of the path's depth and not of the number of routes.
func (p prefixes) longest(path string) []*Route {
	if len(p) == 0 {
		return nil
	}
	for path = strings.TrimSuffix(path, "/"); ; path = path[:strings.LastIndexByte(path, '/')] {
		if rows := p[path]; rows != nil {
			return rows
		}
		if path == "" {
			return nil
		}
	}
}

// methods are those that can be written into a route.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// Upstreams lists the upstreams that routes use, each once.
func (t *Table) Upstreams() []*upstream.Upstream {
	var out []*upstream.Upstream
	for _, r := range t.routes {
		if !slices.Contains(out, r.Upstream) {
			out = append(out, r.Upstream)
		}
	}
	return out
}
