package http1

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// body is the body of a request, of which a part may have come with the head.
//
// A handler may leave its reading to another goroutine, which goes on while the
// answer begins and even when the handler is over, as net/http's transport does. The
// connection is then kept from reading the same bytes by mu, and the goroutine from
// reading what follows the body by closed.
type body struct {
	conn   *conn
	mu     sync.Mutex   // held while conn is read for the body
	left   atomic.Int64 // bytes that nobody has read
	closed atomic.Bool
	broken atomic.Bool // the rest will not come
}

// Read implements io.Reader. What the client did not send is io.ErrUnexpectedEOF.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.read(p)
}

// read is called with mu held. It touches the connection only while a part of the body
// is left, and lowers left as the last step: at zero the connection's own goroutine may
// read again.
func (b *body) read(p []byte) (n int, err error) {
	left := b.left.Load()
	if left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	if c := b.conn; c.from < c.to {
		n = copy(p, c.in[c.from:c.to])
		c.from += n
	} else if n, err = c.nc.Read(p); n > 0 {
		err = nil
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	b.broken.Store(err != nil)
	if left = b.left.Add(-int64(n)); left == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// Close implements io.Closer. What is left is read by the connection.
func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// drain reads what the handler has left, so that the next request can be found. It
// reports whether it can. Nobody else reads after it.
func (b *body) drain() bool {
	if b.left.Load() == 0 {
		return true
	}
	b.closed.Store(true)
	b.mu.Lock()
	defer b.mu.Unlock()
	scrap := make([]byte, 512)
	for b.left.Load() > 0 && !b.broken.Load() {
		_, _ = b.read(scrap) // whose fault stays in broken
	}
	return b.left.Load() == 0
}
