package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// net/http answers some requests by itself, before any handler: a Transfer-Encoding
// that it does not know or that came twice with 501, a version other than 1.x with
// 505. Both are malformed requests here, and a 5xx would say that we failed. Such an
// answer is one Write on the connection, so it is turned into refused there.
const (
	refused = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	// failing is what begins an answer that must not go out.
	failing = "HTTP/1.1 5"
)

// Whose the bytes are that are written to a connection.
const (
	ofServer  = iota // no handler has been called for the request that is being read
	ofHandler        // one has: a back end's own 501 is none of our business
	ofNobody         // not HTTP/1.1: HTTP/2, or a handler took the connection over
)

// wire is a connection as net/http has it when it may speak HTTP/1.1 there.
type wire struct {
	net.Conn
	voice atomic.Uint32 // one of the three above
}

// Write implements io.Writer.
func (w *wire) Write(p []byte) (int, error) {
	if w.voice.Load() == ofServer {
		switch {
		case bytes.HasPrefix(p, []byte(failing)):
			if _, err := io.WriteString(w.Conn, refused); err != nil {
				return 0, err
			}
			return len(p), nil
		case !bytes.HasPrefix(p, []byte(failing[:5])):
			// HTTP/2 begins with a frame of the server's, before any handler.
			w.voice.Store(ofNobody)
		}
	}
	return w.Conn.Write(p)
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

// ReadFrom implements io.ReaderFrom. net/http comes here behind a header only.
func (w *plainWire) ReadFrom(r io.Reader) (int64, error) {
	if below, ok := w.Conn.(io.ReaderFrom); ok {
		return below.ReadFrom(r)
	}
	return io.Copy(onlyWriter{w}, r)
}

// WriteTo implements io.WriterTo.
func (w *plainWire) WriteTo(to io.Writer) (int64, error) {
	if below, ok := w.Conn.(io.WriterTo); ok {
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

// wires is a listener without TLS.
type wires struct{ net.Listener }

// Accept implements net.Listener.
func (l wires) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &plainWire{wire{Conn: c}}, nil
}

// wireKey is where the context of a request has its wire.
type wireKey struct{}

func withWire(ctx context.Context, c net.Conn) context.Context {
	if w := wireOf(c); w != nil {
		return context.WithValue(ctx, wireKey{}, w)
	}
	return ctx
}

// voiced is around the handler of a listener: from here on the answer is its own.
func voiced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w, ok := r.Context().Value(wireKey{}).(*wire); ok {
			w.voice.CompareAndSwap(ofServer, ofHandler)
		}
		h.ServeHTTP(rw, r)
	})
}

// observe is told by net/http what becomes of a connection: once an answer is out,
// the next one may be the server's again.
func observe(c net.Conn, state http.ConnState) {
	if state != http.StateIdle && state != http.StateHijacked {
		return
	}
	w := wireOf(c)
	switch {
	case w == nil:
	case state == http.StateIdle:
		w.voice.CompareAndSwap(ofHandler, ofServer)
	default:
		w.voice.Store(ofNobody)
	}
}
