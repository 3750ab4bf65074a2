package gateway

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// What a client has announced takes no memory before it comes.
func TestAnnouncedBodiesTakeNoMemory(t *testing.T) {
	for _, size := range []int{1, 100, firstPiece - 1, firstPiece, firstPiece + 1, 3 * firstPiece, longestDirect} {
		text := strings.Repeat("0123456789", size/10+1)[:size]
		body, err := readBody(strings.NewReader(text+"behind"), int64(size))
		if err != nil || string(body) != text || cap(body) > size {
			t.Errorf("%d: %d bytes of %d, %v", size, len(body), cap(body), err)
		}
		if body, err = readBody(strings.NewReader(text[:size-1]), int64(size)); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Errorf("%d: one is missing: %d bytes, %v", size, len(body), err)
		}
	}
	asked := &largest{}
	if _, err := readBody(asked, longestDirect); err == nil || asked.n > firstPiece {
		t.Errorf("%d bytes of room before any came (%v)", asked.n, err)
	}
}

// largest fails, and remembers the room that it was given.
type largest struct{ n int }

func (l *largest) Read(p []byte) (int, error) {
	l.n = max(l.n, len(p))
	return 0, io.ErrUnexpectedEOF
}
