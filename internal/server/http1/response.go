package http1

import (
	"fmt"
	"net/http"
	"net/textproto"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// undecided is how much of an answer of unknown length is kept back: one that ends
// within it is sent with its length.
const undecided = 2 << 10

// response is the answer to one request.
//
// The head is written into the connection's buffer when its status is decided, all
// but its last lines, which say how the body ends. These follow when that is known:
// with the first byte where the length was given, otherwise with the end, with a
// flush, or with more than can be kept back.
type response struct {
	conn    *conn
	request *http.Request
	in      *body
	header  http.Header

	status   int
	length   int64 // as the handler gave it; -1: it did not
	written  int64
	typed    bool // there is a Content-Type, or must not be one
	framed   bool // the head is whole
	chunked  bool
	closing  bool     // the connection ends with the answer
	duplex   bool     // the handler reads while it answers
	trailers []string // announced
	err      error    // of the connection
}

var _ http.Flusher = (*response)(nil)

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status)) // as net/http does
	}
	if w.status != 0 {
		return
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		out := appendStatus(w.conn.out[:0], status)
		w.send(append(w.appendHeader(out, true), '\r', '\n'))
		return
	}
	w.status = status
	out := appendStatus(w.conn.out[:0], status)
	w.settle()
	w.conn.out = w.appendHeader(out, false)
	w.conn.body = w.conn.body[:0]
}

// settle reads what the handler's header says to the server.
func (w *response) settle() {
	if v := w.header["Content-Length"]; len(v) > 0 && w.allowed() {
		if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 && len(v) == 1 {
			w.length = n
		} else {
			delete(w.header, "Content-Length")
		}
	}
	for _, v := range w.header["Connection"] {
		for word := range strings.SplitSeq(v, ",") {
			w.closing = w.closing || strings.EqualFold(strings.TrimSpace(word), "close")
		}
	}
	if w.conn.lane.closing.Load() && !w.closing {
		w.closing = true
		w.header["Connection"] = []string{"close"}
	}
	for _, v := range w.header["Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			if name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)); !framing(name) {
				w.trailers = append(w.trailers, name)
			}
		}
	}
	_, typed := w.header["Content-Type"] // nil forbids one
	w.typed = typed || len(w.header["Content-Encoding"]) > 0 && w.header["Content-Encoding"][0] != ""
}

// allowed reports whether the status lets the answer have a body.
func (w *response) allowed() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// framing reports whether a field (canonical name) says where a message ends, and so
// cannot stand in a trailer.
func framing(name string) bool {
	return name == "Transfer-Encoding" || name == "Content-Length" || name == "Trailer"
}

// appendHeader writes the fields of the header that go out in front of the body.
func (w *response) appendHeader(b []byte, informational bool) []byte {
	dated := informational
	for name, values := range w.header {
		switch {
		case name == "Transfer-Encoding", strings.HasPrefix(name, http.TrailerPrefix):
			continue
		case name == "Date":
			dated = true
		case name == "Content-Length" && (informational || !w.allowed()):
			continue
		case name == "Content-Type" && w.status == http.StatusNotModified:
			continue
		}
		if w.trailers != nil && contains(w.trailers, name) {
			continue
		}
		b = appendFields(b, name, values)
	}
	if !dated {
		b = append(b, w.conn.lane.dateLine()...)
	}
	return b
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// appendStatus writes the status line.
func appendStatus(b []byte, status int) []byte {
	if status == http.StatusOK {
		return append(b, "HTTP/1.1 200 OK\r\n"...)
	}
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if text := http.StatusText(status); text != "" {
		b = append(b, text...)
	} else {
		b = append(b, "status code "...)
		b = strconv.AppendInt(b, int64(status), 10)
	}
	return append(b, '\r', '\n')
}

// appendFields writes the values of one name. Line ends in a value become blanks and
// what is no name is left out, as with net/http.
func appendFields(b []byte, name string, values []string) []byte {
	if name == "" {
		return b
	}
	for i := range len(name) {
		if c := name[i]; !plainName(c) && (c == 0x7f || c <= ' ' || c >= 0x80 || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0) {
			return b
		}
	}
	for _, v := range values {
		b = append(b, name...)
		b = append(b, ':', ' ')
		from := len(b)
		b = append(b, trim(v)...)
		for i := from; i < len(b); i++ {
			if b[i] == '\r' || b[i] == '\n' {
				b[i] = ' '
			}
		}
		b = append(b, '\r', '\n')
	}
	return b
}

// Write implements io.Writer. Errors are http.ErrBodyNotAllowed,
// http.ErrContentLength, and those of the connection.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if len(p) == 0 {
		return 0, w.err
	}
	if !w.allowed() {
		return 0, http.ErrBodyNotAllowed
	}
	if w.written += int64(len(p)); w.length >= 0 && w.written > w.length {
		return 0, http.ErrContentLength
	}
	if w.request.Method == http.MethodHead {
		if have := len(w.conn.body); !w.framed && !w.typed && have < 512 { // for the guess
			w.conn.body = append(w.conn.body, p[:min(len(p), 512-have)]...)
		}
		return len(p), nil
	}
	if !w.framed {
		if w.length < 0 && len(w.conn.body)+len(p) <= undecided {
			w.conn.body = append(w.conn.body, p...)
			return len(p), nil
		}
		w.frame(p)
	}
	w.put(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// frame ends the head, and passes on what was kept back. P is what follows, from
// which a type may be guessed, as by net/http.
func (w *response) frame(p []byte) {
	w.framed = true
	c := w.conn
	// What the handler has left of the body is read first, as by net/http: many a
	// client looks for an answer only when it has sent everything.
	if !w.duplex && !w.in.drain() && !w.closing {
		w.closing = true
		c.out = append(c.out, "Connection: close\r\n"...)
	}
	kept := c.body
	if !w.typed && w.allowed() && len(kept)+len(p) > 0 {
		sample := append(kept[:len(kept):len(kept)], p[:min(len(p), 512)]...)
		c.out = appendFields(c.out, "Content-Type", []string{http.DetectContentType(sample)})
	}
	if w.length < 0 && w.allowed() && w.request.Method != http.MethodHead {
		w.chunked = true
		c.out = append(c.out, "Transfer-Encoding: chunked\r\n"...)
	}
	c.out = append(c.out, '\r', '\n')
	if len(kept) > 0 && w.request.Method != http.MethodHead {
		w.put(kept)
	}
	c.body = kept[:0]
}

// put sends a part of the body, together with what waits if that is little.
func (w *response) put(p []byte) {
	c := w.conn
	if w.chunked {
		c.out = strconv.AppendInt(c.out, int64(len(p)), 16)
		c.out = append(c.out, '\r', '\n')
	}
	if len(c.out)+len(p) <= 4*bufferSize {
		c.out = append(c.out, p...)
	} else {
		w.send(c.out)
		w.send(p)
		c.out = c.out[:0]
	}
	if w.chunked {
		c.out = append(c.out, '\r', '\n')
	}
}

func (w *response) send(p []byte) {
	if w.err == nil && len(p) > 0 {
		_, w.err = w.conn.nc.Write(p)
	}
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is for [http.ResponseController]: what was written is with the kernel
// when it returns nil.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.framed {
		w.frame(nil)
	}
	w.send(w.conn.out)
	w.conn.out = w.conn.out[:0]
	return w.err
}

// SetReadDeadline is for [http.ResponseController].
func (w *response) SetReadDeadline(t time.Time) error {
	w.conn.moved.Store(true)
	return w.conn.nc.SetReadDeadline(t)
}

// SetWriteDeadline is for [http.ResponseController]. It holds to the end of the
// connection.
func (w *response) SetWriteDeadline(t time.Time) error { return w.conn.nc.SetWriteDeadline(t) }

// EnableFullDuplex is for [http.ResponseController].
func (w *response) EnableFullDuplex() error {
	w.duplex = true
	return nil
}

// finish sends what is left. It reports whether another request may follow.
func (w *response) finish() bool {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	c := w.conn
	if !w.framed {
		w.finishHead()
	}
	if w.chunked {
		c.out = append(c.out, "0\r\n"...)
		for _, name := range w.trailers {
			c.out = appendFields(c.out, name, w.header[name])
		}
		for name, values := range w.header {
			if name, found := strings.CutPrefix(name, http.TrailerPrefix); found && !framing(name) {
				c.out = appendFields(c.out, name, values)
			}
		}
		c.out = append(c.out, '\r', '\n')
	}
	runtime.Gosched() // see gateway/upstream/wire: answers go out together, too
	w.send(c.out)
	c.out = c.out[:0]
	// A body of another length than was announced: what follows would be taken for it.
	whole := w.length < 0 || w.written == w.length || w.request.Method == http.MethodHead
	return w.err == nil && !w.closing && whole
}

// finishHead ends the head of an answer that is known whole.
func (w *response) finishHead() {
	head := w.request.Method == http.MethodHead
	if w.length < 0 && w.allowed() && len(w.trailers) == 0 && !w.hasTrailer() && (!head || w.written > 0) {
		w.length = w.written
		w.conn.out = append(w.conn.out, "Content-Length: "...)
		w.conn.out = strconv.AppendInt(w.conn.out, w.written, 10)
		w.conn.out = append(w.conn.out, '\r', '\n')
	}
	w.frame(nil)
}

func (w *response) hasTrailer() bool {
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}
