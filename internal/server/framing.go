package server

import (
	"bytes"
	"net/http"
	"sync"
)

// A request with both a Content-Length and a Transfer-Encoding is framed by the latter,
// and its connection must be closed after the answer (RFC 9112 section 6.1): whoever
// stands before us may have believed the former. net/http keeps it open, and has taken
// the length away before any handler sees the header. So the bytes are watched as they
// come in: a connection on which a line began with lengthField since the request before
// is closed after a request with a Transfer-Encoding. Such a line in a body closes it
// for nothing, which does no harm.

// lengthField is looked for at the beginning of lines, in whatever case.
const lengthField = "content-length"

// lengths watches what is read on a connection of HTTP/1.1.
type lengths struct {
	mu      sync.Mutex // net/http reads ahead while a handler runs
	matched int        // bytes of "\n" + lengthField that the end of the last read was
	// read: something was read since a handler was called last; seen: a Content-Length
	// was in it; before: one was in what was read before that. It still counts while
	// nothing new is read: the next head may have come in with it.
	read, seen, before bool
}

// note takes what was read.
func (l *lengths) note(p []byte) {
	if len(p) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = true
	for len(p) > 0 && !l.seen {
		if l.matched == 0 {
			end := bytes.IndexByte(p, '\n')
			if end < 0 {
				return
			}
			p, l.matched = p[end+1:], 1
			continue
		}
		c := p[0]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lengthField[l.matched-1] {
			l.matched = 0
			continue
		}
		p = p[1:]
		if l.matched++; l.matched > len(lengthField) {
			l.matched, l.seen = 0, true
		}
	}
}

// taken says, when a handler is called, whether its request may have had a length.
func (l *lengths) taken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.seen || l.before
	if l.read {
		l.before = l.seen
	}
	l.read, l.seen = false, false
	return had
}

// framed wraps the handler of a listener. It closes the connection after a request whose
// length two readers could have read differently (see above).
func framed(w *wire, rw http.ResponseWriter, r *http.Request) {
	if had := w.sizes.taken(); had && len(r.TransferEncoding) > 0 {
		rw.Header().Set("Connection", "close")
	}
}
