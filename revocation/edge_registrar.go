package revocation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	reportEvery   = time.Second
	reportTimeout = time.Second
	namesToTry    = 4 // the second has a random end already
)

// RegistrarConfig says who an edge is, and what it says of itself.
type RegistrarConfig struct {
	// Client must have ContextTimeoutEnabled, like that of a Feed.
	Client redis.UniversalClient
	Prefix string // that of the store
	// Name of this process, usually the host's. While another process that is live
	// has it, a random end is added. Required.
	Name    string
	Version string
	// Report is called before each report, from one goroutine at a time. Nil: the
	// edge never has applied anything. It must not wait.
	Report func() EdgeReport
	// ClosesAfter is the longest max_stale of the routes. Nil: 0. More than a day
	// counts as a day.
	ClosesAfter func() time.Duration
	Log         *slog.Logger // nil: nobody
}

// Registrar keeps one process in the register of edges. Its methods may be called at
// the same time.
//
// An edge registers before it reads the feed: whoever waits for a revocation then
// waits for it, too, and a record that it does not get to see is one of before. It
// deregisters after its listeners were closed.
type Registrar struct {
	cfg      RegistrarConfig
	names    names
	scripts  edgeScripts
	instance string
	wanted   chan struct{} // holds one: report now

	mu    sync.Mutex // guards what follows, and is held during a report
	name  string     // empty: not registered
	since string     // store time of the first registration
	left  bool
}

// NewRegistrar returns a registrar that has told nobody yet. ErrInvalid.
func NewRegistrar(cfg RegistrarConfig) (*Registrar, error) {
	n, err := newNames(cfg.Prefix)
	switch {
	case err != nil:
		return nil, fmt.Errorf("registrar: %w", err)
	case cfg.Client == nil || !honoursDeadlines(cfg.Client):
		return nil, fmt.Errorf("registrar: %w: no Redis client, or one without ContextTimeoutEnabled", ErrInvalid)
	case cfg.Name == "":
		return nil, fmt.Errorf("registrar: %w: no name", ErrInvalid)
	}
	cfg.Name = plainName(cfg.Name)
	if cfg.Report == nil {
		cfg.Report = func() EdgeReport { return EdgeReport{} }
	}
	if cfg.ClosesAfter == nil {
		cfg.ClosesAfter = func() time.Duration { return 0 }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Registrar{cfg: cfg, names: n, scripts: newEdgeScripts(), instance: nonce(16), wanted: make(chan struct{}, 1)}, nil
}

// Name returns the name under which this process is registered; "" before Register.
func (r *Registrar) Name() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.name
}

// Register enters the process, as one that has applied what it reports. To register
// again is to report. ErrUnavailable.
func (r *Registrar) Register(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = false
	return r.report(ctx)
}

// Report reports now, unless the process has left or has not registered. ErrUnavailable.
func (r *Registrar) Report(ctx context.Context) error {
	if r.Name() == "" {
		return nil
	}
	return r.again(ctx)
}

// Run reports once a second, and at once after Applied, until ctx ends. It does not
// register a process that Deregister has taken out; a register that was lost, or a
// name that was taken over while this process was silent, it mends by its next
// report. It returns nil.
func (r *Registrar) Run(ctx context.Context) error {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	var silent bool
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.wanted:
		}
		err := r.again(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && !silent:
			r.cfg.Log.Warn("this edge cannot report how far it is: whoever waits for a revocation waits in vain", "error", err)
		case err == nil && silent:
			r.cfg.Log.Info("this edge reports again", "name", r.Name())
		}
		silent = err != nil
	}
}

// Applied asks for a report at once: a record that somebody waits for was applied.
// It does not wait. What is reported is what Report says then, n or later.
func (r *Registrar) Applied(uint64) {
	select {
	case r.wanted <- struct{}{}:
	default: // one is about to be sent, and will tell of this too
	}
}

// Deregister takes the process out: nobody waits for it any more. Run reports
// nothing after that. ErrUnavailable; the register then forgets the process by itself.
func (r *Registrar) Deregister(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = true
	if r.name == "" {
		return nil
	}
	keys := []string{r.names.edges, r.names.edge(r.name), r.names.epoch}
	if _, err := runScript(ctx, r.cfg.Client, r.scripts.leave, keys, r.name, r.instance); err != nil {
		return fmt.Errorf("deregister: %w", err)
	}
	r.name, r.since = "", ""
	return nil
}

// again reports, unless the process has left.
func (r *Registrar) again(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	return r.report(ctx)
}

// report sends one report under the name that the process has, or else under the
// first that is free. The caller holds mu.
func (r *Registrar) report(ctx context.Context) error {
	for try := range namesToTry {
		name := r.name
		switch {
		case name != "":
		case try == 0:
			name = r.cfg.Name
		default:
			name = r.cfg.Name + "-" + nonce(3)
		}
		since, err := r.send(ctx, name)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if since != "" {
			r.name, r.since = name, since
			return nil
		}
		if r.name != "" {
			r.cfg.Log.Warn("another process took this edge's name while it was silent", "name", r.name)
		}
		r.name, r.since = "", ""
	}
	return fmt.Errorf("report: %w: every name is taken", ErrUnavailable)
}

// send runs edge_report.lua. since is empty when the name is another's.
func (r *Registrar) send(ctx context.Context, name string) (since string, err error) {
	closes := min(max(r.cfg.ClosesAfter(), 0), maxClosing)
	live := closes + EdgeGrace
	args := []any{name, r.instance, live.Microseconds(), edgeShown.Milliseconds(), r.since}
	args = append(args, r.cfg.Report().args()...)
	args = append(args, "version", edgeText(r.cfg.Version), "closes", closes.Microseconds())
	keys := []string{r.names.epoch, r.names.edges, r.names.edge(name), r.names.feed}
	reply, err := runScript(ctx, r.cfg.Client, r.scripts.report, keys, args...)
	if err != nil {
		return "", err
	}
	out, err := texts(reply)
	if err != nil || len(out) > 1 {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, errReply)
	}
	if len(out) == 0 {
		return "", nil
	}
	if _, err := number(out[0]); err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return out[0], nil
}
