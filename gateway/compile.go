package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tollgate/keys/token"
)

// compile turns the file into a table and collects every fault.
func (f *file) compile(d Defaults) (*Table, error) {
	c := &compiler{file: f, defaults: d, builtin: BuiltinIdentity(d.UserIDClaim), upstreams: map[string]*Upstream{}}
	if f.Version != 1 {
		c.fault("version: this program reads version 1")
	}
	if len(f.Routes) == 0 {
		c.fault("routes: there is none")
	}
	for name, u := range f.Upstreams {
		upstream, err := NewUpstream(name, u.URLs)
		if err != nil {
			c.faults = append(c.faults, err)
		}
		c.upstreams[name] = upstream
	}
	var routes []*Route
	names := map[string]bool{}
	for i := range f.Routes {
		fr := &f.Routes[i]
		switch {
		case !routeName.MatchString(fr.Name):
			c.fault("route %d: a name of 1 to 64 letters, digits, '.', '_' and '-' is required, found %q", i+1, fr.Name)
		case names[fr.Name]:
			c.fault("route %q: the name is used twice", fr.Name)
		}
		names[fr.Name] = true
		routes = append(routes, c.route(fr))
	}
	c.overlaps(routes)
	if len(c.faults) > 0 {
		slices.SortStableFunc(c.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(c.faults...)
	}
	return NewTable(routes), nil
}

type compiler struct {
	file      *file
	defaults  Defaults
	builtin   []IdentityHeader
	upstreams map[string]*Upstream
	faults    []error
}

var (
	routeName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	hostName  = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$|^\[[0-9a-f:.]+\]$`)
	claimName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:/-]{0,127}$`)
)

func (c *compiler) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

func (c *compiler) route(fr *fileRoute) *Route {
	fd := &c.file.Defaults
	r := &Route{
		Name: fr.Name, Path: fr.Match.Path, Upstream: c.upstreams[fr.Upstream],
		Mode:         Mode(firstText(fr.Auth.Mode, fd.Auth.Mode, string(Required))),
		StripPrefix:  fr.Rewrite.StripPrefix,
		PreserveHost: fr.Rewrite.PreserveHost,
		Timeout:      fr.Timeout.or(fd.Timeout.or(30 * time.Second)),
		Identity:     mergeIdentity(mergeIdentity(c.builtin, fd.Identity), fr.Identity),
	}
	r.DropAuthorization = !firstBool(fr.ForwardAuz, fd.ForwardAuz, true)
	if r.Upstream == nil {
		c.fault("route %q: upstream %q is not among the upstreams", fr.Name, fr.Upstream)
	}
	if r.Mode != Required && r.Mode != Optional && r.Mode != None {
		c.fault("route %q: auth.mode is one of required, optional, none, not %q", fr.Name, r.Mode)
	}
	c.match(fr, r)
	c.identity(fr.Name, fr.Identity)
	r.Policy = c.policy(fr)
	return r
}

func (c *compiler) match(fr *fileRoute, r *Route) {
	for _, host := range fr.Match.Hosts {
		host = strings.ToLower(host)
		if !hostName.MatchString(host) {
			c.fault("route %q: %q is not a host name (no port; a wildcard is *.example.com)", fr.Name, host)
		}
		r.Hosts = append(r.Hosts, host)
	}
	for _, path := range []struct{ field, value string }{{"match.path", fr.Match.Path}, {"rewrite.strip_prefix", fr.Rewrite.StripPrefix}} {
		if path.value == "" && path.field != "match.path" {
			continue
		}
		if !strings.HasPrefix(path.value, "/") || checkSegments(path.value) != nil || strings.ContainsAny(path.value, "?#;%") {
			c.fault("route %q: %s is a path that begins with '/', without '//', dot segments, '%%', '?', '#' and ';', not %q", fr.Name, path.field, path.value)
		}
	}
	strip, path := strings.TrimSuffix(r.StripPrefix, "/"), strings.TrimSuffix(r.Path, "/")
	if strip != "" && path != strip && !strings.HasPrefix(path, strip+"/") {
		c.fault("route %q: rewrite.strip_prefix %q is not a prefix of match.path %q", fr.Name, r.StripPrefix, r.Path)
	}
	for _, method := range fr.Match.Methods {
		if !slices.Contains(methods, method) {
			c.fault("route %q: %q is not a method (%s)", fr.Name, method, strings.Join(methods, ", "))
		}
		r.Methods = append(r.Methods, method)
	}
	if slices.Contains(r.Methods, http.MethodGet) && !slices.Contains(r.Methods, http.MethodHead) {
		r.Methods = append(r.Methods, http.MethodHead) // RFC 9110 section 9.3.2
	}
}

func (c *compiler) identity(name string, headers map[string]string) {
	for header, claim := range headers {
		if !plainName(header) || isForwarding(http.CanonicalHeaderKey(header)) || hopByHop(header) {
			c.fault("route %q: identity header %q is not a name that may be set ([A-Za-z0-9-], no X-Forwarded-*, no connection header)", name, header)
		}
		if !claimName.MatchString(claim) {
			c.fault("route %q: identity header %s: %q is not the name of a claim", name, header, claim)
		}
	}
}

func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Host",
		"Content-Length", "Authorization", "Cookie", "Proxy-Authorization", "Proxy-Authenticate":
		return true
	}
	return false
}

func (c *compiler) policy(fr *fileRoute) token.Policy {
	fd := &c.file.Defaults
	p := token.Policy{
		Audiences:  firstList(fr.Auth.Audiences, fd.Auth.Audiences),
		TokenTypes: firstList(fr.Auth.TokenTypes, fd.Auth.TokenTypes),
		Scopes:     firstList(fr.Auth.Scopes, fd.Auth.Scopes),
		MaxStale:   fr.Revocation.MaxStale.or(fd.Revocation.MaxStale.or(c.defaults.MaxStale)),
	}
	switch on := firstText(fr.Revocation.OnUnavailable, fd.Revocation.OnUnavailable, c.defaults.OnUnavailable, "deny"); on {
	case "deny":
	case "allow":
		p.OnUnavailable = token.Allow
	default:
		c.fault("route %q: revocation.on_unavailable is deny or allow, not %q", fr.Name, on)
	}
	for _, tt := range p.TokenTypes {
		if tt != "access" && tt != "sliding" {
			c.fault("route %q: auth.token_types may hold access and sliding, not %q", fr.Name, tt)
		}
	}
	return p
}

// overlaps finds routes of which the second can never match.
func (c *compiler) overlaps(routes []*Route) {
	for i, a := range routes {
		for _, b := range routes[i+1:] {
			if strings.TrimSuffix(a.Path, "/") == strings.TrimSuffix(b.Path, "/") && shareHost(a, b) && shareMethod(a, b) {
				c.fault("route %q: route %q takes the same host, path and method already", b.Name, a.Name)
			}
		}
	}
}

func shareHost(a, b *Route) bool {
	return len(a.Hosts) == 0 && len(b.Hosts) == 0 ||
		slices.ContainsFunc(a.Hosts, func(h string) bool { return slices.Contains(b.Hosts, h) })
}

func shareMethod(a, b *Route) bool {
	return len(a.Methods) == 0 || len(b.Methods) == 0 ||
		slices.ContainsFunc(a.Methods, func(m string) bool { return slices.Contains(b.Methods, m) })
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func firstList(own, inherited []string) []string {
	if own != nil {
		return own
	}
	return inherited
}

func firstBool(own, inherited *bool, otherwise bool) bool {
	switch {
	case own != nil:
		return *own
	case inherited != nil:
		return *inherited
	}
	return otherwise
}
