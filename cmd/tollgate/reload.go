package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tollgate/gateway"
	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/keys/remote"
	"tollgate/keys/token"
)

// reloader reads the routes and the trusted issuers anew: on SIGHUP, by the admin
// API, and when the content of a file changes that the configuration in force or
// the one that was tried last is made of, certificates and keys included. It looks
// at the content itself: a watch on a file loses the symlink that a Kubernetes
// ConfigMap swaps. A faulty file changes nothing.
type reloader struct {
	config   *Config
	gateway  *gateway.Gateway
	verifier *token.Verifier
	own      []token.Issuer // ours, which no file names
	log      *slog.Logger
	metrics  *telemetry.Metrics

	mu sync.Mutex // guards the next two, and reloads
	// inForce is what the files held of which the present configuration was made,
	// tried those of the last try. Each is a map that is never written to.
	inForce, tried contents

	issuers atomic.Pointer[trusted] // replaced under mu, read by anybody

	// before is called with a configuration that is to come into force, and can keep it
	// from that for now; after once it is. Nil: nobody.
	before func(context.Context, *configured) error
	after  func(*configured)
	again  bool // before kept something from coming into force; guarded by mu
}

// trusted are the foreign issuers with the loop that keeps their keys fresh.
type trusted struct {
	*remote.Issuers
	specs  []remote.Spec
	cancel context.CancelFunc
	done   chan struct{}
}

// Reload reads everything and, when nothing is wrong, puts it in force. Requests
// in flight keep what they began with.
func (r *reloader) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reload(ctx)
}

func (r *reloader) reload(ctx context.Context) (err error) {
	next, err := readFiles(r.config)
	r.tried = next.seen
	// What a faulty configuration does not name any more is watched still, with what
	// it holds by now: another change of it is another reason to try.
	r.inForce = look(r.inForce.names())
	defer func() {
		r.metrics.Reloaded(err == nil)
		if err != nil {
			r.log.Error("the configuration was not reloaded: what was in force stays in force", "error", err)
			return
		}
		r.inForce = next.seen
		r.log.Info("the configuration was reloaded", "files", next.seen.names())
	}()
	if err != nil {
		return err
	}
	for _, w := range next.warnings {
		r.log.Warn("trusted issuers", "warning", w)
	}
	if r.again = false; r.before != nil {
		if err := r.before(ctx, next); err != nil {
			r.again = true
			return err
		}
	}
	if err := r.trust(ctx, next.specs); err != nil {
		return err
	}
	if r.gateway != nil && next.table != nil {
		r.gateway.Swap(next.table)
		// Streams that are open under an issuer or a key that is trusted no more.
		r.gateway.Recheck()
	}
	if r.after != nil {
		r.after(next)
	}
	return nil
}

// trust opens the foreign issuers and lets the verifier believe them.
func (r *reloader) trust(ctx context.Context, specs []remote.Spec) error {
	c := r.config
	opened, err := remote.Open(ctx, specs, remote.Config{
		Refresh: c.Keys.JWKSRefresh.Value, MinRefetch: c.Keys.JWKSMinRefetch.Value, Log: r.log,
		Own: c.Tokens.Issuer.Value, OwnMaxAge: c.jwksMaxAge(),
		Dir: filepath.Dir(c.Keys.TrustedIssuersFile.Value), Previous: r.issuers.Load().held(),
		OnChange: func(string) {
			if r.gateway != nil {
				r.gateway.Recheck() // streams that are open under a key that left
			}
		},
	})
	if err != nil {
		return fmt.Errorf("TOLLGATE_TRUSTED_ISSUERS_FILE: %w", err)
	}
	issuers := append([]token.Issuer(nil), r.own...)
	for _, i := range opened.Issuers() {
		// An edge has no ring; TOLLGATE_ISSUER says which of the issuers is this
		// system, whose tokens carry their session's birth.
		i.Own = i.Name == c.Tokens.Issuer.Value
		i.RefuseAudience = i.Own && c.profile() == problem.DRF
		issuers = append(issuers, i)
	}
	if err := r.verifier.Trust(issuers); err != nil {
		opened.Close()
		return fmt.Errorf("TOLLGATE_TRUSTED_ISSUERS_FILE: %w", err)
	}
	loop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	next := &trusted{Issuers: opened, specs: specs, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(next.done)
		_ = opened.Run(loop) // ends with its context
	}()
	r.issuers.Swap(next).close()
	return nil
}

// held are the key sets at hand, which a reload takes over with their age: it must
// not lose what an issuer that is down cannot give again.
func (t *trusted) held() *remote.Issuers {
	if t == nil {
		return nil
	}
	return t.Issuers
}

func (t *trusted) close() {
	if t == nil {
		return
	}
	t.cancel()
	<-t.done
	t.Close()
}

// readTrusted reads the file of trusted issuers; none where there is no file.
func readTrusted(c *Config) ([]remote.Spec, []string, error) {
	file := c.Keys.TrustedIssuersFile.Value
	if file == "" {
		return nil, nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("TOLLGATE_TRUSTED_ISSUERS_FILE: %w", err)
	}
	specs, warnings, err := remote.ReadFile(data)
	if err != nil {
		return nil, nil, fmt.Errorf("TOLLGATE_TRUSTED_ISSUERS_FILE %s: %w", file, err)
	}
	return specs, warnings, nil
}

// Run reloads on SIGHUP and when the content of a file has changed, until ctx
// ends.
func (r *reloader) Run(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	var poll <-chan time.Time
	if every := r.config.Routes.RoutesPoll.Value; every > 0 && len(rootFiles(r.config)) > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		poll = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			_ = r.Reload(ctx) // logged and counted
		case <-poll:
			r.poll(ctx)
		}
	}
}

func (r *reloader) poll(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.again || r.tried.changed() || r.inForce.changed() {
		_ = r.reload(ctx) // logged and counted
	}
}

// Close ends what the reloader started.
func (r *reloader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.issuers.Swap(nil).close()
}

// status tells of the foreign issuers' keys.
func (r *reloader) status() []remote.Status {
	if t := r.issuers.Load(); t != nil {
		return t.Status()
	}
	return nil
}
