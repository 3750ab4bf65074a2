package issuer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tollgate/issuer/session"
)

// CookieSettings say in which cookies tokens are handed out and looked for. The zero
// value: in none. All cookies are HttpOnly.
type CookieSettings struct {
	// Access names the cookie of the access token, Impersonation that of a token with
	// which its holder acts as another user; empty: none.
	Access, Impersonation string
	// Domain and Path of the cookies; empty: the host that answered, and "/".
	Domain, Path string
	// Secure cookies travel by TLS alone.
	Secure bool
	// SameSite: 0 leaves it to the browser.
	SameSite http.SameSite
	// Origins beside our own whose pages may write, cookies or not.
	Origins []string
}

// on reports whether any cookie is in use.
func (s CookieSettings) on() bool { return s.Access != "" || s.Impersonation != "" }

// protection refuses what pages of foreign origins send: with cookies the browser
// would add the credential, and a log-in from elsewhere would put the user into
// somebody else's account. nil: cookies are not in use.
func (s CookieSettings) protection() (*http.CrossOriginProtection, error) {
	if !s.on() {
		return nil, nil
	}
	if strings.EqualFold(s.Access, s.Impersonation) {
		return nil, errors.New("issuer: one cookie cannot hold both tokens")
	}
	p := http.NewCrossOriginProtection()
	for _, origin := range s.Origins {
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("issuer: trusted origin: %w", err)
		}
	}
	return p, nil
}

// foreign reports whether the request writes from a foreign origin.
func (i *Issuer) foreign(r *http.Request) bool { return i.protect != nil && i.protect.Check(r) != nil }

func (s CookieSettings) write(h http.Header, name, value string, stamp session.Stamp) {
	s.set(h, name, value, stamp.ExpiresAt, max(1, int(stamp.ExpiresAt.Sub(stamp.IssuedAt)/time.Second)))
}

func (s CookieSettings) expire(h http.Header, name string) { s.set(h, name, "", time.Time{}, -1) }

// set adds the cookie to an answer, where it has a name.
func (s CookieSettings) set(h http.Header, name, value string, expires time.Time, maxAge int) {
	if name == "" {
		return
	}
	path := s.Path
	if path == "" {
		path = "/"
	}
	//nolint:gosec // Secure is the operator's: on unless switched off for trying out without TLS
	c := http.Cookie{
		Name: name, Value: value, Domain: s.Domain, Path: path, Expires: expires, MaxAge: maxAge,
		Secure: s.Secure, SameSite: s.SameSite, HttpOnly: true,
	}
	h.Add("Set-Cookie", c.String())
}
