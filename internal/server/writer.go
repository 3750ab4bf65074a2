package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// writer is a response writer that is told when the answer begins.
type writer struct {
	http.ResponseWriter
	begin func(http.Header) // called once, before the final header is decided
	begun bool
}

var (
	_ http.Flusher  = (*writer)(nil)
	_ http.Hijacker = (*writer)(nil)
	_ io.ReaderFrom = (*writer)(nil)
)

func (w *writer) start() {
	if !w.begun {
		w.begun = true
		w.begin(w.Header())
	}
}

// Unwrap lets [http.ResponseController] reach the server's own writer.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter. Informational answers (1xx) may come
// before the one that counts.
func (w *writer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.start()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	w.start()
	return w.ResponseWriter.Write(p)
}

// WriteString implements io.StringWriter.
func (w *writer) WriteString(s string) (int, error) {
	w.start()
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom implements io.ReaderFrom: over HTTP/1.1 the server may send without
// copying. Elsewhere the answer begins with the first byte that r has.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	if below, ok := w.ResponseWriter.(io.ReaderFrom); ok {
		w.start()
		return below.ReadFrom(r)
	}
	return io.Copy(onlyWriter{w}, r)
}

// onlyWriter keeps io.Copy from calling ReadFrom again.
type onlyWriter struct{ io.Writer }

// Flush implements http.Flusher. A writer below that cannot flush is no error: the
// data goes out when the handler returns.
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError is Flush for [http.ResponseController].
func (w *writer) FlushError() error {
	w.start()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// uploadWriter answers a request with a body. Beside the answer's beginning the
// limit on that body has to know what a handler does with the connection.
type uploadWriter struct {
	writer
	upload *upload
}

// Hijack implements http.Hijacker: the limit ends, the connection is not ours.
func (w *uploadWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.upload.leave()
	conn, rw, err := w.writer.Hijack()
	if err != nil {
		w.upload.rejoin()
	}
	return conn, rw, err
}

// SetReadDeadline is for [http.ResponseController]. The limit stays within it.
func (w *uploadWriter) SetReadDeadline(t time.Time) error { return w.upload.setOwn(t) }

// EnableFullDuplex is for [http.ResponseController].
func (w *uploadWriter) EnableFullDuplex() error {
	err := http.NewResponseController(w.ResponseWriter).EnableFullDuplex()
	if err == nil {
		w.upload.allowBoth()
	}
	return err
}
