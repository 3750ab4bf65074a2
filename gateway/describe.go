package gateway

import (
	"maps"
	"slices"
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
	PreserveHost   bool              `json:"preserve_host,omitempty"`
	// Allow are the spellings of a path that are refused elsewhere.
	Allow []string `json:"allow,omitempty"`
	// Origins may use a cookie beside our own; CORSOrigins may read the answers.
	Origins     []string `json:"origins,omitempty"`
	CORSOrigins []string `json:"cors_origins,omitempty"`
	// CloseStreams and ForwardAuthorization are true unless the file says otherwise.
	CloseStreams         bool `json:"close_streams"`
	ForwardAuthorization bool `json:"forward_authorization"`
}

// Describe returns the route in words.
func (r *Route) Describe() Description {
	d := Description{
		Name: r.Name, Hosts: r.Hosts, Path: r.Path, Methods: r.Methods, Upstream: r.Upstream.Name(), URLs: r.Upstream.URLs(), Mode: string(r.Mode),
		TokenTypes: r.Policy.TokenTypes, Audiences: r.Policy.Audiences, Scopes: r.Policy.Scopes, OnUnavailable: "deny",
		MaxStale: r.Policy.MaxStale.String(), StripPrefix: r.StripPrefix, Timeout: r.Timeout.String(), ReportOnly: r.ReportOnly,
		WebSocket: r.WebSocket, BodyLimit: r.Limits.Body, PreserveHost: r.PreserveHost, Allow: r.Permits.names(),
		Origins: r.Origins.names(), CloseStreams: !r.KeepStreams, ForwardAuthorization: !r.DropAuthorization,
	}
	if r.CORS != nil {
		d.CORSOrigins = r.CORS.allowed.names()
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

// names lists the spellings as match.allow writes them.
func (s spelling) names() []string {
	var out []string
	for _, text := range []string{"encoded_slash", "semicolon", "double_slash"} {
		if one, err := parseSpelling(text); err == nil && s&one != 0 {
			out = append(out, text)
		}
	}
	return out
}

func (o *origins) names() []string {
	if o == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(o.list))
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
