package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestLateTargetGoesOut: a target that takes requests and answers none is out after
// EjectAfter of them, and requests go to the other one.
func TestLateTargetGoesOut(t *testing.T) {
	late := mustRaw(t, func(_ int, _ *http.Request, c net.Conn) bool {
		_, _ = c.Read(make([]byte, 1))
		return false
	})
	good := mustBackend(t, nil)
	u := mustUpstream(t, Config{URLs: []string{late.URL, good.URL}, EjectAfter: 3, EjectFor: time.Minute})
	waits := 0
	for range 20 {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, fmt.Errorf("the route's: %w", ErrTimeout))
		if _, err := ask(u, request(t, http.MethodDelete, "/", "").WithContext(ctx)); errors.Is(err, ErrTimeout) {
			waits++
		} else if err != nil {
			t.Error(err)
		}
		cancel()
	}
	if s := u.Status(); waits != 3 || s[0].Ejected.IsZero() || s[0].LastError == "" || s[0].InFlight != 0 || s[1].Failures != 0 {
		t.Errorf("%d waits, %+v", waits, s)
	}
}

// TestWhoWasLate: the wait counts against who was waited for.
func TestWhoWasLate(t *testing.T) {
	for _, c := range []struct {
		name string
		play script
		feed func(*io.PipeWriter) // the client; nil: no body
		want int
	}{
		{"no answer", func(_ int, _ *http.Request, c net.Conn) bool { _, _ = c.Read(make([]byte, 1)); return false }, nil, 1},
		{"half a head", func(_ int, _ *http.Request, c net.Conn) bool {
			write(c, "HTTP/1.1 200 O")
			_, _ = c.Read(make([]byte, 1))
			return false
		}, nil, 1},
		{"no answer to a whole body", func(_ int, r *http.Request, c net.Conn) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = c.Read(make([]byte, 1))
			return false
		}, func(w *io.PipeWriter) { _, _ = w.Write([]byte("all")); _ = w.Close() }, 1},
		{"the body is not taken", func(_ int, _ *http.Request, c net.Conn) bool {
			time.Sleep(2 * time.Second) // reads nothing more; the test ends before
			return false
		}, func(w *io.PipeWriter) {
			for piece := make([]byte, 1<<20); ; {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}, 1},
		{"the client stalls", func(_ int, r *http.Request, c net.Conn) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			return false
		}, func(w *io.PipeWriter) { _, _ = w.Write([]byte("half")) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := mustRaw(t, c.play)
			u := mustUpstream(t, Config{URLs: []string{b.URL}, EjectAfter: -1})
			ctx, cancel := context.WithTimeoutCause(t.Context(), 700*time.Millisecond, ErrTimeout)
			defer cancel()
			r := request(t, http.MethodPost, "/", "").WithContext(ctx)
			if c.feed != nil {
				from, to := io.Pipe()
				defer from.Close()
				// A server's body cannot be closed while it is read: the client's own time
				// limit ends the reading.
				context.AfterFunc(ctx, func() { _ = to.CloseWithError(errors.New("idle")) })
				r.Body, r.ContentLength = from, -1
				go c.feed(to)
			}
			if _, err := ask(u, r); !errors.Is(err, ErrTimeout) {
				t.Errorf("%v", err)
			}
			if s := u.Status()[0]; s.Failures != c.want || s.InFlight != 0 {
				t.Errorf("%+v, want %d failures", s, c.want)
			}
		})
	}
}

// TestTheRestOfAWait: a target that was left with the rest of the wait is not late.
func TestTheRestOfAWait(t *testing.T) {
	late := mustRaw(t, func(_ int, _ *http.Request, c net.Conn) bool {
		_, _ = c.Read(make([]byte, 1))
		return false
	})
	u := mustUpstream(t, Config{URLs: []string{deadURL(t), late.URL}, EjectAfter: -1})
	for n := 1; n <= 2; n++ { // the dead one first, then the late one
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, ErrTimeout)
		_, err := ask(u, request(t, http.MethodGet, "/", "").WithContext(ctx))
		cancel()
		if s := u.Status(); !errors.Is(err, ErrTimeout) || late.requests.Load() != int64(n) || s[0].Failures != 1 || s[1].Failures != n-1 {
			t.Errorf("%v, %+v", err, s)
		}
		u.turn.Store(1)
	}
}
