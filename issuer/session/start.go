package session

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxSubject  = 255 // RFC 7519 sets none; this is what a verifier of ours takes
	maxUsername = 600 // 150 characters
	maxAddress  = 64
	maxAgent    = 256
	maxReason   = 1024 // of a reason or an actor, as the revocations take it
)

// Start begins a session and mints its first pair. ErrEnded says that a revocation
// came between the birth and now (the user was logged out everywhere while the
// password was being checked), ErrUnavailable that this could not be told.
func (s *Store) Start(ctx context.Context, start Start) (Pair, error) {
	return s.begin(ctx, start, beginning{
		refreshJTI: newJTI(), accessJTI: newJTI(), generation: "1",
		access: s.settings.AccessTTL, refresh: s.settings.RefreshTTL,
	})
}

// beginning is what a session's first record holds beside who logged in.
type beginning struct {
	refreshJTI, accessJTI, generation string
	access, refresh                   time.Duration // lives
}

func (s *Store) begin(ctx context.Context, start Start, first beginning) (Pair, error) {
	if start.Birth <= 0 || start.Subject == "" || len(start.Subject) > maxSubject {
		return Pair{}, fmt.Errorf("%w: a session needs a birth and a subject of at most %d bytes", ErrInvalid, maxSubject)
	}
	sid := NewID(start.Birth)
	if err := check(s.rev.Check(ctx, s.token(sid, start.Birth, start.Subject))); err != nil {
		return Pair{}, err
	}
	set := s.settings
	reply, err := s.script.start.Run(ctx, s.client, []string{s.names.session(sid)},
		first.refreshJTI, first.accessJTI, seconds(first.access), seconds(first.refresh), seconds(set.MaxTTL), set.leeway(),
		start.Subject, clip(start.Username, maxUsername), clip(start.Address, maxAddress), clip(start.Agent, maxAgent), first.generation,
	).StringSlice()
	if err != nil {
		return Pair{}, unavailable("start", err)
	}
	m, err := parseMinted(sid, reply)
	if err != nil {
		return Pair{}, err
	}
	if err := s.track(ctx, m); err != nil {
		return Pair{}, err
	}
	s.prune(ctx, m)
	return m.Pair, nil
}

// clip makes a client's text fit for a list: valid UTF-8 without control
// characters, at most n bytes.
func clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
