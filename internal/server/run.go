package server

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// grace is how long work that was cut may take to notice it.
const grace = 2 * time.Second

// Run serves until ctx is done, or until a listener or a piece of background work
// fails, and then ends in the order that the package comment draws. It opens the
// listeners if Listen has not. It returns nil after an orderly end, also one that
// had to cut requests; otherwise what failed.
//
// The end takes at most ShutdownDelay, ShutdownTimeout and a few seconds.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	// What runs has to outlive ctx, whose end only begins the shutdown.
	detached := context.WithoutCancel(ctx)
	requests, cut := context.WithCancel(detached)
	defer cut()
	stop, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	supports := start(detached, s.supports, fail)
	defer supports.stop()
	workers := start(detached, s.workers, fail)
	defer workers.stop()
	serving := start(detached, s.serving(requests), fail)
	defer serving.stop()

	<-stop.Done()
	s.drain(workers, context.Cause(stop), ctx.Err() != nil)
	// The listeners close while the workers stop: a worker that takes its time must
	// not keep the door open.
	var errs []error
	var stopping sync.WaitGroup
	stopping.Go(func() {
		if err := s.stopWorkers(detached, workers); err != nil {
			if errors.Is(err, errLate) && ctx.Err() != nil { // the end was asked for; it will come without them
				s.cfg.Log.Warn("background work left behind", "error", err)
				return
			}
			errs = append(errs, err)
		}
	})
	s.finish(detached, cut)
	stopping.Wait()
	s.shutdown(detached, grace, true)
	supports.stop()
	end, cancel := context.WithTimeout(detached, grace)
	defer cancel()
	errs = append(errs, serving.wait(end), supports.wait(end))
	s.cfg.Log.Info("stopped")
	return errors.Join(errs...)
}

// serving makes a job of each open listener. Its requests' contexts end with ctx.
func (s *Server) serving(ctx context.Context) []job {
	var jobs []job
	for _, l := range s.servers {
		if l.net == nil {
			continue
		}
		l.base = ctx
		l.http.BaseContext = func(net.Listener) context.Context { return ctx }
		s.cfg.Log.Info("listening", "listener", l.name, "addr", l.net.Addr().String(), "protocols", protocolsOf(l))
		jobs = append(jobs, job{"serve " + l.name, l.serve})
	}
	return jobs
}

// drain lets readiness fail and keeps serving for ShutdownDelay. The end was asked
// for (by a signal, as a rule) or something failed.
func (s *Server) drain(workers *group, cause error, asked bool) {
	s.draining.Store(true)
	workers.stop()
	if asked {
		s.cfg.Log.Info("draining", "cause", cause, "delay", s.cfg.ShutdownDelay, "timeout", s.cfg.ShutdownTimeout)
	} else {
		s.cfg.Log.Error("draining", "cause", cause)
	}
	time.Sleep(s.cfg.ShutdownDelay)
}

// stopWorkers waits for the workers, but for no longer than a quarter of the time
// that the requests have.
func (s *Server) stopWorkers(ctx context.Context, workers *group) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout/4)
	defer cancel()
	return workers.wait(ctx)
}

// finish closes the listeners, lets the requests in flight end, and cuts what is
// left: handlers that took their connection over once the others are done,
// everything when the time is up.
func (s *Server) finish(ctx context.Context, cut context.CancelFunc) {
	s.shutdown(ctx, s.cfg.ShutdownTimeout, false)
	cut()
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := s.busy.wait(ctx); err != nil {
		s.cfg.Log.Warn("handlers left behind", "count", s.busy.n.Load())
	}
}

// shutdown ends the listeners of one round, in parallel: gracefully within the
// timeout, then by closing their connections.
func (s *Server) shutdown(ctx context.Context, timeout time.Duration, last bool) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, l := range s.servers {
		if l.net == nil || l.last != last {
			continue
		}
		wg.Go(func() {
			if err := l.shutdown(ctx); err != nil {
				s.cfg.Log.Warn("requests cut", "listener", l.name, "after", timeout, "error", err)
				_ = l.http.Close() // the connections go either way
				if l.lane != nil {
					l.lane.Close()
				}
			}
		})
	}
	wg.Wait()
}

// shutdown ends a listener and its connections, each after its request.
func (l *listener) shutdown(ctx context.Context) error {
	if l.lane == nil {
		return l.http.Shutdown(ctx)
	}
	var lane sync.WaitGroup
	var ordinary error
	lane.Go(func() { ordinary = l.lane.Shutdown(ctx) })
	err := l.http.Shutdown(ctx)
	lane.Wait()
	return cmp.Or(err, ordinary)
}
