package server

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
)

// wire is a connection as net/http has it when it may speak HTTP/1.1 there.
type wire struct {
	net.Conn
	before []byte        // what was read already, and is read again
	voice  atomic.Uint32 // whose the bytes are: ofServer, ofHandler, ofNobody
	sizes  lengths       // of what is read
}

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.before) == 0 {
		n, err := w.Conn.Read(p)
		w.heard(p[:n])
		return n, err
	}
	n := copy(p, w.before)
	if w.before = w.before[n:]; len(w.before) == 0 {
		w.before = nil
	}
	w.heard(p[:n])
	return n, nil
}

// heard watches what was read, unless it is frames.
func (w *wire) heard(p []byte) {
	if w.voice.Load() != ofNobody {
		w.sizes.note(p)
	}
}

// CloseWrite ends our half, as a tunnel needs it, and net/http before it closes a
// connection whose client is still sending.
func (w *wire) CloseWrite() error {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// plainWire is a wire without TLS: the kernel may copy to it and from it.
type plainWire struct{ wire }

// ReadFrom implements io.ReaderFrom. net/http comes here for a handler's body only,
// so there is nothing to look at.
func (w *plainWire) ReadFrom(r io.Reader) (int64, error) {
	if below, ok := w.Conn.(io.ReaderFrom); ok {
		return below.ReadFrom(r)
	}
	return io.Copy(onlyWriter{w}, r)
}

// WriteTo implements io.WriterTo.
func (w *plainWire) WriteTo(to io.Writer) (int64, error) {
	if below, ok := w.Conn.(io.WriterTo); ok && len(w.before) == 0 {
		return below.WriteTo(to)
	}
	return io.Copy(to, onlyReader{w})
}

// onlyReader keeps io.Copy from calling WriteTo again.
type onlyReader struct{ io.Reader }

// tlsWire is a wire behind a handshake that did not choose HTTP/2. From its state
// net/http sets Request.TLS.
type tlsWire struct {
	wire
	state func() tls.ConnectionState
}

// ConnectionState is what the handshake came to.
func (w *tlsWire) ConnectionState() tls.ConnectionState { return w.state() }

// wireOf returns the wire of a connection, nil where HTTP/2 was chosen.
func wireOf(c net.Conn) *wire {
	switch w := c.(type) {
	case *plainWire:
		return &w.wire
	case *tlsWire:
		return &w.wire
	}
	return nil
}
