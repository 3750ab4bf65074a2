package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tollgate/gateway/upstream"
	"tollgate/internal/ratelimit"
	"tollgate/keys/token"
)

// compile turns the file into a table and collects every fault.
func (f *file) compile(d Defaults) (*Table, error) {
	c := &compiler{file: f, defaults: d, builtin: BuiltinIdentity(d.UserIDClaim), upstreams: map[string]*upstream.Upstream{}}
	if f.Version != 1 {
		c.fault("version: this program reads version 1")
	}
	if len(f.Routes) == 0 {
		c.fault("routes: there is none")
	}
	for name, u := range f.Upstreams {
		c.upstreams[name] = c.upstream(name, u)
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
	t := newTable(routes, c.builtin)
	t.private = c.defaults.RefreshCookie
	return t, nil
}

type compiler struct {
	file       *file
	defaults   Defaults
	builtin    []IdentityHeader
	identities [][]IdentityHeader // the different ones
	upstreams  map[string]*upstream.Upstream
	faults     []error
}

var (
	routeName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	hostName  = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$|^\[[0-9a-f:.]+\]$`)
	claimName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:/-]{0,127}$`)
	scopeName = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749 section 3.3
)

func (c *compiler) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

func (c *compiler) upstream(name string, f fileUpstream) *upstream.Upstream {
	u, err := upstream.New(upstream.Config{
		Name: name, URLs: f.URLs, Balance: f.Balance,
		Health:     upstream.HealthConfig{Path: f.Health.Path, Every: f.Health.Every.or(0), Timeout: f.Health.Timeout.or(0)},
		EjectAfter: f.Eject.After, EjectFor: f.Eject.For.or(0),
		ConnectTimeout: f.ConnectTimeout.or(0), IdleTimeout: f.IdleTimeout.or(0), MaxInFlight: f.MaxInFlight, HTTP2: f.HTTP2,
		CAFile: f.TLS.CAFile, CertFile: f.TLS.CertFile, KeyFile: f.TLS.KeyFile, ServerName: f.TLS.ServerName,
	})
	if err != nil {
		c.faults = append(c.faults, err)
	}
	return u
}

func (c *compiler) route(fr *fileRoute) *Route {
	fd := &c.file.Defaults
	r := &Route{
		Name: fr.Name, Path: fr.Match.Path, Upstream: c.upstreams[fr.Upstream],
		Mode:         Mode(firstText(fr.Own.Auth.Mode, fd.Auth.Mode, string(Required))),
		StripPrefix:  fr.Rewrite.StripPrefix,
		PreserveHost: fr.Rewrite.PreserveHost,
		Timeout:      fr.Own.Timeout.or(fd.Timeout.or(30 * time.Second)),
		Identity:     c.intern(mergeIdentity(mergeIdentity(c.builtin, fd.Identity), fr.Own.Identity)),
		WebSocket:    fr.WebSocket,
		ReportOnly:   firstBool(fr.Own.ReportOnly, fd.ReportOnly, false),
		KeepStreams:  !firstBool(fr.Own.CloseStreams, fd.CloseStreams, true),
	}
	r.DropAuthorization = !firstBool(fr.Own.ForwardAuz, fd.ForwardAuz, true)
	if r.Upstream == nil {
		if _, named := c.file.Upstreams[fr.Upstream]; !named {
			c.fault("route %q: upstream %q is not among the upstreams", fr.Name, fr.Upstream)
		}
	}
	if r.Mode != Required && r.Mode != Optional && r.Mode != None {
		c.fault("route %q: auth.mode is one of required, optional, none, not %q", fr.Name, r.Mode)
	}
	c.match(fr, r)
	c.identity(fr.Name, fr.Own.Identity)
	c.identity(fr.Name, fd.Identity)
	c.carriers(fr, r)
	c.crossOrigin(fr, r)
	c.limits(fr, r)
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
	c.path(fr.Name, "match.path", fr.Match.Path)
	if fr.Rewrite.StripPrefix != "" {
		c.path(fr.Name, "rewrite.strip_prefix", fr.Rewrite.StripPrefix)
	}
	strip, path := strings.TrimSuffix(r.StripPrefix, "/"), strings.TrimSuffix(r.Path, "/")
	if strip != "" && path != strip && !strings.HasPrefix(path, strip+"/") {
		c.fault("route %q: rewrite.strip_prefix %q is not a prefix of match.path %q", fr.Name, r.StripPrefix, r.Path)
	}
	for _, text := range fr.Match.Allow {
		permit, err := parseSpelling(text)
		if err != nil {
			c.fault("route %q: match.allow: %w", fr.Name, err)
		}
		r.Permits |= permit
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

func (c *compiler) path(route, field, path string) {
	t, err := parseTarget(path, path)
	if !strings.HasPrefix(path, "/") || err != nil || t.spelling != 0 || strings.ContainsAny(path, "?%") {
		c.fault("route %q: %s is a path that begins with '/', without '//', dot segments, '%%', '?', '#' and ';', not %q", route, field, path)
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

// intern returns the list of an earlier route that is the same: what is made of a
// token for one route then serves the other.
func (c *compiler) intern(list []IdentityHeader) []IdentityHeader {
	for _, known := range c.identities {
		if slices.Equal(known, list) {
			return known
		}
	}
	c.identities = append(c.identities, list)
	return list
}

func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Host",
		"Content-Length", "Authorization", "Cookie", "Proxy-Authorization", "Proxy-Authenticate":
		return true
	}
	return false
}

func (c *compiler) carriers(fr *fileRoute, r *Route) {
	from := firstList(fr.Own.Auth.TokenFrom, c.file.Defaults.Auth.TokenFrom)
	if from == nil {
		from = []string{"header"}
		for _, cookie := range []string{c.defaults.ImpersonationCookie, c.defaults.Cookie} {
			if cookie != "" {
				from = append(from, "cookie:"+cookie)
			}
		}
	}
	for _, text := range from {
		one, err := parseCarrier(text)
		if err != nil {
			c.fault("route %q: auth.token_from: %w", fr.Name, err)
		}
		if slices.Contains(r.Carriers, one) {
			c.fault("route %q: auth.token_from names %q twice", fr.Name, text)
		}
		r.Carriers = append(r.Carriers, one)
	}
	if len(r.Carriers) == 0 && r.Mode == Required {
		c.fault("route %q: auth.token_from is empty: no request could have a token", fr.Name)
	}
	r.Carriers = sortCarriers(r.Carriers, c.defaults.ImpersonationCookie)
}

func (c *compiler) crossOrigin(fr *fileRoute, r *Route) {
	var err error
	if r.Origins, err = newOrigins(fr.Origins); err != nil {
		c.fault("route %q: origins: %w", fr.Name, err)
	}
	allowed := c.defaults.CORSOrigins
	for _, cors := range []*fileCORS{c.file.Defaults.CORS, fr.Own.CORS} {
		if cors != nil {
			allowed = cors.Origins
		}
	}
	if r.CORS, err = NewCORS(allowed); err != nil {
		c.fault("route %q: cors: %w", fr.Name, err)
	}
}

func (c *compiler) limits(fr *fileRoute, r *Route) {
	fd := c.file.Defaults.Limits
	for _, body := range []*size{fd.Body, fr.Own.Limits.Body} {
		if body != nil {
			r.Limits.Body = int64(*body)
		}
	}
	if rate := firstText(fr.Own.Limits.Rate, fd.Rate); rate != "" {
		var err error
		if r.Limits.Rate, err = ratelimit.ParseRate(rate); err != nil {
			c.fault("route %q: limits.rate: %w", fr.Name, err)
		}
	}
	switch per := firstText(fr.Own.Limits.Per, fd.Per, "subject"); per {
	case "subject":
		r.Limits.PerSubject = true
	case "address":
	default:
		c.fault("route %q: limits.per is subject or address, not %q", fr.Name, per)
	}
}

// overlaps finds routes of which the second can never match.
func (c *compiler) overlaps(routes []*Route) {
	type place struct{ host, path string }
	taken := map[place][]*Route{}
	for _, r := range routes {
		hosts := r.Hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, host := range hosts {
			at := place{host, strings.TrimSuffix(r.Path, "/")}
			for _, other := range taken[at] {
				if shareMethod(other, r) {
					c.fault("route %q: route %q takes the same host, path and method already", r.Name, other.Name)
				}
			}
			taken[at] = append(taken[at], r)
		}
	}
}

func shareMethod(a, b *Route) bool {
	return len(a.Methods) == 0 || len(b.Methods) == 0 ||
		slices.ContainsFunc(a.Methods, func(m string) bool { return slices.Contains(b.Methods, m) })
}

// policy reads what a route asks of a token.
func (c *compiler) policy(fr *fileRoute) token.Policy {
	fd := &c.file.Defaults
	p := token.Policy{
		Audiences:  firstList(fr.Own.Auth.Audiences, fd.Auth.Audiences),
		TokenTypes: firstList(fr.Own.Auth.TokenTypes, fd.Auth.TokenTypes),
		Scopes:     firstList(fr.Own.Auth.Scopes, fd.Auth.Scopes),
		MaxStale:   fr.Own.Revocation.MaxStale.or(fd.Revocation.MaxStale.or(c.defaults.MaxStale)),
	}
	switch on := firstText(fr.Own.Revocation.OnUnavailable, fd.Revocation.OnUnavailable, c.defaults.OnUnavailable, "deny"); on {
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
	for _, scope := range p.Scopes {
		if !scopeName.MatchString(scope) {
			c.fault("route %q: auth.scopes: %q is not a scope", fr.Name, scope)
		}
	}
	claims := fr.Own.Auth.Claims
	if claims == nil {
		claims = fd.Auth.Claims
	}
	p.Claims = c.claims(fr.Name, claims)
	return p
}

// claims reads rules: `name: value`, `name: [one, of]`, `name: {present: true}`.
func (c *compiler) claims(route string, rules map[string]any) []token.ClaimRule {
	var out []token.ClaimRule
	for name, want := range rules {
		rule := token.ClaimRule{Name: name}
		if !claimName.MatchString(name) {
			c.fault("route %q: auth.claims: %q is not the name of a claim", route, name)
		}
		ok := false
		switch want := want.(type) {
		case map[string]any:
			ok = len(want) == 1 && want["present"] == true
		case []any:
			ok = len(want) > 0
			for _, one := range want {
				text, simple := claimText(one)
				ok = ok && simple
				rule.OneOf = append(rule.OneOf, text)
			}
		default:
			var text string
			text, ok = claimText(want)
			rule.OneOf = []string{text}
		}
		if !ok {
			c.fault("route %q: auth.claims.%s is a value, a list of values, or {present: true}", route, name)
		}
		out = append(out, rule)
	}
	slices.SortFunc(out, func(a, b token.ClaimRule) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func claimText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int64, uint64, int, float64:
		return fmt.Sprint(v), true
	}
	return "", false
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
