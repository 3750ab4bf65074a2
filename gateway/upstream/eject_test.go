package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// TestEjectionAndReturn walks a target that refuses connections through its
// ejections by an injected clock.
func TestEjectionAndReturn(t *testing.T) {
	now := newClock()
	good := mustBackend(t, nil)
	bad := deadURL(t)
	u := mustUpstream(t, Config{URLs: []string{bad, good.URL}, Now: now.Now})
	failures := func() int { return u.Status()[0].Failures }
	for failures() < 5 {
		if !u.Status()[0].Ejected.IsZero() {
			t.Fatalf("out after %d failures", failures())
		}
		mustGet(t, u, "ok") // by the second target: what nobody took goes on
	}
	for i, span := range []time.Duration{10, 20, 40, 60, 60} {
		span *= time.Second
		s := u.Status()[0]
		if want := now.Now().Add(span); !s.Ejected.Equal(want) || s.Failures != 5+i || s.LastError == "" {
			t.Fatalf("ejection %d: %+v, want until %v", i+1, s, want)
		}
		now.Advance(span - time.Nanosecond)
		for range 4 {
			mustGet(t, u, "ok")
		}
		if failures() != 5+i {
			t.Fatal("it was tried while out")
		}
		now.Advance(time.Nanosecond)
		for failures() == 5+i {
			mustGet(t, u, "ok") // one failure is enough for one that has not answered since
		}
	}
	if s := u.Status()[1]; s.Failures != 0 || !s.Ejected.IsZero() || !s.Healthy {
		t.Errorf("the good one: %+v", s)
	}
	u.succeeded(u.targets[0])
	if s := u.Status()[0]; s.Failures != 0 || !s.Ejected.IsZero() || s.LastError != "" {
		t.Errorf("after an answer: %+v", s)
	}
	u.failed(u.targets[0], errors.New("x"))
	if !u.Status()[0].Ejected.IsZero() {
		t.Error("one failure after an answer is enough")
	}
}

// TestNeverAllOut: the last target is tried though it is out, and one answer
// brings it back.
func TestNeverAllOut(t *testing.T) {
	var answers atomic.Bool
	b := mustRaw(t, func(_ int, _ *http.Request, c net.Conn) bool {
		if answers.Load() {
			return write(c, answerOK)
		}
		return false
	})
	u := mustUpstream(t, Config{URLs: []string{b.URL, deadURL(t)}, EjectAfter: 2})
	for range 8 {
		if _, err := get(t, u); err == nil {
			t.Fatal("an answer from nowhere")
		}
	}
	for _, s := range u.Status() {
		if s.Ejected.IsZero() {
			t.Fatalf("%+v is not out", s)
		}
	}
	answers.Store(true)
	for range 2 {
		mustGet(t, u, "ok") // by way of the dead one or not
	}
	if s := u.Status()[0]; !s.Ejected.IsZero() {
		t.Errorf("%+v is still out", s)
	}
}

func TestEjectionOff(t *testing.T) {
	u := mustUpstream(t, Config{URLs: []string{deadURL(t)}, EjectAfter: -1})
	for range 10 {
		_, _ = get(t, u)
	}
	if s := u.Status()[0]; s.Failures != 10 || !s.Ejected.IsZero() {
		t.Errorf("%+v", s)
	}
}

type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

// endless begins when something has happened.
type endless struct{ after chan struct{} }

func (e endless) Read(p []byte) (int, error) { <-e.after; return len(p), nil }

// TestWhatIsNoFailure: what a client brings about, and any status, leaves a
// target in.
func TestWhatIsNoFailure(t *testing.T) {
	started, gone := make(chan struct{}, 1), make(chan struct{})
	b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
		switch r.URL.Path {
		case "/503":
			return write(c, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
		case "/garbage":
			write(c, "!!!\r\n\r\n")
			return false
		case "/partial":
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			return false
		case "/hang":
			started <- struct{}{}
			_, _ = c.Read(make([]byte, 1))
			return false
		case "/unread":
			reset(c)
			close(gone)
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		return write(c, answerOK)
	})
	mine := errors.New("malformed chunk")
	given := errors.New("given up")
	for _, c := range []struct {
		name string
		ask  func(t *testing.T, u *Upstream) error
		want error
	}{
		{"503", func(t *testing.T, u *Upstream) error {
			_, err := ask(u, request(t, http.MethodGet, "/503", ""))
			return err
		}, nil},
		{"garbage", func(t *testing.T, u *Upstream) error {
			_, _ = ask(u, request(t, http.MethodGet, "/garbage", ""))
			return nil
		}, nil},
		{"partial", func(t *testing.T, u *Upstream) error {
			_, err := ask(u, request(t, http.MethodGet, "/partial", ""))
			return err
		}, io.ErrUnexpectedEOF},
		{"client's body", func(t *testing.T, u *Upstream) error {
			r := request(t, http.MethodPost, "/", "x")
			r.Body, r.ContentLength = io.NopCloser(brokenBody{mine}), -1
			_, err := ask(u, r)
			return err
		}, mine},
		{"client gone", func(t *testing.T, u *Upstream) error {
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { <-started; cancel(given) }()
			_, err := ask(u, request(t, http.MethodGet, "/hang", "").WithContext(ctx))
			return err
		}, given},
		{"bad header", func(t *testing.T, u *Upstream) error {
			r := request(t, http.MethodGet, "/", "")
			r.Header["A b"] = []string{"c"}
			if _, err := ask(u, r); err == nil {
				t.Error("it was sent")
			}
			return nil
		}, nil},
		{"reset before the body was sent", func(t *testing.T, u *Upstream) error {
			r := request(t, http.MethodPost, "/unread", "x")
			r.Body, r.ContentLength = io.NopCloser(endless{after: gone}), 1<<30
			if _, err := ask(u, r); err == nil {
				t.Error("an answer from nowhere")
			}
			return nil
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := mustUpstream(t, Config{URLs: []string{b.URL}, EjectAfter: 1})
			if err := c.ask(t, u); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if s := u.Status()[0]; s.Failures != 0 || !s.Ejected.IsZero() || s.InFlight != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}
