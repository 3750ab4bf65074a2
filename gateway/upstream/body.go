package upstream

import (
	"io"
	"net/http"
	"sync"
)

// requestBody stands between the transport and the client's body. While it is
// held, a Close is remembered and not passed on, so that a request whose
// connection turned out to be dead can be handed to another. A nil one is the
// body of a request that has none.
type requestBody struct {
	from io.ReadCloser

	mu      sync.Mutex // guards the rest; not held while reading
	held    bool
	closed  bool  // the transport asked for it
	touched bool  // reading has begun
	waiting bool  // a Read waits for the client, or did so when the body was closed
	whole   bool  // it was read to its end
	err     error // what reading failed with: the client's fault, not the upstream's
}

// hold returns nil for a request without a body.
func hold(r *http.Request) *requestBody {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	return &requestBody{from: r.Body, held: true}
}

// Read reads the client's body and remembers how that went.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	closed := b.closed
	b.touched = true
	b.waiting = b.waiting || !closed
	b.mu.Unlock()
	if closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = b.closed
	if err == io.EOF {
		b.whole = true
	} else if err != nil && b.err == nil && !b.closed {
		b.err = err
	}
	return n, err
}

// Close closes the client's body, or notes that it must be.
func (b *requestBody) Close() error {
	b.mu.Lock()
	b.closed = true
	held := b.held
	b.mu.Unlock()
	if held {
		return nil
	}
	return b.from.Close()
}

// again opens an untouched body for another connection.
func (b *requestBody) again() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = false
	return !b.touched
}

// release ends the holding. Without an answer the body is closed at once, as
// http.RoundTripper demands.
func (b *requestBody) release(answered bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.held = false
	due := b.closed || !answered
	b.mu.Unlock()
	if due {
		_ = b.from.Close()
	}
}

// state reports whether all of it was sent, and the client's fault.
func (b *requestBody) state() (whole bool, fault error) {
	if b == nil {
		return true, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.whole, b.err
}

// stalled reports whether the client is the one that was waited for.
func (b *requestBody) stalled() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting || b.err != nil
}

// answerBody tells when the caller is done with the answer.
type answerBody struct {
	io.ReadCloser
	of *flight
}

// Close ends the flight and closes the body, in this order: over HTTP/2 net/http
// lets a Close wait for whoever still reads the request's body, unless the
// context is over. A client that keeps its half of a call open would hold up the
// end of the answer.
func (b *answerBody) Close() error {
	b.of.end()
	return b.ReadCloser.Close()
}

// tunnelBody is the body of a 101, which is the connection itself.
type tunnelBody struct {
	io.ReadWriteCloser
	of *flight
}

// Close closes the connection and ends the flight.
func (b *tunnelBody) Close() error {
	defer b.of.end()
	return b.ReadWriteCloser.Close()
}

// CloseWrite ends our half of the tunnel.
func (b *tunnelBody) CloseWrite() error {
	if half, ok := b.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}
