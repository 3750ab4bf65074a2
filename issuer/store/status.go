package store

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

var (
	//go:embed scripts/status_assign.lua
	statusAssignLua string
	//go:embed scripts/status_read.lua
	statusReadLua string
)

var errReply = errors.New("reply of an unexpected shape")

// StatusLists keeps which index of which status list stands for which token. It is
// safe for concurrent use.
type StatusLists struct {
	client       redis.UniversalClient
	names        statusNames
	assign, read *redis.Script
	now          func() time.Time

	mu   sync.Mutex
	seen map[string]seenList // guarded by mu
}

// seenList is how long a list's order was when this process last wrote to it: one
// that is shorter later has lost entries.
type seenList struct {
	length int
	until  time.Time // by then the list may be gone for good reason
}

// NewStatusLists returns the lists under prefix ("tg:"). It does not connect.
func NewStatusLists(client redis.UniversalClient, prefix string) *StatusLists {
	return &StatusLists{
		client: client, names: statusNames{prefix}, now: time.Now, seen: map[string]seenList{},
		assign: redis.NewScript(statusAssignLua), read: redis.NewScript(statusReadLua),
	}
}

// StatusOrder asks for an index.
type StatusOrder struct {
	List  string
	Entry StatusEntry // Keys is not looked at
	// Key is the digest of the key that signs the token; zero: not known yet. NotKey
	// is one that was named before and did not sign; zero: none.
	Key, NotKey revocation.Digest
	Life        time.Duration // what is left of the token's life, with the leeway; at least 1 s
}

// Assign returns the token's index in the list: a new one, or the one that it has.
// Errors: ErrFull, ErrTorn, ErrUnavailable.
func (s *StatusLists) Assign(ctx context.Context, o StatusOrder) (index int, err error) {
	first, step := o.Entry.way()
	life := max(1, int64((o.Life+time.Second-1)/time.Second))
	reply, err := s.run(ctx, s.assign, o.List, first, step, StatusSize, mostTokens, o.Entry.fixed(), optional(o.Key), optional(o.NotKey),
		life, s.length(o.List))
	if err != nil {
		return 0, fmt.Errorf("assign an index: %w", err)
	}
	switch {
	case len(reply) == 1 && reply[0] == "full":
		return 0, ErrFull
	case len(reply) == 1 && reply[0] == "torn":
		return 0, ErrTorn
	case len(reply) != 3 || reply[0] != "at":
		return 0, fmt.Errorf("assign an index: %w: %w", ErrUnavailable, errReply)
	}
	index, err = statusIndex(reply[1])
	length, err2 := strconv.Atoi(reply[2])
	if err = errors.Join(err, err2); err != nil {
		return 0, fmt.Errorf("assign an index: %w: %w", ErrUnavailable, err)
	}
	s.see(o.List, length, time.Duration(life)*time.Second)
	return index, nil
}

// optional is what stands for a digest in a script: nothing for the zero one.
func optional(d revocation.Digest) []byte {
	if d == (revocation.Digest{}) {
		return []byte{}
	}
	return d[:]
}

func statusIndex(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n >= StatusSize {
		return 0, errReply
	}
	return n, nil
}

// length returns how long the list's order was when it was last seen.
func (s *StatusLists) length(list string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.seen[list]; ok && s.now().Before(known.until) {
		return known.length
	}
	return 0
}

// see remembers the length of a list's order. A list lives at least as long as the
// token that was entered last.
func (s *StatusLists) see(list string, length int, life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	known := s.seen[list]
	// A second less: clocks differ in speed, and a list that has just gone is not torn.
	until := now.Add(life - time.Second)
	if until.Before(known.until) {
		until = known.until
	}
	s.seen[list] = seenList{max(length, known.length), until}
	const many = 64
	if len(s.seen) > many {
		for name, l := range s.seen {
			if !now.Before(l.until) {
				delete(s.seen, name)
			}
		}
	}
}

// run runs a script on one list and returns its reply, which is texts.
func (s *StatusLists) run(ctx context.Context, script *redis.Script, list string, args ...any) ([]string, error) {
	reply, err := script.Run(ctx, s.client, s.names.keys(list), args...).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return reply, nil
}
