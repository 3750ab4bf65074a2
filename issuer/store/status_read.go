package store

import (
	"context"
	"fmt"
	"strconv"
)

// statusBatch is how many entries one script reads: some 80 KB, and less than a
// millisecond of Redis's time.
const statusBatch = 1000

// StatusPosition is how far a reader has read a list. The zero value is its
// beginning.
type StatusPosition struct {
	length int
	last   string // the index that stood last
}

// Read tells each entry of the list that was written after the position, the same
// index again when its entry was changed, and returns the position of the end.
// Errors: ErrNotFound for a list that is not there (any more), ErrTorn,
// ErrUnavailable.
func (s *StatusLists) Read(ctx context.Context, list string, after StatusPosition, each func(index int, e StatusEntry)) (StatusPosition, error) {
	for at := after; ; {
		// What this process has written itself before it asked it must find.
		written := s.length(list)
		reply, err := s.run(ctx, s.read, list, at.length, at.last, statusBatch)
		switch {
		case err != nil:
			return after, fmt.Errorf("read status list: %w", err)
		case len(reply) == 1 && reply[0] == "none":
			return after, fmt.Errorf("status list: %w", ErrNotFound)
		case len(reply) == 1 && reply[0] == "torn":
			return after, ErrTorn
		case len(reply) < 2 || len(reply)%2 != 0 || reply[0] != "entries":
			return after, fmt.Errorf("read status list: %w: %w", ErrUnavailable, errReply)
		}
		length, err := strconv.Atoi(reply[1])
		if err != nil {
			return after, fmt.Errorf("read status list: %w: %w", ErrUnavailable, errReply)
		}
		if length < written {
			return after, ErrTorn
		}
		for i := 2; i < len(reply); i += 2 {
			index, err := statusIndex(reply[i])
			if err != nil {
				return after, fmt.Errorf("read status list: %w: %w", ErrUnavailable, err)
			}
			e, err := parseStatusEntry(reply[i+1])
			if err != nil {
				return after, fmt.Errorf("read status list: %w: %w", ErrUnavailable, err)
			}
			each(index, e)
			at.length, at.last = at.length+1, reply[i]
		}
		if at.length >= length {
			return at, nil
		}
		if len(reply) == 2 {
			return after, fmt.Errorf("read status list: %w: %w", ErrUnavailable, errReply)
		}
	}
}
