package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"tollgate/issuer/store"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

// keysAtHand is a key store that a command works on itself.
type keysAtHand struct {
	ring.Config
	audit *store.Audit // nil: the store is a directory, and there is no audit log
	close func()
}

// openKeys opens the key store that the TOLLGATE_* variables name, for a
// command that works on the ring itself: private keys cross no admin API. Settings
// that have nothing to do with keys may be missing or at fault.
func openKeys() (k *keysAtHand, err error) {
	c, err := loadConfig(nil)
	var faults *configError
	if errors.As(err, &faults) {
		faults.Faults = slices.DeleteFunc(faults.Faults, func(f configFault) bool { return !aboutKeys(f.Name) })
		if len(faults.Faults) > 0 {
			return nil, &exitError{exitUsage, faults}
		}
	}
	if c.Tokens.Issuer.Value == "" {
		return nil, exitWith(exitUsage, "TOLLGATE_ISSUER is not set: whose keys?")
	}
	k = &keysAtHand{close: func() {}}
	var clients *redisClients
	if c.Keys.Store.Value == "" {
		if c.Redis.URL.Embedded() {
			return nil, exitWith(exitUsage, "TOLLGATE_REDIS_URL is embedded: nobody but the process itself can reach its keys")
		}
		if clients, err = openRedis(&c.Redis, nil); err != nil {
			return nil, err
		}
		k.close = func() { _ = clients.Close() }
		k.audit = store.NewAudit(clients.Slow, c.Redis.Prefix.Value, untrimmed())
	}
	kept, err := c.keyStore(clients)
	if err != nil {
		k.close()
		return nil, &exitError{exitUsage, err}
	}
	k.Config = c.ringConfig(kept)
	if k.External, err = c.signer(); err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

// aboutKeys reports whether a variable decides where the ring is or what becomes
// of it.
func aboutKeys(name string) bool {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "TOLLGATE_"), "_FILE")
	for _, prefix := range []string{"REDIS_", "KEY_", "JWKS_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"ISSUER", "SIGNING_ALG", "ALLOW_UNSEALED_KEYS", "LEEWAY"}, name) || strings.HasSuffix(name, "_TTL")
}

// loadRing reads the ring of a store as it is.
func loadRing(ctx context.Context, cfg ring.Config) (ring.Ring, error) {
	r, err := cfg.Store.Load(ctx)
	return r, ringStoreError(err)
}

// ringStoreError gives an error of the key store its exit code.
func ringStoreError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ring.ErrEmpty):
		return exitWith(exitNotFound, "there is no key ring in the store yet")
	case errors.Is(err, ring.ErrExists), errors.Is(err, ring.ErrNotConfigured), errors.Is(err, ring.ErrConflict), errors.Is(err, ring.ErrFull):
		return &exitError{exitRefused, err}
	case errors.Is(err, keystore.ErrSealed), errors.Is(err, keystore.ErrUnsealed):
		return exitWith(exitUsage, "%w: is TOLLGATE_KEY_ENCRYPTION_KEY the key that sealed it?", err)
	}
	return &exitError{exitUnreachable, err}
}
