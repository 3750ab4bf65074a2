package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// group runs jobs until it is stopped. One that fails does not stop the others:
// requests may still need them. It only reports.
type group struct {
	stop context.CancelFunc
	done chan struct{} // closed when all jobs have returned
	err  error         // of the first that failed; read after done

	mu      sync.Mutex
	running []string
}

// start runs the jobs under ctx. A job that fails before it was told to stop calls
// fail at once.
func start(ctx context.Context, jobs []job, fail func(error)) *group {
	ctx, stop := context.WithCancel(ctx)
	g := &group{stop: stop, done: make(chan struct{})}
	var eg errgroup.Group
	for _, j := range jobs {
		g.running = append(g.running, j.name)
	}
	for _, j := range jobs {
		eg.Go(func() error {
			err := j.run(ctx)
			g.returned(j.name)
			if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil
			}
			err = fmt.Errorf("%s: %w", j.name, err)
			fail(err)
			return err
		})
	}
	go func() {
		g.err = eg.Wait()
		close(g.done)
	}()
	return g
}

func (g *group) returned(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.running, name); i >= 0 {
		g.running = slices.Delete(g.running, i, i+1)
	}
}

var errLate = errors.New("did not stop in time")

// wait returns the jobs' error once all have returned, or when ctx ends an error
// that names those that have not.
func (g *group) wait(ctx context.Context) error {
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return fmt.Errorf("%w: %s", errLate, strings.Join(g.running, ", "))
}
