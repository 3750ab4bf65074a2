package testkit

import (
	"net"
	"time"
)

// link is one connection through a proxy.
type link struct {
	proxy    *Proxy
	ends     [2]net.Conn
	gone     chan struct{}
	stranded bool // under the proxy's mu
}

// chunk is what was read at once.
type chunk struct {
	bytes []byte
	at    time.Time
}

// close ends both sides. The caller holds the proxy's mu.
func (l *link) close() {
	if !l.proxy.links[l] {
		return
	}
	delete(l.proxy.links, l)
	close(l.gone)
	for _, end := range l.ends {
		end.Close()
	}
}

// carry takes bytes from one side to the other until either ends. Reading goes on
// while what was read waits for its time, so that a delay costs no throughput.
func (l *link) carry(from, to net.Conn) {
	chunks := make(chan chunk, 64)
	l.proxy.work.Go(func() {
		defer close(chunks)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				select {
				case chunks <- chunk{b[:n], time.Now()}:
				case <-l.gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	for c := range chunks {
		if !l.deliver(to, c) {
			break
		}
	}
	l.await(time.Now(), 0) // an end is held back like bytes are
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	l.close()
}

// deliver writes c when its time has come. False when the link has ended.
func (l *link) deliver(to net.Conn, c chunk) bool {
	var pause time.Duration
	from := c.at
	for rest := c.bytes; len(rest) > 0; {
		f, ok := l.await(from, pause)
		if !ok {
			return false
		}
		n := len(rest)
		if f.drip > 0 {
			n, pause, from = min(n, f.drip), f.every, time.Now()
		} else {
			pause = 0
		}
		if _, err := to.Write(rest[:n]); err != nil {
			return false
		}
		rest = rest[n:]
	}
	return true
}

// await waits until the pause or else the delay has passed since from, and nothing
// is frozen. It returns the faults then in force; false when the link has ended.
func (l *link) await(from time.Time, pause time.Duration) (faults, bool) {
	for {
		l.proxy.mu.Lock()
		f, changed, frozen := l.proxy.faults, l.proxy.changed, l.proxy.faults.frozen || l.stranded
		l.proxy.mu.Unlock()
		wait := f.delay
		if pause > 0 {
			wait = min(pause, f.every) // every is 0 once the drip has ended
		}
		if wait -= time.Since(from); !frozen && wait <= 0 {
			return f, true
		}
		var due <-chan time.Time
		if !frozen {
			due = time.After(wait)
		}
		select {
		case <-due:
		case <-changed:
		case <-l.gone:
			return f, false
		}
	}
}
