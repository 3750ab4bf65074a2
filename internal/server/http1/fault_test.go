package http1

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// A handler whose goroutine ends without a panic takes its connection along: nobody
// waits for an answer, or keeps a shutdown waiting.
func TestHandlerThatExits(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		runtime.Goexit()
	}))
	nc, in := r.dial()
	r.send(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(res.Body); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the connection stays, or the half looks whole: %v", err)
	}
	if err := r.lane.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if told := r.log.String(); told != "" {
		t.Errorf("log %q", told)
	}
}

// faulty is a connection that panics when it is written to.
type faulty struct{ net.Conn }

func (faulty) Write([]byte) (int, error) { panic("lost") }

// What goes wrong outside of the handler costs one connection and not the process.
func TestPanicOutsideOfTheHandler(t *testing.T) {
	r := newRig(t, echo)
	ours, theirs := net.Pipe()
	go func() { _, _ = io.WriteString(theirs, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }()
	if rest, open := r.lane.Serve(t.Context(), faulty{ours}, nil); rest != nil || open {
		t.Errorf("%q, %t", rest, open)
	}
	if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection: %v", err)
	}
	if told := r.log.String(); !strings.Contains(told, "panic serving pipe: lost") {
		t.Errorf("log %q", told)
	}
	if n := r.lane.closeIdle(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
