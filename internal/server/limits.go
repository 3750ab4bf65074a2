package server

import (
	"io"
	"net/http"
	"strings"
)

// limit is what every request of every listener has to pass before a handler sees
// it. A request without a body costs no allocation here.
func (s *Server) limit(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.tooLong(r):
			tooManyFields(w, r)
		case bodiless(r) || streams(r):
			h.ServeHTTP(w, r)
		default:
			s.watched(h, w, r)
		}
	})
}

// tooLong reports whether a request's header has more fields, or more bytes, than it
// may have. net/http itself reads 4 KiB more than it was told.
//
// A name that came twice counts twice. Host is not among the fields, and HTTP/2's parts
// of a Cookie are one; bytes are those of HTTP/1.1, whatever the version.
func (s *Server) tooLong(r *http.Request) bool {
	fields := 0
	bytes := len(r.Method) + len(" ") + len(r.RequestURI) + len(" HTTP/1.1\r\nHost: ") + len(r.Host) + len("\r\n\r\n")
	for name, values := range r.Header {
		fields += len(values)
		for _, v := range values {
			bytes += len(name) + len(": ") + len(v) + len("\r\n")
		}
	}
	return fields > s.cfg.MaxHeaderFields || bytes > s.cfg.MaxHeaderBytes
}

// tooManyFields answers as net/http does to a header of far too many bytes.
func tooManyFields(w http.ResponseWriter, r *http.Request) {
	const text = "431 Request Header Fields Too Large"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if r.ProtoMajor == 1 { // HTTP/2's connection may be a proxy's, with others' requests on it
		h.Set("Connection", "close")
	}
	w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
	_, _ = io.WriteString(w, text) // a client that is gone needs no answer
}

// bodiless reports whether a request certainly has no body. Over HTTP/2 a body of the
// declared length 0 may still be open, and the client may keep it open.
func bodiless(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 && r.Header["Content-Length"] == nil
}

// streams reports whether a request is a gRPC call. Its body is a stream of messages
// that may be silent for hours, also before the answer begins.
func streams(r *http.Request) bool {
	media := r.Header.Get("Content-Type")
	return r.ProtoMajor == 2 && len(media) >= len(grpc) && strings.EqualFold(media[:len(grpc)], grpc)
}

const grpc = "application/grpc"
