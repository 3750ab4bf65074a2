package console

import (
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Life and number of log-ins. Nobody is refused for want of room: whoever has most
// makes it (see room).
const (
	cookieName  = "tollgate_console"
	sessionLife = 8 * time.Hour
	maxOfOne    = 64   // with one admin token, which a team may share
	maxSessions = 4096 // in all; about 400 bytes each
)

// session is one log-in. It keeps the token in this process's memory and nowhere
// else: with the process it is gone.
type session struct {
	token string
	id    string // of the token; so is what follows
	name  string
	role  string
	ends  time.Time

	mu    sync.Mutex
	flash *flash // guarded by mu; shown once
}

// flash is what came of a form, told on the next page.
type flash struct {
	Kind string // good or bad
	Text string
}

func (s *session) say(f flash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flash = &f
}

func (s *session) take() *flash {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flash
	s.flash = nil
	return f
}

// sessions are the log-ins, by the digest of their cookie: the map can then be
// searched without telling by the time it takes what nearly matches.
type sessions struct {
	now func() time.Time

	mu   sync.Mutex
	live map[[sha256.Size]byte]*session // guarded by mu
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, live: map[[sha256.Size]byte]*session{}}
}

// begin logs in and sets the cookie.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, one *session) {
	id, now := rand.Text(), s.now()
	one.ends = now.Add(sessionLife)
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.live, func(_ [sha256.Size]byte, other *session) bool { return !other.ends.After(now) })
	s.room(one.id)
	s.live[sha256.Sum256([]byte(id))] = one
	http.SetCookie(w, cookie(r, id, int(sessionLife.Seconds())))
}

// room ends a log-in where one more with that token would be too many. With one token
// as many as may be: its oldest. All together as many: the oldest of the token that has
// most, the newcomer's own at a tie. So nobody loses a log-in to a token that has as many
// as he has, and a token of the least role cannot keep anybody out.
func (s *sessions) room(newcomer string) {
	of := map[string]int{}
	for _, one := range s.live {
		of[one.id]++
	}
	most := newcomer
	switch {
	case of[newcomer] >= maxOfOne:
	case len(s.live) < maxSessions:
		return
	default:
		for id, n := range of {
			if n > of[most] {
				most = id
			}
		}
	}
	var oldest [sha256.Size]byte
	var first time.Time
	for key, one := range s.live {
		if one.id == most && (first.IsZero() || one.ends.Before(first)) {
			oldest, first = key, one.ends
		}
	}
	delete(s.live, oldest)
}

// of returns the log-in that a request belongs to; nil: none.
func (s *sessions) of(r *http.Request) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range r.CookiesNamed(cookieName) {
		if one := s.live[sha256.Sum256([]byte(c.Value))]; one != nil && one.ends.After(s.now()) {
			return one
		}
	}
	return nil
}

// end logs out.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range r.CookiesNamed(cookieName) {
		delete(s.live, sha256.Sum256([]byte(c.Value)))
	}
	http.SetCookie(w, cookie(r, "", -1))
}

// cookie is Secure where the listener speaks TLS; by default it is on loopback and
// does not.
func cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is set where there is TLS: without it the browser would not send it
		Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	}
}
