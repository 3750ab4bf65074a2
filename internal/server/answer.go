package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
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
	ofNobody         // HTTP/2: there are frames, which may look like anything
)

// Write implements io.Writer. It looks at what the server says by itself, and at
// nothing else.
func (w *wire) Write(p []byte) (int, error) {
	if w.voice.Load() == ofServer {
		switch {
		case bytes.HasPrefix(p, []byte(failing)):
			if _, err := io.WriteString(w.Conn, refused); err != nil {
				return 0, err
			}
			return len(p), nil
		case !bytes.HasPrefix(p, []byte(failing[:5])):
			// HTTP/2 begins with a frame of the server's, before any handler. Later
			// on a write may begin inside of a frame, with whatever is sent there.
			w.voice.Store(ofNobody)
		}
	}
	return w.Conn.Write(p)
}

// wireKey is where the context of a request has its wire.
type wireKey struct{}

func withWire(ctx context.Context, c net.Conn) context.Context {
	if w := wireOf(c); w != nil {
		return context.WithValue(ctx, wireKey{}, w)
	}
	return ctx
}

// voiced wraps the handler of a listener. From its call on, what is written to the
// connection is the handler's answer and no longer net/http's.
func voiced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w, ok := r.Context().Value(wireKey{}).(*wire); ok {
			w.voice.CompareAndSwap(ofServer, ofHandler)
			framed(w, rw, r)
		}
		h.ServeHTTP(rw, r)
	})
}

// observe is net/http's ConnState hook. Once an answer is out, the next bytes may be
// net/http's own again. It is not called for a connection that a handler took over.
func observe(c net.Conn, state http.ConnState) {
	if state != http.StateIdle {
		return
	}
	if w := wireOf(c); w != nil {
		w.voice.CompareAndSwap(ofHandler, ofServer)
	}
}
