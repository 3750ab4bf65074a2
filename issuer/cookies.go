package issuer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tollgate/internal/problem"
	"tollgate/issuer/session"
	"tollgate/keys/token"
)

// CookieSettings say in which cookies tokens are handed out and looked for. The zero
// value: in none. All cookies are HttpOnly.
type CookieSettings struct {
	// Access names the cookie of the access or sliding token, Refresh that of the
	// refresh token, Impersonation that of a token with which its holder acts as another
	// user; empty: none.
	Access, Refresh, Impersonation string
	// Domain and Path of the cookies; empty: the host that answered, and "/".
	Domain, Path string
	// Secure cookies travel by TLS alone.
	Secure bool
	// SameSite: 0 leaves it to the browser.
	SameSite http.SameSite
	// Only leaves tokens that are in a cookie out of the body.
	Only bool
	// Origins beside our own whose pages may write, cookies or not.
	Origins []string
}

// on reports whether any cookie is in use.
func (s CookieSettings) on() bool { return s.Access != "" || s.Refresh != "" || s.Impersonation != "" }

// protection refuses what pages of foreign origins send: with cookies the browser
// would add the credential, and a log-in from elsewhere would put the user into
// somebody else's account. nil: cookies are not in use.
func (s CookieSettings) protection() (*http.CrossOriginProtection, error) {
	if !s.on() {
		return nil, nil
	}
	names := map[string]bool{}
	for _, name := range []string{s.Access, s.Refresh, s.Impersonation} {
		if name = strings.ToLower(name); name != "" && names[name] {
			return nil, errors.New("issuer: one cookie cannot hold two tokens")
		}
		names[name] = true
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

// set puts tokens into their cookies, each for as long as it lives.
func (s CookieSettings) set(h http.Header, out tokens, p session.Pair) {
	switch {
	case out.Token != "":
		s.write(h, s.Access, out.Token, p.Access)
		s.expire(h, s.Refresh) // of a session before this one
	default:
		s.write(h, s.Access, out.Access, p.Access)
		if out.Refresh != "" { // without rotation the browser keeps the one it has
			s.write(h, s.Refresh, out.Refresh, p.Refresh)
		}
	}
}

// body is what of the tokens goes into the body.
func (s CookieSettings) body(out tokens) tokens {
	if s.hides(s.Access) {
		out.Access, out.Token = "", ""
	}
	if s.hides(s.Refresh) {
		out.Refresh = ""
	}
	return out
}

// hides reports whether a token that stands in the cookie of this name is left out of
// the body.
func (s CookieSettings) hides(name string) bool { return s.Only && name != "" }

// clear takes the tokens out of the browser.
func (s CookieSettings) clear(h http.Header) {
	s.expire(h, s.Access)
	s.expire(h, s.Refresh)
	s.expire(h, s.Impersonation) // made from the log-in that is over
}

func (s CookieSettings) write(h http.Header, name, value string, stamp session.Stamp) {
	s.add(h, name, value, max(1, int(stamp.ExpiresAt.Sub(stamp.IssuedAt)/time.Second)))
}

func (s CookieSettings) expire(h http.Header, name string) { s.add(h, name, "", -1) }

func (s CookieSettings) add(h http.Header, name, value string, maxAge int) {
	if name == "" {
		return
	}
	path := s.Path
	if path == "" {
		path = "/"
	}
	//nolint:gosec // Secure is the operator's: on unless switched off for trying out without TLS
	c := http.Cookie{Name: name, Value: value, MaxAge: maxAge, Domain: s.Domain, Path: path, Secure: s.Secure, SameSite: s.SameSite, HttpOnly: true}
	h.Add("Set-Cookie", c.String())
}

// textOrCookie returns a required field of the body, or where the body has none the
// token in the named cookie.
func (c *call) textOrCookie(body fields, field, cookie string) (string, error) {
	if _, sent := body[field]; !sent && cookie != "" {
		raw, refusal := problem.Cookie(c.r.Header, cookie)
		if refusal != nil {
			return "", &fault{status: refusal.Status, reason: token.ReasonMalformed, detail: string(refusal.Fault),
				body: map[string]string{"detail": "The credential was sent more than once."}}
		}
		if raw != "" {
			c.cookie = true
			return raw, nil
		}
	}
	texts, err := body.texts(field)
	if err != nil {
		return "", err
	}
	return texts[0], nil
}
