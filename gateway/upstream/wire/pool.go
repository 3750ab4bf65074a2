package wire

import (
	"context"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config of a Pool.
type Config struct {
	// Dial makes a connection, TCP or another whose descriptor can be had.
	Dial func(ctx context.Context) (net.Conn, error)
	// IdleTimeout after which an unused connection is closed; 0: a minute.
	IdleTimeout time.Duration
	// MaxIdle connections that are kept; 0: 4,096. As many as were in use at once are
	// worth keeping: dialling costs more than the rest of an exchange.
	MaxIdle int
	// Rest is how long a connection is not lent again behind an answer that announced a
	// body which must not come, as to HEAD; 0: [Rest].
	Rest time.Duration
}

// Rest is how long a back end that sends a body where there is none may take to begin.
const Rest = 10 * time.Millisecond

// crowdEach is how many exchanges a processor may have under way before they are a
// crowd: so many that the answer to one comes while the others are written.
const crowdEach = 64

// Pool keeps the connections to one address. It is safe for concurrent use.
type Pool struct {
	config  Config
	large   buffers
	waiting atomic.Int64 // exchanges whose answer has not begun
	crowd   int64        // more of these are one

	mu     sync.Mutex
	free   []*conn // the one used last at the end
	sweep  *time.Timer
	closed uint64 // how often
}

// NewPool returns a pool without connections.
func NewPool(c Config) *Pool {
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = time.Minute
	}
	if c.MaxIdle <= 0 {
		c.MaxIdle = 4096
	}
	if c.Rest <= 0 {
		c.Rest = Rest
	}
	return &Pool{config: c, crowd: crowdEach * int64(runtime.GOMAXPROCS(0))}
}

// Close closes the idle connections. Those lent are closed when they come back,
// and new ones can still be made.
func (p *Pool) Close() {
	p.mu.Lock()
	free := p.free
	p.free = nil
	p.closed++
	if p.sweep != nil {
		p.sweep.Stop()
		p.sweep = nil
	}
	p.mu.Unlock()
	for _, c := range free {
		c.close()
	}
}

// closings returns how often the pool was closed.
func (p *Pool) closings() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// take lends the connection used last; nil when there is none. Whether it is silent is
// looked at when something is sent. The others stay for the sweep, so that few
// connections carry a light load.
func (p *Pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.free)
	if n == 0 {
		return nil
	}
	c := p.free[n-1]
	p.free[n-1] = nil
	p.free = p.free[:n-1]
	return c
}

// put takes a connection back.
func (p *Pool) put(c *conn) {
	c.idleSince = time.Now()
	p.mu.Lock()
	if c.since != p.closed || len(p.free) >= p.config.MaxIdle {
		p.mu.Unlock()
		c.close()
		return
	}
	p.free = append(p.free, c)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.config.IdleTimeout, p.expire)
	}
	p.mu.Unlock()
}

// putRested takes a connection back on which something may come that nobody asked for.
func (p *Pool) putRested(c *conn) {
	Acknowledge(c.raw)
	time.AfterFunc(p.config.Rest, func() {
		if c.quiet() {
			p.put(c)
		} else {
			c.close()
		}
	})
}

// expire closes what has not been used for IdleTimeout. It runs again for as long
// as anything is left.
func (p *Pool) expire() {
	limit := time.Now().Add(-p.config.IdleTimeout)
	p.mu.Lock()
	old := 0
	for old < len(p.free) && !p.free[old].idleSince.After(limit) {
		old++ // the list is in the order of coming back: whoever was taken and came back stands at the end
	}
	gone := append([]*conn(nil), p.free[:old]...)
	p.free = slices.Delete(p.free, 0, old)
	if len(p.free) == 0 {
		p.sweep = nil
	} else {
		p.sweep.Reset(max(time.Until(p.free[0].idleSince.Add(p.config.IdleTimeout)), time.Millisecond))
	}
	p.mu.Unlock()
	for _, c := range gone {
		c.close()
	}
}
