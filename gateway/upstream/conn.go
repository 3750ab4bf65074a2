package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"tollgate/gateway/upstream/wire"
)

// conn is a connection that can say whether it is quiet: nothing has arrived
// that its reader has not dealt with. net/http alone cannot be asked, and takes
// bytes that came while a connection was idle for the next request's answer when
// it notices them late.
type conn struct {
	net.Conn
	raw syscall.RawConn

	reading sync.Mutex // held by the one reader; guards the next four
	into    []byte
	n       int
	readErr error
	read    func(fd uintptr) bool // tryRead, made once
	look    func(fd uintptr)      // tryPeek, made once

	mu     sync.Mutex    // guards the rest; never held across a wait
	parked bool          // the reader found nothing and waits in the kernel
	lent   bool          // an attempt has it, and has not yet seen what became of it
	nobody bool          // tryPeek's answer
	ended  error         // what ended the reading, or net.ErrClosed
	wake   chan struct{} // closed when parked or ended changes; nil while nobody waits
}

func newConn(dialled net.Conn) (net.Conn, error) {
	s, ok := dialled.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("a %T has no descriptor", dialled)
	}
	raw, err := s.SyscallConn()
	if err != nil {
		_ = dialled.Close()
		return nil, err
	}
	c := &conn{Conn: dialled, raw: raw}
	c.read, c.look = c.tryRead, c.tryPeek
	return c, nil
}

// connOf finds the connection under what net/http reports.
func connOf(reported net.Conn) *conn {
	if t, ok := reported.(*tls.Conn); ok {
		reported = t.NetConn()
	}
	c, _ := reported.(*conn)
	return c
}

// Read reads as the connection would, and keeps account of where the reader is.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	c.into, c.n, c.readErr = p, 0, nil
	err := c.raw.Read(c.read)
	c.into = nil
	if err == nil {
		err = c.readErr
	}
	if err != nil {
		c.end(err)
	}
	return c.n, err
}

// tryRead takes what is there. Taking and telling are one step under the lock:
// quiet never sees bytes that are neither in the kernel nor accounted for.
func (c *conn) tryRead(fd uintptr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := 0, error(nil)
	for {
		n, err = syscall.Read(int(fd), c.into)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EAGAIN) {
		c.parked = true
		c.signal()
		return false
	}
	c.parked = false
	switch {
	case err != nil:
		c.readErr = &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", err)}
	case n == 0:
		c.readErr = io.EOF
	default:
		c.n = n
	}
	return true
}

func (c *conn) tryPeek(fd uintptr) { c.nobody = wire.Silent(fd) }

// quiet waits until the reader has dealt with all that arrived, and whoever had the
// connection before with his answer, and reports whether the connection lived
// through it. The wait is as long as these take to come round, not as long as the
// upstream likes.
func (c *conn) quiet(ctx context.Context) bool {
	for {
		c.mu.Lock()
		if c.ended != nil {
			c.mu.Unlock()
			return false
		}
		c.nobody = false
		if c.parked && !c.lent && c.raw.Control(c.look) == nil && c.nobody {
			c.mu.Unlock()
			return true
		}
		if c.wake == nil {
			c.wake = make(chan struct{})
		}
		wake := c.wake
		c.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return false
		}
	}
}

// lend notes that an attempt has the connection. A nil one is nobody's.
func (c *conn) lend() { c.setLent(true) }

// back notes that the attempt knows its answer, or that there is none. net/http may
// have lent the connection again before.
func (c *conn) back() { c.setLent(false) }

func (c *conn) setLent(lent bool) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lent = lent; !lent {
		c.signal()
	}
}

// fault returns what ended the connection; nil while it lives.
func (c *conn) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// Close closes the connection.
func (c *conn) Close() error {
	c.end(net.ErrClosed)
	return c.Conn.Close()
}

// CloseWrite ends our half, as a tunnel needs it.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

func (c *conn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parked = false
	if c.ended == nil {
		c.ended = err
	}
	c.signal()
}

func (c *conn) signal() {
	if c.wake != nil {
		close(c.wake)
		c.wake = nil
	}
}
