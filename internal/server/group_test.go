package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/server"
)

var errBroken = errors.New("broken")

// journal notes what happened in which order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) untilDone(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		<-ctx.Done()
		j.note(name)
		return ctx.Err()
	}
}

func TestOrderOfTheEnd(t *testing.T) {
	var j journal
	entered, release := make(chan struct{}), make(chan struct{})
	s := server.New(server.Config{})
	s.Worker("sweep", j.untilDone("worker"))
	s.Support("ring", j.untilDone("support"))
	s.Add("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		j.note("request")
	}))
	r := mustRun(t, s)
	got := make(chan error, 1)
	go func() {
		res, err := client().Get(r.url("public"))
		if err == nil {
			res.Body.Close()
		}
		got <- err
	}()
	<-entered
	r.stop()
	mustRefuse(t, r.url("public"))
	close(release)
	if err := <-got; err != nil {
		t.Errorf("request: %v", err)
	}
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if want := []string{"worker", "request", "support"}; !slices.Equal(j.lines, want) {
		t.Errorf("order %v, want %v", j.lines, want)
	}
}

func TestFailingWorkEndsTheServer(t *testing.T) {
	for _, add := range []struct {
		name string
		to   func(*server.Server, string, func(context.Context) error)
	}{
		{"worker", (*server.Server).Worker},
		{"support", (*server.Server).Support},
	} {
		t.Run(add.name, func(t *testing.T) {
			var j journal
			broken := make(chan struct{})
			s := server.New(server.Config{})
			s.Add("public", "127.0.0.1:0", text("x"))
			s.Support("other", j.untilDone("other support"))
			add.to(s, "faulty", func(context.Context) error { <-broken; return errBroken })
			r := mustRun(t, s)
			mustGet(t, r.url("public"))
			close(broken)
			err := r.mustEnd()
			if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "faulty: broken") {
				t.Errorf("Run: %v", err)
			}
			if !slices.Equal(j.lines, []string{"other support"}) {
				t.Errorf("the other support did not end in order: %v", j.lines)
			}
		})
	}
}

func TestWorkThatEndsByItselfIsFine(t *testing.T) {
	finished := make(chan struct{})
	s := server.New(server.Config{})
	s.Add("public", "127.0.0.1:0", text("x"))
	s.Worker("once", func(context.Context) error { return nil })
	s.Support("once", func(context.Context) error { close(finished); return nil })
	r := mustRun(t, s)
	<-finished
	if code, _ := mustGet(t, r.url("public")); code != 200 {
		t.Errorf("status %d", code)
	}
	r.stop()
	if err := r.mustEnd(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestErrorWhileStoppingIsReported(t *testing.T) {
	s := server.New(server.Config{})
	s.Worker("sweep", func(ctx context.Context) error { <-ctx.Done(); return errBroken })
	r := mustRun(t, s)
	r.stop()
	if err := r.mustEnd(); !errors.Is(err, errBroken) {
		t.Errorf("Run: %v", err)
	}
}

// A worker that is late is named in the log; the end was asked for and comes
// without it.
func TestWorkerThatDoesNotStopIsNamed(t *testing.T) {
	release := make(chan struct{})
	var logged bytes.Buffer
	s := server.New(server.Config{ShutdownTimeout: 40 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&logged, nil))})
	s.Worker("stubborn", func(context.Context) error { <-release; return nil })
	s.Worker("obedient", func(ctx context.Context) error { <-ctx.Done(); return nil })
	r := mustRun(t, s)
	r.stop()
	err := r.mustEnd()
	close(release)
	if err != nil || !strings.Contains(logged.String(), "did not stop in time: stubborn") {
		t.Errorf("Run: %v\n%s", err, &logged)
	}
}

func TestListenerThatFailsEndsTheServer(t *testing.T) {
	s := server.New(server.Config{})
	s.Add("public", "127.0.0.1:0", text("x"))
	r := mustRun(t, s)
	res, err := client().Get(r.url("public"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	r.CloseListener("public")
	if err := r.mustEnd(); err == nil || !strings.Contains(err.Error(), "serve public: ") {
		t.Errorf("Run: %v", err)
	}
}
