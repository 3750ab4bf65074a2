package revocation

import (
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	leastPause = 50 * time.Millisecond
	mostPause  = time.Second
)

// feedOutage counts reads that failed in a row.
type feedOutage struct {
	reads int
	since time.Time
}

// failed notes a read that failed and returns how long to wait before the next:
// twice as long each time, less a quarter at random, so that edges that lost
// their Redis together do not come back together.
func (o *feedOutage) failed(log *slog.Logger, err error) time.Duration {
	if o.reads++; o.reads == 1 {
		o.since = time.Now()
		log.Warn("revocation feed cannot be read", "error", err)
	} else {
		log.Debug("revocation feed still cannot be read", "error", err, "reads", o.reads)
	}
	pause := min(leastPause<<min(o.reads-1, 6), mostPause)
	return max(pause-time.Duration(rand.Int64N(int64(pause/4))), leastPause) //nolint:gosec // spreads load, guards nothing
}

// over notes a read that was answered.
func (o *feedOutage) over(log *slog.Logger) {
	if o.reads > 0 {
		log.Info("revocation feed is read again", "after", time.Since(o.since).Round(time.Millisecond))
	}
	*o = feedOutage{}
}
