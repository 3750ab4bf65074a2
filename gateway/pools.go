package gateway

import (
	"context"
	"log/slog"
	"sync"

	"tollgate/gateway/upstream"
)

// pools keeps the upstreams of the present table running: their health checks
// and connections. An upstream that a new table has unchanged goes on as it is.
type pools struct {
	log *slog.Logger // of every upstream

	mu      sync.Mutex
	ctx     context.Context // of run; nil before
	running map[*upstream.Upstream]context.CancelFunc
	wg      sync.WaitGroup
}

func newPools(log *slog.Logger) *pools {
	return &pools{log: log, running: map[*upstream.Upstream]context.CancelFunc{}}
}

// adopt lets the routes of a new table use the pools that exist already, starts
// the new ones and ends those that nobody uses any more. The table must not be
// published yet.
func (p *pools) adopt(t *Table) {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := map[*upstream.Upstream]bool{}
	for _, r := range t.routes {
		for old := range p.running {
			if old.Same(r.Upstream) {
				r.Upstream = old
			}
		}
		used[r.Upstream] = true
	}
	for u := range used {
		if _, runs := p.running[u]; !runs {
			u.LogTo(p.log)
			p.running[u] = p.start(u)
		}
	}
	for u, stop := range p.running {
		if !used[u] {
			stop()
			u.Close()
			delete(p.running, u)
		}
	}
}

// start runs one upstream, or prepares it where run was not called yet.
func (p *pools) start(u *upstream.Upstream) context.CancelFunc {
	if p.ctx == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(p.ctx)
	p.wg.Go(func() { u.Run(ctx) })
	return cancel
}

// run checks the health of all upstreams until ctx ends.
func (p *pools) run(ctx context.Context) error {
	p.mu.Lock()
	p.ctx = ctx
	for u := range p.running {
		p.running[u] = p.start(u)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.ctx = nil // no upstream starts after this
	p.mu.Unlock()
	p.wg.Wait()
	return nil
}

// close gives up the idle connections.
func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for u, stop := range p.running {
		stop()
		u.Close()
	}
}
