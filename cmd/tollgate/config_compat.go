package main

import (
	"regexp"
	"slices"
	"strings"

	"tollgate/internal/problem"
	"tollgate/issuer"
	"tollgate/keys/token"
)

// Compat is the list of the profiles whose endpoints exist; the first shapes the
// refusals of routes.
type Compat struct{ value[[]problem.Profile] }

// Decode implements setting.
func (c *Compat) Decode(text string) error {
	var out []problem.Profile
	_, fault := checkedList(strings.ToLower(text), func(member string) string {
		if !slices.Contains(problem.Profiles(), problem.Profile(member)) {
			return "is none of: simplejwt, drf-jwt"
		}
		out = append(out, problem.Profile(member))
		return ""
	})
	if fault == "" && len(out) == 0 {
		fault = "names no profile"
	}
	return c.put(out, fault)
}

// ClaimMatch is a claim with the value that it must have, or nothing.
type ClaimMatch struct{ value[*token.ClaimRule] }

// Decode implements setting. Both are asked for: a claim of TOLLGATE_CLAIMS is in
// every token, though it be false.
func (c *ClaimMatch) Decode(text string) error {
	if strings.TrimSpace(text) == "" {
		return c.put(nil, "")
	}
	name, want, ok := strings.Cut(text, "=")
	name, want = strings.TrimSpace(name), strings.TrimSpace(want)
	switch {
	case !ok || want == "" || hasControl(want):
		return c.put(nil, "is not claim=value")
	case !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`).MatchString(name):
		return c.put(nil, shown(name)+" is not the name of a claim")
	}
	return c.put(&token.ClaimRule{Name: name, OneOf: []string{want}}, "")
}

// compat: two profiles cannot have one path.
func (r *rules) compat() {
	s := &r.c.Shape
	if r.faulty["TOLLGATE_COMPAT"] || !r.c.Roles.Issuer.Value {
		return
	}
	both := slices.Contains(s.Compat.Value, problem.SimpleJWT) && slices.Contains(s.Compat.Value, problem.DRF)
	if both && s.APIPrefix.Value == "/auth" {
		r.fault("TOLLGATE_API_PREFIX", "cannot be /auth while TOLLGATE_COMPAT names both profiles: /auth/logout would be a path of each")
	}
	if r.c.withoutJTI() {
		r.warn("TOLLGATE_DRF_TOKEN_ID", "is not require: tokens of ours without jti are accepted, and edges elsewhere accept them only with legacy: {no_jti: true} for this issuer")
	}
}

// profile shapes the refusals of routes.
func (c *Config) profile() problem.Profile {
	if len(c.Shape.Compat.Value) == 0 {
		return problem.SimpleJWT
	}
	return c.Shape.Compat.Value[0]
}

// withoutJTI reports whether tokens of ours may be without jti.
func (c *Config) withoutJTI() bool {
	return slices.Contains(c.Shape.Compat.Value, problem.DRF) && c.Shape.DRFTokenID.Value != issuer.TokenIDRequire
}

func (c *Config) drf() issuer.DRFSettings {
	return issuer.DRFSettings{
		TokenID: c.Shape.DRFTokenID.Value, NoRefresh: !c.Shape.DRFAllowRefresh.Value, NoUserID: !c.Shape.DRFIncludeUserID.Value,
	}
}

func (c *Config) cookies() issuer.CookieSettings {
	return issuer.CookieSettings{
		Access: c.Cookies.Name.Value, Refresh: c.Cookies.RefreshName.Value, Impersonation: c.Cookies.ImpersonationName.Value,
		Domain: c.Cookies.Domain.Value, Path: c.Cookies.Path.Value, Secure: c.Cookies.Secure.Value, SameSite: c.Cookies.sameSite(),
		Only: c.Cookies.Only.Value, Origins: c.Listeners.CORSOrigins.Value,
	}
}
