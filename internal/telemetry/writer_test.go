package telemetry_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/internal/telemetry"
)

// wrapper is a response writer of somebody else's, with and without Unwrap.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type opaque struct{ http.ResponseWriter }

func TestFrom(t *testing.T) {
	w := &telemetry.Writer{ResponseWriter: httptest.NewRecorder()}
	direct := telemetry.From(w)
	direct.Route = "shop"
	if got := telemetry.From(wrapper{wrapper{w}}); got != direct {
		t.Error("not found through two wrappers")
	}
	for _, foreign := range []http.ResponseWriter{httptest.NewRecorder(), opaque{w}} {
		got := telemetry.From(foreign)
		if got == nil {
			t.Fatal("nil")
		}
		got.Route = "lost"
	}
	if direct.Route != "shop" {
		t.Error("a foreign writer changed the record")
	}
}

func TestWriterCounts(t *testing.T) {
	tests := []struct {
		name   string
		do     func(*telemetry.Writer)
		status int
		bytes  int64
	}{
		{"nothing", func(*telemetry.Writer) {}, 0, 0},
		{"header", func(w *telemetry.Writer) { w.WriteHeader(404) }, 404, 0},
		{"first header counts", func(w *telemetry.Writer) { w.WriteHeader(404); w.WriteHeader(200) }, 404, 0},
		{"write", func(w *telemetry.Writer) { _, _ = w.Write([]byte("abc")) }, 200, 3},
		{"string", func(w *telemetry.Writer) { _, _ = io.WriteString(w, "abcd") }, 200, 4},
		{"copy", func(w *telemetry.Writer) { _, _ = io.Copy(w, strings.NewReader("abcde")) }, 200, 5},
		{"flush", func(w *telemetry.Writer) { w.Flush() }, 200, 0},
		{"early hints first", func(w *telemetry.Writer) { w.WriteHeader(103); w.WriteHeader(204) }, 204, 0},
		{"switching is final", func(w *telemetry.Writer) { w.WriteHeader(101) }, 101, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &telemetry.Writer{ResponseWriter: httptest.NewRecorder()}
			tt.do(w)
			if w.Status() != tt.status || w.Bytes() != tt.bytes {
				t.Errorf("status %d, bytes %d; want %d, %d", w.Status(), w.Bytes(), tt.status, tt.bytes)
			}
		})
	}
}

func TestRequestIDSurvivesAProxy(t *testing.T) {
	for name, change := range map[string]func(http.Header){
		"beside":  func(h http.Header) { h.Add("X-Request-Id", "upstream's") },
		"over":    func(h http.Header) { h.Set("X-Request-Id", "upstream's") },
		"removed": func(h http.Header) { h.Del("X-Request-Id") },
	} {
		t.Run(name, func(t *testing.T) {
			var ours string
			h := telemetry.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				ours = telemetry.From(w).RequestID
				change(w.Header())
				w.WriteHeader(200)
			}), telemetry.Options{})
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			if got := rec.Result().Header["X-Request-Id"]; len(got) != 1 || got[0] != ours {
				t.Errorf("X-Request-Id %q, want %q", got, ours)
			}
		})
	}
}

// hijackable is a writer whose connection can be taken.
type hijackable struct {
	http.ResponseWriter
	err error
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, h.err }

func TestHijack(t *testing.T) {
	w := &telemetry.Writer{ResponseWriter: hijackable{ResponseWriter: httptest.NewRecorder()}}
	if _, _, err := http.NewResponseController(wrapper{w}).Hijack(); err != nil || w.Status() != 101 {
		t.Errorf("err %v, status %d", err, w.Status())
	}
	failing := errors.New("no")
	w = &telemetry.Writer{ResponseWriter: hijackable{httptest.NewRecorder(), failing}}
	if _, _, err := w.Hijack(); !errors.Is(err, failing) || w.Status() != 0 {
		t.Errorf("err %v, status %d", err, w.Status())
	}
	w = &telemetry.Writer{ResponseWriter: httptest.NewRecorder()}
	if _, _, err := w.Hijack(); !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("err %v", err)
	}
	if err := (&telemetry.Writer{ResponseWriter: opaque{httptest.NewRecorder()}}).FlushError(); !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("flush: %v", err)
	}
}
