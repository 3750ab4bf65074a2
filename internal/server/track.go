package server

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// inFlight counts running handlers, those that took their connection over
// included: http.Server forgets about these.
type inFlight struct{ n atomic.Int64 }

// wait returns when no handler runs, or with the error of ctx. It polls, as
// http.Server.Shutdown does: waiting happens once, counting on every request.
func (f *inFlight) wait(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for f.n.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// track counts the requests of a listener, but for those listeners that close
// last: a metrics scrape holds nobody up.
func (s *Server) track(h http.Handler, last bool) http.Handler {
	if last {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.busy.n.Add(1)
		defer s.busy.n.Add(-1)
		// While we drain, each answer tells its client to come back on another
		// connection, and so to another process. An upgrade's Connection header
		// has another job.
		if s.draining.Load() && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
