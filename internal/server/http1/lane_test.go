package http1

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// stuck is a connection that takes its time to close, as one of TLS does whose
// client does not take the farewell.
type stuck struct {
	net.Conn
	free <-chan struct{}
}

func (s *stuck) Close() error {
	<-s.free
	return s.Conn.Close()
}

// A connection that cannot be closed at once holds up neither the others nor whoever
// ends the lane.
func TestEndWaitsForNoFarewell(t *testing.T) {
	for name, end := range map[string]func(*Lane) error{
		"shutdown": func(l *Lane) error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			return l.Shutdown(ctx)
		},
		"close": func(l *Lane) error {
			l.Close()
			return context.DeadlineExceeded
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(Config{Handler: echo, Server: &http.Server{}, HeaderTimeout: time.Minute, IdleTimeout: time.Minute})
			free := make(chan struct{})
			var serving sync.WaitGroup
			var far []net.Conn
			for i := range 6 {
				near, other := mustPair(t)
				far = append(far, other)
				if i%2 == 0 {
					near = &stuck{near, free}
				}
				serving.Go(func() { l.Serve(t.Context(), near, nil) })
			}
			testkit.MustAwait(t, "all connections", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.conns) == len(far)
			})
			ended := make(chan error, 1)
			go func() { ended <- end(l) }()
			for i := 1; i < len(far); i += 2 {
				_ = far[i].SetReadDeadline(time.Now().Add(20 * time.Second))
				if _, err := far[i].Read(make([]byte, 1)); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
					t.Errorf("%d is open: %v", i, err)
				}
			}
			select {
			case err := <-ended:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			case <-time.After(20 * time.Second):
				t.Error("the end waits for a farewell")
			}
			close(free)
			serving.Wait()
		})
	}
}

func isTimeout(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout()
}
