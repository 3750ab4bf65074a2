package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Answer is the answer to a request: its head, and its body as it comes. It
// belongs to one goroutine.
type Answer struct {
	Status int

	pool    *Pool
	ctx     context.Context
	cancel  func()
	stop    func() bool // calls the end of ctx off; false: it has begun to act
	c       *conn
	framing framing
	left    int64 // of the body, or of the chunk; -1: unknown
	chunk   chunkState
	trailer []Field
	taken   int // of the buffer, by the last next
	done    bool
	err     error

	mu      sync.Mutex // guards the next two
	closed  bool
	aborted bool
}

// Fields returns the header, hop-by-hop fields included. It is used again after
// Close; its texts are not.
func (a *Answer) Fields() []Field { return a.c.fields }

// Length returns the length of the body, -1 when it shows at its end only.
func (a *Answer) Length() int64 {
	if a.framing.chunked {
		return -1
	}
	return a.framing.length
}

// Trailer returns the fields behind a chunked body, once it was read to its end.
func (a *Answer) Trailer() []Field { return a.trailer }

// begin lifts the deadline of the first byte, unless all of the body is there:
// then nothing will be read before the next exchange.
func (a *Answer) begin(ctx context.Context) error {
	if a.framing.chunked {
		a.left = 0
	}
	if a.framing.length >= 0 && a.framing.length <= int64(len(a.c.buffered())) {
		return nil
	}
	if err := a.c.disarm(); err != nil {
		return err
	}
	return ctx.Err() // whose hook may have come before, and been overwritten
}

// Next returns the next piece of the body, valid until the next call; io.EOF at
// its end. Small answers come in one piece, out of the buffer that their head
// came in.
func (a *Answer) Next() ([]byte, error) {
	a.c.from += a.taken
	a.taken = 0
	if a.err != nil {
		return nil, a.err
	}
	p, err := a.next()
	if err != nil {
		if !errors.Is(err, io.EOF) || !a.done {
			err = a.fault(err)
		}
		a.err = err
		return nil, err
	}
	a.taken = len(p)
	return p, nil
}

func (a *Answer) next() ([]byte, error) {
	if a.framing.chunked {
		return a.nextOfChunks()
	}
	if a.left == 0 {
		a.done = true
		return nil, io.EOF
	}
	p, err := a.piece()
	if err != nil {
		if a.left < 0 && errors.Is(err, io.EOF) {
			a.done = true
		}
		return nil, err
	}
	return p, nil
}

// piece returns what is there of the next left bytes, or waits for some.
func (a *Answer) piece() ([]byte, error) {
	if len(a.c.buffered()) == 0 {
		if a.left < 0 || a.left > bufferSize {
			a.c.enlarge()
		}
		if err := a.c.fill(len(a.c.buf)); err != nil {
			return nil, err
		}
	}
	p := a.c.buffered()
	if a.left >= 0 {
		p = p[:min(int64(len(p)), a.left)]
		a.left -= int64(len(p))
	}
	return p, nil
}

// fault says why the body did not come to its end.
func (a *Answer) fault(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && a.ctx.Err() != nil:
		return context.Cause(a.ctx)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the body broke off: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// Read implements io.Reader.
func (a *Answer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	piece, err := a.Next()
	if err != nil {
		return 0, err
	}
	n := copy(p, piece)
	if n < len(piece) { // put back what did not fit
		if a.taken = n; a.left >= 0 {
			a.left += int64(len(piece) - n)
		}
	}
	return n, nil
}

// Abort wakes whoever waits for the body, with an error. Unlike everything else it
// may be called by any goroutine, at any time.
func (a *Answer) Abort() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed && !a.aborted {
		a.aborted = true
		a.cancel()
	}
}

// Close ends the exchange. The connection is kept only if nothing can be left on
// it, and nobody is about to end it.
func (a *Answer) Close() error {
	if a.c == nil {
		return nil
	}
	a.mu.Lock()
	a.closed = true
	aborted := a.aborted
	a.mu.Unlock()
	c := a.c
	a.c = nil
	idle := a.stop() && !aborted
	c.from += a.taken
	a.taken = 0
	if a.err == nil {
		a.err = io.ErrClosedPipe
	}
	// A body of a known length that was handed out whole is done, whether or not
	// its reader has asked for the end.
	whole := a.done || !a.framing.chunked && a.left == 0
	if idle && whole && !a.framing.closes && c.rest() {
		if a.framing.rests {
			a.pool.putRested(c)
		} else {
			a.pool.put(c)
		}
		return nil
	}
	c.close()
	return nil
}
