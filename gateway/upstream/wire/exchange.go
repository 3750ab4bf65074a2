package wire

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"time"
)

// Do sends a request and returns when the head of its answer is there. Whoever
// gets an Answer must close it. The end of ctx ends the exchange at any moment
// until then; what Do and Read then return is the context's cause.
//
// A request without a body by GET, HEAD or OPTIONS is sent once more, over a new
// connection, when one that had served before ended without a byte of the answer.
//
// Errors are the context's cause, a *DialError, an *EndedError, ErrFirstByte,
// ErrProtocol, ErrSwitched, or what reading failed with.
func (p *Pool) Do(ctx context.Context, r *Request) (*Answer, error) {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	c, wait := p.take(), r.FirstByte
	for again := false; ; {
		if c == nil {
			var err error
			if c, wait, err = p.dial(ctx, wait); err != nil {
				return nil, err
			}
		}
		a, err := p.exchange(ctx, c, r, wait)
		if err == nil {
			return a, nil
		}
		c.close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if errors.Is(err, errUnfit) {
			c = p.take()
			continue
		}
		var ended *EndedError
		if again || !errors.As(err, &ended) || !ended.Reused || !r.repeatable() {
			return nil, err
		}
		if wait > 0 {
			if wait = min(wait, time.Until(c.until)); wait <= 0 {
				return nil, ErrFirstByte
			}
		}
		c, again = nil, true
	}
}

// dial makes a connection, and returns what is left of the time for it; 0: no limit.
func (p *Pool) dial(ctx context.Context, limit time.Duration) (_ *conn, left time.Duration, _ error) {
	bounded := ctx
	var until time.Time
	if limit > 0 {
		var cancel context.CancelFunc
		until = time.Now().Add(limit)
		bounded, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	dialled, err := p.config.Dial(bounded)
	if err == nil {
		var c *conn
		if c, err = newConn(p, dialled); err == nil {
			if limit > 0 {
				left = max(time.Until(until), 1)
			}
			return c, left, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case bounded.Err() != nil:
		return nil, 0, ErrFirstByte
	}
	return nil, 0, &DialError{err}
}

// exchange sends the request on one connection and reads the head of the answer, which
// begins within so long; 0: no limit.
func (p *Pool) exchange(ctx context.Context, c *conn, r *Request, wait time.Duration) (*Answer, error) {
	stop := afterFunc(ctx, c.cancel)
	a, err := c.answer(ctx, r, wait)
	if err != nil {
		stop()
		return nil, err
	}
	a.pool, a.ctx, a.stop = p, ctx, stop
	return a, nil
}

// afterFunc is context.AfterFunc, without what that does around a context that can
// do the same by itself.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if able, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return able.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

func (c *conn) answer(ctx context.Context, r *Request, wait time.Duration) (*Answer, error) {
	var err error
	if c.out, err = r.append(c.out[:0]); err != nil {
		return nil, err
	}
	if wait > 0 {
		err = c.arm(wait)
	} else {
		err = c.disarm()
	}
	if err != nil {
		return nil, &EndedError{c.used, err}
	}
	if err := ctx.Err(); err != nil { // its hook may have come before, and been overwritten
		return nil, err
	}
	// Whoever else is ready goes first, as far as it has come to its own writing. Then
	// many writes follow one another, and the back end, which sleeps where we take
	// longer than it does, is woken once for all of them: waking a processor costs as
	// much as the rest of the exchange.
	runtime.Gosched()
	crowd := c.pool.waiting.Load() > c.pool.crowd
	writeErr, err := c.send(!crowd)
	switch {
	case errors.Is(err, errUnfit):
		return nil, err
	case err != nil:
		return nil, c.headFault(err, false)
	case errors.Is(writeErr, os.ErrDeadlineExceeded):
		return nil, ErrFirstByte
	}
	if crowd {
		// In a crowd the answer is there by the time the others have been written. Read then,
		// it is one call of the kernel and no wait; and this connection soon serves the next
		// of the crowd, so that all together need few, and touch little memory.
		runtime.Gosched()
	}
	// A back end may answer, and even close, before it has read everything: its
	// answer counts.
	begun := false
	for range maxInformational + 1 {
		status, minor, err := c.head(&begun)
		switch {
		case err != nil:
			return nil, c.headFault(err, begun)
		case status == http.StatusSwitchingProtocols:
			return nil, ErrSwitched
		}
		f, err := frame(c.fields, r.Method, status, minor) // of an informational one, too: it must not be in doubt where it ends
		switch {
		case err != nil:
			return nil, err
		case status < 200:
			continue
		}
		f.closes = f.closes || writeErr != nil
		a := &Answer{Status: status, c: c, cancel: c.cancel, framing: f, left: f.length}
		return a, a.begin(ctx)
	}
	return nil, errors.Join(ErrProtocol, errors.New("too many informational answers"))
}

// headFault says what the want of a head means.
func (c *conn) headFault(err error, begun bool) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrFirstByte
	case !begun:
		return &EndedError{c.used, err}
	}
	return err
}
