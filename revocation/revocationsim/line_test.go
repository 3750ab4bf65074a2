package revocationsim

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// line is an edge's way to Redis, which can be cut or frozen.
type line struct {
	addr string

	mu      sync.Mutex
	cut     bool // connections are closed, new ones refused
	frozen  bool // bytes stop, connections stay
	changed chan struct{}
	conns   map[*conn]bool
}

func newLine(addr string) *line {
	return &line{addr: addr, changed: make(chan struct{}), conns: map[*conn]bool{}}
}

// set puts the line into a state. Answers to what is sent from now on do not come
// through a line that is cut or frozen.
func (l *line) set(cut, frozen bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	thawed := l.frozen && !frozen
	l.cut, l.frozen = cut, frozen
	close(l.changed)
	l.changed = make(chan struct{})
	if cut || thawed { // what was sent into a frozen line is lost, so its stream is broken
		for c := range l.conns {
			_ = c.Conn.Close()
			delete(l.conns, c)
		}
	}
}

func (l *line) state() (cut, frozen bool, changed chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut, l.frozen, l.changed
}

// dial is a redis.Options.Dialer.
func (l *line) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	for {
		cut, frozen, changed := l.state()
		if cut {
			return nil, errors.New("the line is cut")
		}
		if !frozen {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var d net.Dialer
	inner, err := d.DialContext(ctx, network, l.addr)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: inner, line: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut || l.frozen {
		_ = inner.Close()
		return nil, errors.New("the line was cut")
	}
	l.conns[c] = true
	return c, nil
}

// conn is one connection over a line.
type conn struct {
	net.Conn
	line *line

	mu    sync.Mutex
	until time.Time // read deadline
}

func (c *conn) SetDeadline(t time.Time) error {
	c.note(t)
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.note(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) note(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
}

// Read holds back what came through a line that is frozen.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for {
		_, frozen, changed := c.line.state()
		if !frozen {
			return n, err
		}
		c.mu.Lock()
		until := c.until
		c.mu.Unlock()
		late := make(<-chan time.Time)
		if !until.IsZero() {
			late = time.After(time.Until(until))
		}
		select {
		case <-changed:
			return 0, net.ErrClosed
		case <-late:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (c *conn) Write(b []byte) (int, error) {
	if _, frozen, _ := c.line.state(); frozen {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	c.line.mu.Lock()
	delete(c.line.conns, c)
	c.line.mu.Unlock()
	return c.Conn.Close()
}
