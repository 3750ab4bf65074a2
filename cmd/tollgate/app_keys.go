package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"tollgate/keys"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

// openRing opens the private half: the store of TOLLGATE_KEY_STORE, and the ring
// in it, which is created when there is none.
func (a *app) openRing(ctx context.Context) error {
	c := a.config
	store, err := keyStore(c, a.redis)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	t := c.Tokens
	a.ring, err = ring.Open(ctx, ring.Config{
		Store: store, Issuer: t.Issuer.Value, Log: a.log,
		Settings: ring.Settings{
			Algorithms: c.Keys.SigningAlg.Value, RotateEvery: c.Keys.RotateEvery.Value, Prepublish: c.Keys.Prepublish.Value,
			TokenLife: max(c.accessLife(), t.RefreshTTL.Value) + t.Leeway.Value,
		},
	})
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

// keyStore is where the configuration keeps the private keys.
func keyStore(c *Config, clients *redisClients) (ring.Store, error) {
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

// publisher serialises the key set once per change, not once per request.
type publisher struct {
	set    func() *keys.Set
	maxAge time.Duration
	last   atomic.Pointer[published]
}

type published struct {
	set *keys.Set
	doc *keys.Published
}

func (p *publisher) current() *keys.Published {
	set := p.set()
	if set.Len() == 0 {
		return nil
	}
	if last := p.last.Load(); last != nil && last.set == set {
		return last.doc
	}
	doc, err := keys.Publish(set, p.maxAge)
	if err != nil { // a set that the ring built always encodes
		return nil
	}
	p.last.Store(&published{set, doc})
	return doc
}
