package wire

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// errUnfit says that something had arrived on an idle connection, its end perhaps, so that
// nothing was sent on it.
var errUnfit = errors.New("the idle connection is not silent")

// sending is one request on its way. Its step is called with the descriptor, first at once
// and then each time that there may be something to read.
//
// In one go it looks whether nothing has arrived that nobody asked for, writes, and waits:
// the look is the vain reading without which the poller would not wait, so that nothing
// comes between it and the writing, and the kernel is called once less.
type sending struct {
	step func(fd uintptr) (done bool) // made once

	wait    bool // for the answer's first bytes
	looked  bool
	written int   // of the request
	failed  error // what writing failed with
	unfit   bool
	readErr error
}

// send sends what is in out. Where it waits it returns with the answer's first bytes
// buffered. The error is errUnfit, or of waiting and reading; writeErr says that the
// request is not sent as a whole, of which there may be an answer all the same.
func (c *conn) send(wait bool) (writeErr, err error) {
	s := &c.sending
	s.wait, s.looked, s.written, s.failed, s.unfit, s.readErr = wait && len(c.out) <= atOnce, false, 0, nil, false, nil
	switch err := c.raw.Read(s.step); {
	case s.unfit:
		return nil, errUnfit
	case s.failed != nil:
		return s.failed, nil
	case s.written < len(c.out):
		if err != nil {
			return nil, err
		}
		_, err = c.Write(c.out[s.written:])
		return err, nil
	case err != nil:
		return nil, err
	}
	return nil, s.readErr
}

// advance is the step of sending.
func (c *conn) advance(fd uintptr) (done bool) {
	s := &c.sending
	if s.looked {
		n, err := again(func() (int, error) { return syscall.Read(int(fd), c.buf[c.to:]) })
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return false
		case err != nil:
			s.readErr = fmt.Errorf("read: %w", err)
		case n == 0:
			s.readErr = io.EOF
		default:
			c.to += n
		}
		return true
	}
	s.looked = true
	silent := Silent(fd)
	if s.unfit = c.used && !silent; s.unfit {
		return true
	}
	if len(c.out) > atOnce {
		return true // with a deadline, by its like
	}
	n, err := again(func() (int, error) { return syscall.Write(int(fd), c.out) })
	switch {
	case err == nil:
		s.written = n
	case !errors.Is(err, syscall.EAGAIN):
		s.failed = fmt.Errorf("write: %w", err)
	}
	return !s.wait || !silent || s.written < len(c.out)
}

// again calls the kernel until no signal interrupts it.
func again(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
