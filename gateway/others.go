package gateway

import (
	"cmp"
	"slices"
	"strings"
)

// Other is a route that a request did not go to.
type Other struct {
	Route string `json:"route"`
	Why   string `json:"why"` // it did not match, or another was the better match
}

// maxOthers is how many routes beside the right one are worth reading about.
const maxOthers = 3

// near is how near a route came to a request.
type near struct {
	route      *Route
	host, path bool // that fits
	shared     int  // segments that its path and the request's begin with
}

// others says why the routes that came nearest to a request did not take it. Chosen
// is the one that did; nil: none.
func (t *Table) others(host, path, method string, chosen *Route) []Other {
	host = canonicalHost(host)
	var all []near
	for _, r := range t.routes {
		n := near{r, r.special(host) >= 0, pathUnder(path, r.Path), sharedSegments(path, r.Path)}
		if r != chosen && (n.path || n.host && (n.shared > 0 || chosen == nil)) {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.shared, a.shared))
	})
	var out []Other
	for _, n := range all[:min(len(all), maxOthers)] {
		out = append(out, Other{n.route.Name, n.why(host, method, chosen)})
	}
	return out
}

func (n near) rank() int {
	switch {
	case n.host && n.path:
		return 2
	case n.path:
		return 1
	}
	return 0
}

func (n near) why(host, method string, chosen *Route) string {
	switch r := n.route; {
	case !n.host:
		return "its hosts are " + strings.Join(r.Hosts, ", ")
	case !n.path:
		return r.Path + " is not a prefix of the path"
	case !r.allows(method):
		return "it takes " + strings.Join(r.Methods, ", ") + " only"
	case chosen == nil:
		return "a longer path or a more special host belongs to routes that do not take the method"
	case chosen.special(host) > r.special(host):
		return "a more special host goes before a longer path, and its hosts are " + cmp.Or(strings.Join(r.Hosts, ", "), "any")
	}
	return "its path " + n.route.Path + " is shorter"
}

// special returns a rank for the most specific of the route's hosts that fits a host, in
// the order that Match uses: exact before wildcard, the longer wildcard before the
// shorter, any host last. Below 0 none fits.
func (r *Route) special(host string) int {
	if len(r.Hosts) == 0 {
		return 0
	}
	best := -1
	for _, one := range r.Hosts {
		rest, wild := strings.CutPrefix(one, "*")
		switch {
		case one == host:
			return 1 << 16
		case wild && strings.HasSuffix(host, rest):
			best = max(best, len(rest))
		}
	}
	return best
}

// pathUnder reports whether a path begins with the whole segments of a prefix.
func pathUnder(path, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// sharedSegments counts the segments that two paths begin with.
func sharedSegments(a, b string) int {
	n, others := 0, strings.Split(strings.Trim(b, "/"), "/")
	for segment := range strings.SplitSeq(strings.Trim(a, "/"), "/") {
		if n == len(others) || segment == "" || segment != others[n] {
			break
		}
		n++
	}
	return n
}
