package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tollgate/keys"
)

// Issuer is the iss of our tokens: a StringOrURI of RFC 7519 section 2.
type Issuer struct{ value[string] }

// Decode implements setting.
func (i *Issuer) Decode(text string) error {
	text = strings.TrimSpace(text)
	switch parsed, err := url.Parse(text); {
	case hasBlankOrControl(text):
		return i.put("", "has a blank or a control character in it")
	case len(text) > 255:
		return i.put("", "is longer than 255 bytes")
	case strings.Contains(text, ":") && (err != nil || parsed.Scheme == ""):
		return i.put("", "has a colon in it but is no URI (RFC 7519 section 2)")
	case err == nil && parsed.User != nil:
		return i.put("", "has a user name or password in it")
	case err == nil && (parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != ""):
		return i.put("", "has a query or fragment (RFC 8414 section 2)")
	}
	return i.put(text, "")
}

// web reports whether the issuer is a URL that discovery can start from.
func (i *Issuer) web() bool {
	return strings.HasPrefix(i.Value, "https://") || strings.HasPrefix(i.Value, "http://")
}

// Claim is one claim of our tokens that is made of a user's attribute.
type Claim struct{ Name, Attribute string }

// Claims is a list of claim=attribute, in the order written.
type Claims struct{ value[[]Claim] }

// Decode implements setting.
func (c *Claims) Decode(text string) error {
	var out []Claim
	_, problem := checkedList(text, func(member string) string {
		name, attribute, ok := strings.Cut(member, "=")
		name, attribute = strings.TrimSpace(name), strings.TrimSpace(attribute)
		if !ok {
			return "is not claim=attribute"
		}
		if problem := claimProblem(name); problem != "" {
			return problem
		}
		if !isAttribute(attribute) {
			return "names no attribute"
		}
		if slices.ContainsFunc(out, func(o Claim) bool { return strings.EqualFold(o.Name, name) }) {
			return "names a claim that stands there already, case aside"
		}
		out = append(out, Claim{name, attribute})
		return ""
	})
	return c.put(out, problem)
}

// claimProblem says why a claim of that name must not be signed. Names are
// narrow because readers of the token may be careless: jwx v2 does not escape
// them, and Go's own JSON decoding takes "SUB" for "sub".
func claimProblem(name string) string {
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`).MatchString(name) {
		return "names a claim that is not ^[A-Za-z_][A-Za-z0-9_]{0,63}$"
	}
	for _, reserved := range reservedClaims() {
		if strings.EqualFold(reserved, name) {
			return fmt.Sprintf("names the reserved claim %s, case aside", reserved)
		}
	}
	return ""
}

// reservedClaims are those that tollgate sets or gives a meaning to.
func reservedClaims() []string {
	return []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "token_type", "gen", "scope", "act", "cnf",
		"client_id", "orig_iat", "orig_jti", "refresh_exp", "act_sid", "hash_password",
	}
}

// UserIDClaim is the name of the claim with the user's id: not a reserved one, but
// for sub, which holds the same.
type UserIDClaim struct{ value[string] }

// Decode implements setting.
func (u *UserIDClaim) Decode(text string) error {
	text = strings.TrimSpace(text)
	if text == "sub" {
		return u.put(text, "")
	}
	if problem := claimProblem(text); problem != "" {
		return u.put("", problem)
	}
	return u.put(text, "")
}

// Attribute is the name of a user's attribute.
type Attribute struct{ value[string] }

// Decode implements setting.
func (a *Attribute) Decode(text string) error {
	text = strings.TrimSpace(text)
	if !isAttribute(text) {
		return a.put("", "is not the name of an attribute")
	}
	return a.put(text, "")
}

func isAttribute(name string) bool {
	return name != "" && len(name) <= 64 && !hasControl(name) && !strings.ContainsAny(name, ",=")
}

// Algorithms is the list of algorithms that keys are kept for; the first signs.
type Algorithms struct{ value[[]keys.Algorithm] }

// Decode implements setting.
func (a *Algorithms) Decode(text string) error {
	var out []keys.Algorithm
	_, problem := checkedList(text, func(member string) string {
		alg, err := keys.ParseAlgorithm(member)
		if strings.HasPrefix(member, "HS") {
			return "is symmetric: whoever can check a token could make one"
		}
		if err != nil || alg.Symmetric() {
			return "is none of ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA"
		}
		out = append(out, alg)
		return ""
	})
	if problem == "" && len(out) == 0 {
		problem = "names no algorithm"
	}
	return a.put(out, problem)
}

// KeyStore is where the private keys are kept: in Redis, or in files of Value when
// that is not empty.
type KeyStore struct{ value[string] }

// Decode implements setting.
func (k *KeyStore) Decode(text string) error {
	text = strings.TrimSpace(text)
	if text == "redis" {
		return k.put("", "")
	}
	dir, ok := strings.CutPrefix(text, "file:")
	if !ok || dir == "" {
		return k.put("", shown(text)+" is neither redis nor file:DIR")
	}
	return k.put(dir, "")
}
