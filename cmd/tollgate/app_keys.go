package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/keys"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

// openRing opens the private half: the store of TOLLGATE_KEY_STORE, and the ring
// in it, which is created when there is none.
func (a *app) openRing(ctx context.Context) error {
	c := a.config
	store, err := c.keyStore(a.redis)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	settings := c.ringConfig(store)
	settings.Log = a.log
	if settings.External, err = c.signer(); err != nil {
		return err
	}
	edges, err := revocation.NewCensus(a.redis.Slow, c.Redis.Prefix.Value)
	if err != nil {
		return err
	}
	settings.OnChange = func(ring.Ring, []ring.Change) { a.announceKeys() }
	settings.Ready = func(ctx context.Context, set string) (bool, []string, error) { return haveKeySet(ctx, edges, set) }
	if c.Keys.Store.Value == "" {
		settings.Skew = func(ctx context.Context) (time.Duration, error) { return clockSkew(ctx, a.redis.Slow) }
	}
	a.ring, err = ring.Open(ctx, settings)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keystore.ErrSealed), errors.Is(err, keystore.ErrUnsealed):
		return exitWith(exitUsage, "open the key ring: %w: is TOLLGATE_KEY_ENCRYPTION_KEY the key that sealed it?", err)
	case c.Keys.Store.Value != "":
		return exitWith(exitUsage, "open the key ring in the directory of TOLLGATE_KEY_STORE: %w", err)
	}
	return exitWith(exitUnreachable, "open the key ring: %w", err)
}

// confirmWithin is how old the last look at the key store may be when something
// is signed.
const confirmWithin = 5 * time.Second

// ringConfig is what the ring in a store goes by.
func (c *Config) ringConfig(store ring.Store) ring.Config {
	t := c.Tokens
	return ring.Config{
		Store: store, Issuer: t.Issuer.Value, ConfirmWithin: confirmWithin,
		Settings: ring.Settings{
			Algorithms: c.Keys.SigningAlg.Value, RotateEvery: c.Keys.RotateEvery.Value, Prepublish: c.Keys.Prepublish.Value,
			ServedAge: c.freshness().Oldest(), TokenLife: max(c.accessLife(), t.RefreshTTL.Value) + t.Leeway.Value,
		},
	}
}

// keyStore opens the store of TOLLGATE_KEY_STORE; clients is for a ring in Redis.
func (c *Config) keyStore(clients *redisClients) (ring.Store, error) {
	k := c.Keys
	var sealer *keystore.Sealer
	if sealing := k.EncryptionKey.Keys(); len(sealing) > 0 {
		var err error
		if sealer, err = keystore.NewSealer(sealing); err != nil {
			return nil, fmt.Errorf("TOLLGATE_KEY_ENCRYPTION_KEY: %w", err)
		}
	}
	if dir := k.Store.Value; dir != "" {
		return keystore.NewFile(dir, keystore.FileOptions{Issuer: c.Tokens.Issuer.Value, Sealer: sealer, AllowUnsealed: k.AllowUnsealed.Value}), nil
	}
	// An embedded Redis is this process's own memory: what is not sealed there is
	// not laid open to anybody.
	store, err := keystore.NewRedis(clients.Slow, keystore.Options{
		Prefix: c.Redis.Prefix.Value, Issuer: c.Tokens.Issuer.Value, Sealer: sealer,
		AllowUnsealed: k.AllowUnsealed.Value || clients.Embedded,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: set TOLLGATE_KEY_ENCRYPTION_KEY (openssl rand -base64 32), or TOLLGATE_KEY_STORE=file:DIR, or, knowing what it means, TOLLGATE_ALLOW_UNSEALED_KEYS=true", err)
	}
	return store, nil
}

// publishedKeys is what this process serves as its issuer's keys. While the store
// cannot be asked, the max-age falls until the set may not be handed out any more:
// another instance may have changed the ring since.
func (a *app) publishedKeys() *keys.Publisher {
	fresh := a.config.freshness()
	return keys.NewPublisher(func() (*keys.Set, time.Duration) { return a.ring.Set(), fresh.Left(a.ring.Age()) })
}

// freshness says how old the keys of the ring may be when they are handed out.
func (c *Config) freshness() keys.Freshness {
	return keys.ConfirmedFreshness(c.jwksMaxAge(), confirmWithin)
}

// edgeKeys is what an edge without the issuer role serves: the keys of
// TOLLGATE_ISSUER, when the file of trusted issuers names it.
func (a *app) edgeKeys() *keys.Published {
	trusted := a.reloader.issuers.Load().held()
	if trusted == nil {
		return nil
	}
	return trusted.Published(a.config.Tokens.Issuer.Value)
}

// withdrawn tells the fetched keys that one of ours was revoked. The feed names a
// key by its digest alone.
func (a *app) withdrawn(r revocation.Record) {
	own, trusted := a.config.Tokens.Issuer.Value, a.reloader.issuers.Load().held()
	if own == "" || trusted == nil || r.Cut == 0 {
		return
	}
	for _, i := range trusted.Issuers() {
		if i.Name != own {
			continue
		}
		for _, k := range i.Keys.Set().Keys() {
			if revocation.DigestOf(own, revocation.KindKey, k.ID()) == r.Digest {
				trusted.Withdraw(own, k.ID())
			}
		}
	}
}

// keySetName names the keys of our issuer that this process verifies with, as
// keys.DocumentHash does; empty where it does not verify that issuer's tokens.
func (a *app) keySetName() string {
	if a.ring != nil {
		doc, err := a.ring.Set().JWKS()
		if err != nil { // a set that the ring built always encodes
			return ""
		}
		return keys.DocumentHash(doc)
	}
	if trusted := a.reloader.issuers.Load().held(); trusted != nil {
		return trusted.SetHash(a.config.Tokens.Issuer.Value)
	}
	return ""
}

// haveKeySet reports whether every live edge that verifies our issuer's tokens has the
// key set of that name, and which have not.
func haveKeySet(ctx context.Context, edges *revocation.Census, set string) (bool, []string, error) {
	all, err := edges.Edges(ctx)
	if err != nil {
		return false, nil, err
	}
	var waitingFor []string
	for _, e := range all {
		if e.Live && e.KeySet != "" && e.KeySet != set {
			waitingFor = append(waitingFor, e.Name)
		}
	}
	return len(waitingFor) == 0, waitingFor, nil
}

// announceKeys tells the edges that the keys have changed, so that they fetch them at
// once. Who misses it fetches at the next regular time.
func (a *app) announceKeys() {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := a.slow.Hint(ctx); err != nil {
			a.log.Debug("the edges were not told that the keys have changed", "error", err)
		}
	}()
}

// keysChanged looks at our issuer's keys again, wherever this process has them from.
func (a *app) keysChanged() {
	if a.ring == nil {
		if trusted := a.reloader.issuers.Load().held(); trusted != nil {
			trusted.Refetch(a.config.Tokens.Issuer.Value)
		}
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := a.ring.Refresh(ctx); err != nil {
			a.log.Warn("the key ring could not be looked at after it was changed elsewhere", "error", err)
			return
		}
		if err := a.dropDeadKeys(ctx); err != nil {
			a.log.Warn("a revoked key could not be taken out of the ring yet", "error", err)
		}
	}()
}
