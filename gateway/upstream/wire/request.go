package wire

import (
	"net/http"
	"strconv"
	"time"

	"tollgate/internal/server/octets"
)

// Request is what is sent. The caller vouches for its parts: a Method that is a
// token, a Target and a Host without blanks and control characters, and header
// fields that net/http has read.
type Request struct {
	Method string
	// Target in origin form: path and query, as they are sent.
	Target string
	Host   string
	// Header is sent as it is, but for what this package decides by itself:
	// Connection, Host, Content-Length, Transfer-Encoding and what else speaks of
	// one connection.
	Header http.Header
	// Also is sent after Header, which must not hold the same names.
	Also [2][]Field
	// Body is sent with its Content-Length when Sized.
	Body  []byte
	Sized bool
	// FirstByte is the time until the answer begins, or up to an eighth of it and at
	// most a second longer; 0: as long as it takes.
	FirstByte time.Duration
}

// repeatable reports whether a request may be sent twice.
func (r *Request) repeatable() bool {
	return !r.Sized && (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions)
}

// append writes the request. A field that speaks of one connection, or of the
// framing, which is ours, is left out; net/http has seen to it that no name or
// value holds a line's end, and a byte that could end one is looked for again.
func (r *Request) append(b []byte) ([]byte, error) {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	b = append(b, '\r', '\n')
	for name, values := range r.Header {
		if ofConnection(name) {
			continue
		}
		for _, v := range values {
			if !sound(v) {
				return b, errField
			}
			b = appendField(b, name, v)
		}
	}
	for _, list := range r.Also {
		for _, f := range list {
			if !sound(f.Value) {
				return b, errField
			}
			b = appendField(b, f.Name, f.Value)
		}
	}
	if r.Sized {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(r.Body)), 10)
		b = append(b, '\r', '\n')
	}
	b = append(b, '\r', '\n')
	return append(b, r.Body...), nil
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ':', ' ')
	b = append(b, value...)
	return append(b, '\r', '\n')
}

// ofConnection reports whether a field (canonical name) is between two neighbours
// (RFC 9110 section 7.6.1), or frames the message.
func ofConnection(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// sound reports whether a value holds no byte that ends a line or means the end of
// a string to somebody.
func sound(v string) bool {
	if octets.Plain(v) {
		return true
	}
	for i := range len(v) {
		if c := v[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
