package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tollgate/keys/token"
)

// Description is a route in words, for lists and for whoever wants to know why a
// request is treated as it is.
type Description struct {
	Name           string            `json:"name"`
	Hosts          []string          `json:"hosts,omitempty"`
	Path           string            `json:"path"`
	Methods        []string          `json:"methods,omitempty"`
	Upstream       string            `json:"upstream"`
	URLs           []string          `json:"urls"`
	Mode           string            `json:"mode"`
	TokenFrom      []string          `json:"token_from,omitempty"`
	TokenTypes     []string          `json:"token_types,omitempty"`
	Audiences      []string          `json:"audiences,omitempty"`
	Scopes         []string          `json:"scopes,omitempty"`
	Claims         map[string]string `json:"claims,omitempty"`
	OnUnavailable  string            `json:"on_unavailable"`
	MaxStale       string            `json:"max_stale"`
	IdentityHeader map[string]string `json:"identity_headers,omitempty"`
	StripPrefix    string            `json:"strip_prefix,omitempty"`
	Timeout        string            `json:"timeout"`
	ReportOnly     bool              `json:"report_only,omitempty"`
	WebSocket      bool              `json:"websocket,omitempty"`
	Rate           string            `json:"rate,omitempty"`
	BodyLimit      int64             `json:"body_limit,omitempty"`
}

// Describe returns the route in words.
func (r *Route) Describe() Description {
	d := Description{
		Name: r.Name, Hosts: r.Hosts, Path: r.Path, Methods: r.Methods, Upstream: r.Upstream.Name(), URLs: r.Upstream.URLs(), Mode: string(r.Mode),
		TokenTypes: r.Policy.TokenTypes, Audiences: r.Policy.Audiences, Scopes: r.Policy.Scopes, OnUnavailable: "deny",
		MaxStale: r.Policy.MaxStale.String(), StripPrefix: r.StripPrefix, Timeout: r.Timeout.String(), ReportOnly: r.ReportOnly,
		WebSocket: r.WebSocket, BodyLimit: r.Limits.Body,
	}
	if r.Policy.OnUnavailable == token.Allow {
		d.OnUnavailable = "allow"
	}
	if r.Limits.Rate.Limit > 0 {
		d.Rate = r.Limits.Rate.String() + map[bool]string{true: " per subject", false: " per address"}[r.Limits.PerSubject]
	}
	if r.Mode == None {
		return d
	}
	for _, c := range r.Carriers {
		d.TokenFrom = append(d.TokenFrom, c.String())
	}
	d.Claims, d.IdentityHeader = map[string]string{}, map[string]string{}
	for _, rule := range r.Policy.Claims {
		d.Claims[rule.Name] = strings.Join(rule.OneOf, " or ")
		if len(rule.OneOf) == 0 {
			d.Claims[rule.Name] = "(present)"
		}
	}
	for _, h := range r.Identity {
		d.IdentityHeader[h.Name] = h.Claim
		if h.OrSubject {
			d.IdentityHeader[h.Name] = strings.TrimPrefix(h.Claim+" or subject", " or ")
		}
	}
	return d
}

// String is the carrier as the routes file writes it.
func (c carrier) String() string {
	switch c.kind {
	case inNamedHeader:
		return "header:" + c.name
	case inSubprotocol:
		return "websocket-protocol"
	case inCookie:
		return "cookie:" + c.name
	case inQuery:
		return "query:" + c.name
	}
	return "header"
}

// Finding says what becomes of a request before its token is looked at.
type Finding struct {
	Status int          `json:"status"` // 0: it goes on to the route's policy
	Why    string       `json:"why"`
	Route  *Description `json:"route,omitempty"`
}

// Check says which route takes a request, and why, with the code that serves it.
// The URL is whole, or a path on any host.
func (t *Table) Check(method, rawURL string) (Finding, error) {
	u, err := url.Parse(rawURL)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		return Finding{}, fmt.Errorf("%q is neither a URL nor a path", rawURL)
	}
	requestURI := rawURL
	if u.Host != "" {
		requestURI = strings.TrimPrefix(rawURL, u.Scheme+"://"+u.Host)
	}
	r := &http.Request{Method: method, URL: u, RequestURI: requestURI, Host: u.Host}
	at, err := readTarget(r)
	if err != nil {
		return Finding{Status: http.StatusBadRequest, Why: err.Error()}, nil
	}
	if isForwardAuth(u.Path) {
		return Finding{Why: forwardAuthPath + " answers for other proxies"}, nil
	}
	route, allow := t.Match(u.Host, at.path, method)
	if route == nil {
		if allow != nil {
			return Finding{Status: http.StatusMethodNotAllowed, Why: "the path belongs to routes that take " + strings.Join(allow, ", ")}, nil
		}
		return Finding{Status: http.StatusNotFound, Why: "no route has this host and a prefix of this path"}, nil
	}
	d := route.Describe()
	if !t.permits(route, u.Host, at, method) {
		return Finding{Status: http.StatusBadRequest, Why: "the route does not allow this spelling of a path (match.allow), or another reading of it belongs to another route", Route: &d}, nil
	}
	host := "any host"
	if len(route.Hosts) > 0 {
		host = "host " + strings.Join(route.Hosts, ", ")
	}
	return Finding{Why: fmt.Sprintf("%s and the prefix %s are the most special that fit", host, route.Path), Route: &d}, nil
}
