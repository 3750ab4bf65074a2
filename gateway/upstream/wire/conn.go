package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// bufferSize holds the head of nearly every answer, and the whole of a small one.
const bufferSize = 4 << 10

// conn is one connection. It belongs to one goroutine at a time; only its
// deadline is touched by another, which ends the request.
type conn struct {
	net.Conn
	pool      *Pool
	raw       syscall.RawConn
	look      func(fd uintptr) // peek, made once
	cancel    func()           // ends what is under way, made once
	nobody    bool             // peek's answer
	sending   sending
	used      bool // it has served before
	idleSince time.Time
	since     uint64    // the pool's last closing before it was made
	until     time.Time // the deadline of reading that stands; zero: none
	both      bool      // it is one of writing, too

	out    []byte // what is sent, used again
	buf    []byte // what came and was not taken: buf[from:to]
	from   int
	to     int
	fields []Field // of the answer's header, used again
	large  *[]byte // lent for a long body, in place of buf
	small  []byte  // buf while large is lent
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

func newConn(p *Pool, dialled net.Conn) (*conn, error) {
	s, ok := dialled.(syscall.Conn)
	if !ok {
		_ = dialled.Close()
		return nil, fmt.Errorf("a %T has no descriptor", dialled)
	}
	raw, err := s.SyscallConn()
	if err != nil {
		_ = dialled.Close()
		return nil, err
	}
	c := &conn{Conn: dialled, pool: p, raw: raw, since: p.closings(), buf: make([]byte, bufferSize)}
	c.look, c.sending.step = c.peek, c.advance
	c.cancel = func() { _ = c.SetDeadline(past) } // fails only on what is closed
	return c, nil
}

func (c *conn) close() {
	c.shrink()
	_ = c.Close()
}

// atOnce is what a connection on which nothing waits takes without delay, in bytes.
const atOnce = 4 << 10

// arm sets the deadline of the answer's beginning: in so long, or up to an eighth of it
// and at most a second more. So a deadline that stands serves exchange after exchange,
// and is moved once in a while. Writing needs none where it cannot wait.
func (c *conn) arm(wait time.Duration) error {
	spare := min(wait/8, time.Second)
	limit := time.Now().Add(wait)
	switch both := len(c.out) > atOnce; {
	case both:
		c.until, c.both = limit, true
		return c.SetDeadline(limit)
	case !c.until.Before(limit) && !c.until.After(limit.Add(spare)):
		return nil
	}
	c.until = limit.Add(spare)
	return c.SetReadDeadline(c.until)
}

// disarm lifts the deadline that stands.
func (c *conn) disarm() error {
	if c.until.IsZero() {
		return nil
	}
	both := c.both
	c.until, c.both = time.Time{}, false
	if both {
		return c.SetDeadline(time.Time{})
	}
	return c.SetReadDeadline(time.Time{})
}

// enlarge takes a large buffer for a long body.
func (c *conn) enlarge() {
	if c.large != nil || len(c.buf) > bufferSize {
		return
	}
	c.large, c.small = c.pool.large.get(), c.buf
	c.to = copy(*c.large, c.buf[c.from:c.to])
	c.from, c.buf = 0, *c.large
}

// shrink gives the large buffer back; what is in it is lost.
func (c *conn) shrink() {
	if c.large == nil {
		return
	}
	c.pool.large.put(c.large)
	c.buf, c.large, c.small = c.small, nil, nil
	c.from, c.to = 0, 0
}

// quiet reports whether nothing at all has arrived on an idle connection, its end
// included.
func (c *conn) quiet() bool {
	c.nobody = false
	return c.raw.Control(c.look) == nil && c.nobody
}

func (c *conn) peek(fd uintptr) { c.nobody = Silent(fd) }

// Silent asks the kernel whether nothing has arrived on a socket, and takes nothing
// from it. An end of the stream or an error is something, too.
func Silent(fd uintptr) bool {
	var one [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if !errors.Is(err, syscall.EINTR) {
			return errors.Is(err, syscall.EAGAIN)
		}
	}
}

// fill reads once into the buffer, which grows up to limit. It keeps what is
// there.
func (c *conn) fill(limit int) error {
	if c.from > 0 {
		copy(c.buf, c.buf[c.from:c.to])
		c.from, c.to = 0, c.to-c.from
	}
	if c.to == len(c.buf) {
		if c.to >= limit {
			return fmt.Errorf("%w: longer than %d bytes", ErrProtocol, limit)
		}
		grown := make([]byte, min(2*len(c.buf), limit))
		copy(grown, c.buf[:c.to])
		c.buf = grown
	}
	n, err := c.Read(c.buf[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// buffered returns what has arrived and was not taken.
func (c *conn) buffered() []byte { return c.buf[c.from:c.to] }

// rest makes the connection ready for the next request, and reports whether it
// is. A deadline of reading may stand: nobody reads meanwhile.
func (c *conn) rest() bool {
	if c.from != c.to || c.both && c.disarm() != nil {
		return false
	}
	c.shrink()
	c.from, c.to, c.used = 0, 0, true
	if len(c.buf) > bufferSize {
		c.buf = make([]byte, bufferSize) // one long header must not stay for ever
	}
	if cap(c.out) > 4*bufferSize {
		c.out = nil
	}
	clear(c.fields)
	c.fields = c.fields[:0]
	return true
}
