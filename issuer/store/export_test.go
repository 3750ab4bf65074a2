package store

import (
	"context"
	"time"
)

// WithClock gives the store a clock of the test's.
func (s *StatusLists) WithClock(now func() time.Time) *StatusLists { s.now = now; return s }

// Way is the order in which a token's indexes are tried.
func (e StatusEntry) Way() (first, step uint32) { return e.way() }

// MostTokens is how many tokens a list takes.
const MostTokens = mostTokens

// Keys are the Redis keys of a list.
func (s *StatusLists) Keys(list string) []string { return s.names.keys(list) }

// WithWriter returns a queue that gives its lines to write.
func WithWriter(write func(context.Context, []Line) error) *AuditQueue {
	q := NewAuditQueue(&Audit{}, nil, nil)
	q.note = write
	return q
}

// Followers is how many wait.
func (t *AuditTail) Followers() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.follow
}

// Length is how many entries were read up to here, changed ones twice.
func (p StatusPosition) Length() int { return p.length }
