package main

import (
	"net/http"
	"strings"

	"tollgate/internal/ratelimit"
)

// CookieDomain is the Domain of a cookie (RFC 6265 section 4.1.2.3), or nothing.
type CookieDomain struct{ value[string] }

// Decode implements setting.
func (d *CookieDomain) Decode(text string) error {
	text = strings.TrimSpace(text)
	bad := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-')
	}
	name := strings.TrimPrefix(text, ".") // browsers ignore it
	if text != "" && (name == "" || strings.ContainsFunc(name, bad) || strings.HasPrefix(name, ".") || strings.Contains(name, "..") || strings.HasPrefix(name, "-")) {
		return d.put("", shown(text)+" is not a domain such as example.com")
	}
	return d.put(name, "")
}

// CookiePath is the Path of a cookie (RFC 6265 section 4.1.2.4).
type CookiePath struct{ value[string] }

// Decode implements setting.
func (p *CookiePath) Decode(text string) error {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "/") || strings.ContainsAny(text, ";,\"\\?#") || hasBlankOrControl(text) {
		return p.put("", shown(text)+" is not a path such as / or /app")
	}
	return p.put(text, "")
}

// Rate is how often something may happen; nothing is no limit.
type Rate struct{ value[ratelimit.Rate] }

// Decode implements setting.
func (r *Rate) Decode(text string) error {
	if text = strings.TrimSpace(text); text == "" {
		return r.put(ratelimit.Rate{}, "")
	}
	rate, err := ratelimit.ParseRate(text)
	if err != nil {
		return r.put(rate, shown(text)+" is "+err.Error())
	}
	return r.put(rate, "")
}

// Attributes is a list of names of a user's attributes.
type Attributes struct{ value[[]string] }

// Decode implements setting.
func (a *Attributes) Decode(text string) error {
	return a.put(checkedList(text, func(member string) string {
		if !isAttribute(member) {
			return "is not the name of an attribute"
		}
		return ""
	}))
}

// sameSite is the setting as net/http knows it.
func (c *CookieSettings) sameSite() http.SameSite {
	switch c.SameSite.Value {
	case "Strict":
		return http.SameSiteStrictMode
	case "None":
		return http.SameSiteNoneMode
	}
	return http.SameSiteLaxMode
}

// cookies: one cookie cannot be two, and two that differ in case alone will be
// mistaken for each other. What a browser would drop silently is a fault.
func (r *rules) cookies() {
	c := &r.c.Cookies
	names := []struct{ variable, name string }{
		{"TOLLGATE_COOKIE_NAME", c.Name.Value}, {"TOLLGATE_IMPERSONATION_COOKIE_NAME", c.ImpersonationName.Value},
		{"TOLLGATE_REFRESH_COOKIE_NAME", c.RefreshName.Value},
	}
	inUse := false
	for i, n := range names {
		if n.name == "" {
			continue
		}
		inUse = true
		for _, before := range names[:i] {
			if strings.EqualFold(before.name, n.name) {
				r.fault(n.variable, "is "+before.variable+", case aside")
			}
		}
		host, secure := strings.HasPrefix(n.name, "__Host-"), strings.HasPrefix(n.name, "__Secure-")
		switch {
		case (host || secure) && !c.Secure.Value:
			r.fault(n.variable, shown(n.name)+" needs TOLLGATE_COOKIE_SECURE=true: browsers drop it without")
		case host && (c.Domain.Value != "" || c.Path.Value != "/"):
			r.fault(n.variable, shown(n.name)+" takes no TOLLGATE_COOKIE_DOMAIN and no other TOLLGATE_COOKIE_PATH than /: browsers drop it with them")
		}
	}
	if inUse && c.SameSite.Value == "None" && !c.Secure.Value {
		r.fault("TOLLGATE_COOKIE_SAMESITE", "None needs TOLLGATE_COOKIE_SECURE=true: browsers drop such cookies without")
	}
	if c.Only.Value && c.Name.Value == "" && c.RefreshName.Value == "" {
		r.fault("TOLLGATE_COOKIE_ONLY", "is set but there is no cookie (TOLLGATE_COOKIE_NAME, TOLLGATE_REFRESH_COOKIE_NAME)")
	}
}
