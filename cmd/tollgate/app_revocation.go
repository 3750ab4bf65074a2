package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/gateway"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// revocations is what this process knows of what is revoked, and how others learn
// how far it is.
type revocations struct {
	mirror    *revocation.Mirror    // nil at an edge in lookup mode
	journal   *revocation.Journal   // nil without one
	registrar *revocation.Registrar // nil where nobody need wait for this process
	feed      *revocation.Feed      // without a mirror: open streams hear of revocations by it
	heart     *revocation.Heart     // nil unless replicas have to confirm
	client    redis.UniversalClient // of the feed: a wait holds a connection
	closes    atomic.Int64          // ns: how old an answer any route may still take
}

// openRevocations makes the mirror, or at an edge in lookup mode the feed alone. Whoever
// writes has a mirror in any mode: a store that comes back with less than it has
// acknowledged is noticed and mended by those who hold what it has lost, and a
// system where every process only asks would take its word for ever. The smallest
// max_stale of any route says how often the feed is asked.
func (a *app) openRevocations(table *gateway.Table) error {
	c := a.config
	prefix, replicas := c.Redis.Prefix.Value, c.Redis.MinReplicas.Value
	freshest, oldest := c.Revocation.MaxStale.Value, c.Revocation.MaxStale.Value
	if table != nil {
		freshest, oldest = table.MaxStale(freshest)
	}
	r := &a.revocations
	r.client = a.redis.Slow
	r.closes.Store(int64(oldest))
	if replicas > 0 {
		heart, err := revocation.NewHeart(revocation.HeartConfig{
			Client: r.client, Prefix: prefix, Replicas: replicas, Log: a.log, Every: beatFor(freshest),
		})
		if err != nil {
			return err
		}
		r.heart = heart
	}
	if c.lookup() && !c.Roles.Issuer.Value && !c.adminOn() {
		var err error
		r.feed, err = revocation.NewFeed(revocation.FeedConfig{
			Client: r.client, Prefix: prefix, Log: a.log, Block: max(min(500*time.Millisecond, freshest/3), time.Millisecond), Replicas: replicas,
			Apply: a.heard, Gap: a.doubt,
		})
		return err
	}
	return a.openMirror(freshest)
}

func (a *app) openMirror(freshest time.Duration) error {
	c, r := a.config, &a.revocations
	config := revocation.MirrorConfig{
		Store: a.slow, Client: r.client, Prefix: c.Redis.Prefix.Value, MaxStale: freshest, Replicas: c.Redis.MinReplicas.Value,
		Heard: a.heard, Doubt: a.doubt, Log: a.log,
	}
	if path := c.Revocation.Journal.Value; path != "" {
		journal, err := revocation.OpenJournal(path, a.log)
		if err != nil {
			return &exitError{exitUsage, fmt.Errorf("TOLLGATE_REVOCATION_JOURNAL: %w", err)}
		}
		r.journal, config.Journal = journal, journal
		a.closeOthers = append(a.closeOthers, func() {
			if err := journal.Close(); err != nil {
				a.log.Error("the journal of revocations could not be closed", "error", err)
			}
		})
	}
	var err error
	if r.mirror, err = revocation.NewMirror(config); err != nil {
		return err
	}
	if r.journal != nil {
		if err := r.mirror.Load(r.journal); err != nil {
			return &exitError{exitUsage, fmt.Errorf("TOLLGATE_REVOCATION_JOURNAL: %w", err)}
		}
	}
	if !c.Roles.Gateway.Value || c.lookup() {
		return nil // nothing passes here by what is held: nobody need wait for it
	}
	r.registrar, err = revocation.NewRegistrar(revocation.RegistrarConfig{
		Client: r.client, Prefix: c.Redis.Prefix.Value, Name: a.instance, Version: versionOf().Version, Log: a.log,
		Report: a.report, ClosesAfter: func() time.Duration { return time.Duration(r.closes.Load()) },
	})
	return err
}

// startRevocations lets the mirror run. It is registered first: who asks to wait for
// every edge must not overlook one that still loads.
func (a *app) startRevocations(ctx context.Context) error {
	r := &a.revocations
	if r.heart != nil {
		a.server.Support("revocation heartbeat", r.heart.Run)
	}
	// All of these are support: a request or a stream that is open while the process
	// drains is still refused, or ended, with its token.
	if r.mirror == nil {
		a.server.Support("revocation feed", r.feed.Run)
		return nil
	}
	if r.registrar != nil {
		patient, cancel := context.WithTimeout(ctx, startTimeout)
		err := a.whileAway(patient, r.registrar.Register)
		cancel()
		if err != nil {
			return &exitError{exitUnreachable, fmt.Errorf("register as an edge: %w", err)}
		}
		a.server.Support("edge register", func(ctx context.Context) error {
			err := r.registrar.Run(ctx)
			leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if failed := r.registrar.Deregister(leave); failed != nil {
				a.log.Warn("this process could not be taken out of the register of edges: a revocation that waits will wait for it a while", "error", failed)
			}
			return err
		})
	}
	a.server.Support("revocation mirror", r.mirror.Run)
	if os.Getenv("GOGC") == "" {
		a.server.Support("pace of collections", newHeapPace(func() int { return r.mirror.Status().Bytes }).Run)
	}
	return nil
}

// lookup reports whether Redis is asked about each request.
func (c *Config) lookup() bool { return c.Revocation.Mode.Value == "lookup" }

// checker is what the edge asks about each token.
func (a *app) checker() token.Checker {
	if m := a.revocations.mirror; m != nil && !a.config.lookup() {
		return m
	}
	return bounded{a.hot, a.config.Redis.OpTimeout.Value}
}

// recorder writes revocations, and asks Redis itself about them: whoever hands out
// tokens does not go by a copy.
type recorder struct {
	*revocation.Redis
	mirror *revocation.Mirror
}

// recorder returns what log-ins, sessions and administrators write by.
func (a *app) recorder() recorder { return recorder{a.slow, a.revocations.mirror} }

// Revoke also puts the revocation into the journal, where there is one.
func (r recorder) Revoke(ctx context.Context, o revocation.Order) (revocation.Revocation, error) {
	if r.mirror != nil {
		return r.mirror.Revoke(ctx, o)
	}
	return r.Redis.Revoke(ctx, o)
}

// Undo does as Revoke.
func (r recorder) Undo(ctx context.Context, id string) (revocation.Revocation, error) {
	if r.mirror != nil {
		return r.mirror.Undo(ctx, id)
	}
	return r.Redis.Undo(ctx, id)
}

// Recover does as Revoke.
func (r recorder) Recover(ctx context.Context, how revocation.Recovery) error {
	if r.mirror != nil {
		return r.mirror.Recover(ctx, how)
	}
	return r.Redis.Recover(ctx, how)
}

// report is what this process tells the register of edges.
func (a *app) report() revocation.EdgeReport {
	s := a.revocations.mirror.Status()
	out := revocation.EdgeReport{N: s.N, Nonce: s.Nonce, ID: s.ID, Stale: s.Stale, Entries: s.Entries}
	if s.Level && !s.Doubt {
		out.Epoch = s.Epoch.ID
	}
	if a.gateway != nil {
		out.Routes = a.gateway.Table().Hash()
	}
	out.KeySet = a.keySetName()
	return out
}

// doubt lets whoever relies on an earlier verdict ask again.
func (a *app) doubt(string) {
	if a.gateway != nil {
		a.gateway.Recheck()
	}
	if r := a.revocations.registrar; r != nil {
		r.Applied(0)
	}
}

// heard acts on records of the feed, behind the mirror.
func (a *app) heard(records []revocation.Record) {
	if a.gateway != nil {
		a.gateway.Apply(records)
	}
	if r := a.revocations.registrar; r != nil {
		for i := range records {
			if records[i].Wanted {
				r.Applied(records[i].N)
			}
		}
	}
	changed := false
	for _, r := range records {
		switch r.Kind {
		case revocation.KindKey:
			// Another instance has revoked a key: this one must not sign with it for as
			// long as its next look at the ring takes.
			a.withdrawn(r)
			changed = true
		case revocation.HintRing:
			changed = true
		}
	}
	if changed {
		a.keysChanged()
	}
}
