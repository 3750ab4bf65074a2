package main

import (
	"context"
	"fmt"
	"time"

	"tollgate/keys/remote"
	"tollgate/revocation"
)

// revocationSettings are those of the store of what is revoked. A bare jti is kept for
// as long as any token may live that an edge accepts, whoever has issued it. Issuers
// without max_lifetime do not count: see isCapped.
func revocationSettings(c *Config) revocation.Settings {
	t := c.Tokens
	specs, _, _ := readTrusted(c) // its faults are told by whoever trusts them
	return revocation.Settings{
		Leeway: t.Leeway.Value, AccessLife: max(c.accessLife(), longestLife(c, specs)), SessionLife: t.SessionMaxTTL.Value, Own: t.Issuer.Value,
	}
}

// longestLife is how long from now a token of these issuers can be valid. Their clocks
// may be ahead by the leeway: iat may lie in the future.
func longestLife(c *Config, specs []remote.Spec) (longest time.Duration) {
	for _, s := range specs {
		if s.MaxLifetime > 0 {
			longest = max(longest, s.MaxLifetime+c.Tokens.Leeway.Value)
		}
	}
	return longest
}

// isCapped reports whether this process knows how long a token of that issuer can
// live. What is revoked of another one is kept until a time is given.
func (r *reloader) isCapped(issuer string) bool {
	trusted := r.issuers.Load()
	if trusted == nil {
		return false
	}
	for _, s := range trusted.specs {
		if s.Issuer == issuer {
			return s.MaxLifetime > 0
		}
	}
	return false
}

// beatFor is how often replicas confirm the heartbeat so that knowledge is fresh enough.
func beatFor(freshest time.Duration) time.Duration {
	return max(min(revocation.DefaultEvery, freshest/4), 10*time.Millisecond)
}

// widen tells other processes what a new configuration lets this one accept, before it
// does: tokens that live longer, and answers that are older. Whoever waits for this
// edge, or revokes a bare jti, must have heard.
func (a *app) widen(ctx context.Context, next *configured) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if life := longestLife(a.config, next.specs); life > 0 {
		if err := a.slow.Allow(ctx, life); err != nil {
			return fmt.Errorf("the revocation store could not be told how long tokens may live: %w", err)
		}
	}
	r := &a.revocations
	if next.table == nil {
		return nil
	}
	freshest, oldest := next.table.MaxStale(a.config.Revocation.MaxStale.Value)
	if was := r.closes.Load(); int64(oldest) > was && r.registrar != nil {
		r.closes.Store(int64(oldest))
		if err := r.registrar.Report(ctx); err != nil {
			r.closes.Store(was)
			return fmt.Errorf("other processes could not be told that max_stale is longer: %w", err)
		}
	}
	a.follow(freshest)
	return nil
}

// follow reads the feed as often as the smallest max_stale needs.
func (a *app) follow(freshest time.Duration) {
	if r := &a.revocations; r.mirror != nil {
		r.mirror.SetMaxStale(freshest)
	}
	if h := a.revocations.heart; h != nil {
		h.SetEvery(beatFor(freshest))
	}
}

// narrowed follows widen once the new configuration is in force.
func (a *app) narrowed(next *configured) {
	if next.table != nil {
		_, oldest := next.table.MaxStale(a.config.Revocation.MaxStale.Value)
		a.revocations.closes.Store(int64(oldest))
	}
}
