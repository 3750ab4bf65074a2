package store

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate/keys"
)

// Grants that a client can be allowed.
const (
	GrantClientCredentials = "client_credentials"
	GrantRefreshToken      = "refresh_token"
	GrantTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange" //nolint:gosec // a name, RFC 8693
)

// Client is a program that gets tokens of its own, or asks about others'.
type Client struct {
	ID        string
	Name      string // for people
	Grants    []string
	Scopes    []string // bound what it is handed; empty: no scope
	Audiences []string // bound what it is handed; empty: what the server has
	// AccessTTL is the life of its tokens in whole seconds; 0: the server's. More
	// than the server's is cut to it.
	AccessTTL time.Duration
	// Algorithm signs its tokens, for a verifier that knows one alone; empty: the one
	// that signs everybody's.
	Algorithm keys.Algorithm
	Disabled  bool
	// NoIntrospection keeps it from asking about tokens (RFC 7662): any client may
	// otherwise, for what a resource server has to know.
	NoIntrospection bool
	// JWKS is the public keys it authenticates with (private_key_jwt, RFC 7523);
	// nil: it has a secret.
	JWKS    json.RawMessage
	Created time.Time
	// Rotated is when the secret was changed last, zero: never. The secret before
	// is taken until OldUntil, zero when there is none.
	Rotated, OldUntil time.Time

	secret, old string // SHA-256, hexadecimal
}

// Allows reports whether the client may use a grant.
func (c *Client) Allows(grant string) bool { return slices.Contains(c.Grants, grant) }

// Limits of a client's record.
const (
	maxID       = 100
	maxName     = 200
	maxMembers  = 100 // of a list
	maxMember   = 255
	maxJWKS     = 16 << 10
	maxKeys     = 10
	maxLifetime = 365 * 24 * time.Hour
)

// An id is a subject, a part of a path and the name of Basic: it is written the
// same in each of them.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]*$`)

// validate says what is wrong with a client as its author wrote it, and brings the
// key set into the form in which it is kept.
func (c *Client) validate() error {
	switch {
	case len(c.ID) > maxID || !idForm.MatchString(c.ID):
		return invalid("id is not 1 to %d letters, digits and . _ ~ -, the first a letter or digit", maxID)
	case len(c.Name) > maxName || !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, unicode.IsControl):
		return invalid("name is longer than %d bytes, or has a control character", maxName)
	case c.AccessTTL < 0 || c.AccessTTL > maxLifetime || c.AccessTTL%time.Second != 0:
		return invalid("access_ttl is not a whole number of seconds from 0 to a year")
	}
	if c.Algorithm != "" && !slices.Contains(keys.Algorithms(), c.Algorithm) {
		return invalid("access_token_signing_alg %q is none of %v", clip(string(c.Algorithm)), keys.Algorithms())
	}
	for _, grant := range c.Grants {
		if !slices.Contains(Grants(), grant) {
			return invalid("grant %q is none of %s", clip(grant), strings.Join(Grants(), ", "))
		}
	}
	if err := checkList("scope", c.Scopes, scopeToken); err != nil {
		return err
	}
	if err := checkList("audience", c.Audiences, visible); err != nil {
		return err
	}
	if c.JWKS == nil {
		return nil
	}
	return c.normaliseKeys()
}

// Grants lists every grant that there is.
func Grants() []string {
	return []string{GrantClientCredentials, GrantRefreshToken, GrantTokenExchange}
}

func checkList(what string, list []string, good func(rune) bool) error {
	if len(list) > maxMembers {
		return invalid("there are more than %d %ss", maxMembers, what)
	}
	for i, member := range list {
		if member == "" || len(member) > maxMember || strings.ContainsFunc(member, func(r rune) bool { return !good(r) }) {
			return invalid("%s %q is not 1 to %d characters of visible ASCII", what, clip(member), maxMember)
		}
		if slices.Contains(list[:i], member) {
			return invalid("%s %q stands twice", what, clip(member))
		}
	}
	return nil
}

func visible(r rune) bool { return r > ' ' && r <= '~' }

// scopeToken is RFC 6749 section 3.3.
func scopeToken(r rune) bool { return visible(r) && r != '"' && r != '\\' }

// normaliseKeys reads the key set by the rules for every key that vouches for
// somebody: public, for signatures, strong. One key that is left out would be found
// out by a client that cannot log in, so here each has to be good.
func (c *Client) normaliseKeys() error {
	if len(c.JWKS) > maxJWKS {
		return invalid("jwks is longer than %d bytes", maxJWKS)
	}
	set, faults := keys.ParseJWKS(c.JWKS, nil)
	switch {
	case len(faults) > 0:
		return invalid("jwks: %s", faults[0])
	case set.Len() == 0 || set.Len() > maxKeys:
		return invalid("jwks has not 1 to %d keys", maxKeys)
	}
	doc, err := set.JWKS()
	if err != nil {
		return invalid("jwks: %s", err)
	}
	c.JWKS = doc
	return nil
}

func clip(text string) string {
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "…"
	}
	return text
}
