package telemetry

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Writer is the response writer of a request under [Handler]: it counts what is
// sent and carries the request's [Record]. Writers are not pooled: one that some
// goroutine kept would write into the record of a stranger's request.
type Writer struct {
	http.ResponseWriter

	record   Record
	status   int   // 0 until the final header is decided
	bytes    int64 // of the body, before any transfer coding
	hijacked bool
}

var (
	_ http.Flusher  = (*Writer)(nil)
	_ http.Hijacker = (*Writer)(nil)
	_ io.ReaderFrom = (*Writer)(nil)
)

// Status returns the final status sent, 0 if none was yet. A connection that was
// taken over counts as 101.
func (w *Writer) Status() int { return w.status }

// Bytes returns how many bytes of body were written; those of a connection that
// was taken over are not counted.
func (w *Writer) Bytes() int64 { return w.bytes }

// Unwrap lets [http.ResponseController] reach the server's own writer.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the header. Informational answers (1xx) may be sent before
// the one final header and do not count as it.
func (w *Writer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *Writer) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// WriteString sends a part of the body.
func (w *Writer) WriteString(s string) (int, error) {
	w.begin(http.StatusOK)
	n, err := io.WriteString(w.ResponseWriter, s)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom sends a part of the body read from r; the server may do that without
// copying.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	w.begin(http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

// Flush sends what is buffered. A writer below that cannot flush is no error: the
// data goes out when the handler returns.
func (w *Writer) Flush() { _ = w.FlushError() }

// FlushError is Flush for [http.ResponseController]; it fails with
// [http.ErrNotSupported] where the writer below cannot flush.
func (w *Writer) FlushError() error {
	w.begin(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack takes the connection over, as for a WebSocket.
func (w *Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.hijacked = true
		w.begin(http.StatusSwitchingProtocols)
	}
	return conn, rw, err
}

// begin notes the final status. It also puts our request id back where a proxy
// has copied the upstream's headers over or beside it.
func (w *Writer) begin(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	h := w.Header()
	if v := h[requestIDHeader]; w.record.RequestID != "" && (len(v) != 1 || v[0] != w.record.RequestID) {
		h[requestIDHeader] = w.record.RequestIDHeader()
	}
}
