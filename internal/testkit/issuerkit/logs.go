package issuerkit

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// Logs is everything that was logged, with what must not be in it. The zero value
// is ready.
type Logs struct {
	mu      sync.Mutex // guards what follows
	text    bytes.Buffer
	secrets []string
}

// Write takes one line.
func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Logger writes JSON lines of every level into l.
func (l *Logs) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Secret adds texts that must never be logged. Very short ones are words.
func (l *Logs) Secret(texts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range texts {
		if len(s) >= 6 {
			l.secrets = append(l.secrets, s)
		}
	}
}

// String returns all lines.
func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Last returns the fields of the last access line of a route.
func (l *Logs) Last(tb testing.TB, route string) map[string]any {
	tb.Helper()
	var found map[string]any
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			tb.Fatalf("log line %q: %v", line, err)
		}
		if fields["msg"] == "request" && fields["route"] == route {
			found = fields
		}
	}
	if found == nil {
		tb.Fatalf("no access line of %s", route)
	}
	return found
}

// Leaks returns the secrets that were logged, whole or by the part that gives them
// away: the signature of a token.
func (l *Logs) Leaks() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	text := l.text.String()
	for _, s := range l.secrets {
		part := s[strings.LastIndexByte(s, '.')+1:]
		if strings.Contains(text, s) || len(part) >= 20 && strings.Contains(text, part) {
			found = append(found, s)
		}
	}
	return found
}

func (l *Logs) mustHoldNoSecret(tb testing.TB) {
	for _, s := range l.Leaks() {
		tb.Errorf("the log holds the secret %q", s)
	}
}
