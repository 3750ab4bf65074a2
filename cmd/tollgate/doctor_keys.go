package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

// rotationSlack is how much later than TOLLGATE_KEY_ROTATE_EVERY a key may still sign
// before somebody should ask why.
const rotationSlack = time.Hour

// ownKeys looks at the ring of the issuer.
func (d *doctor) ownKeys(ctx context.Context) {
	c := d.config
	if !c.Roles.Issuer.Value || c.Keys.Store.Value == "" && d.clients == nil {
		return
	}
	d.look("keys")
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	r, err := loadRing(ctx, c, d.clients)
	if err != nil {
		d.add(d.ringFault(err))
		return
	}
	d.add(d.sealing(ctx)...)
	d.add(judgeRing(r, c.Keys, d.now())...)
}

// loadRing reads the ring as the issuer would.
func loadRing(ctx context.Context, c *Config, clients *redisClients) (ring.Ring, error) {
	store, err := keyStore(c, clients)
	if err != nil {
		return ring.Ring{}, err
	}
	r, err := store.Load(ctx)
	if err != nil {
		return ring.Ring{}, err
	}
	return r, r.Validate()
}

// ringFault says why there is no ring to look at.
func (d *doctor) ringFault(err error) finding {
	f := finding{Level: levelError, Check: "keys.ring", Meaning: "the issuer does not start, and one that runs signs nothing any more"}
	switch {
	case errors.Is(err, ring.ErrEmpty):
		f.Level, f.Found = levelInfo, "there is no key ring yet"
		f.Meaning = "the first start makes one. If there was one it is lost, and every token that it signed is refused"
		f.Do = "if it is lost: put it back from a backup before the start"
	case errors.Is(err, keystore.ErrSealed):
		f.Check, f.Found = "keys.sealed", "the key ring cannot be opened with TOLLGATE_KEY_ENCRYPTION_KEY"
		f.Do = "set the key that sealed it; after the present one, comma separated, if that has been changed. TOLLGATE_REDIS_PREFIX and TOLLGATE_ISSUER are part of the seal"
	case errors.Is(err, keystore.ErrUnsealed):
		f.Check, f.Found = "keys.unsealed", "the key ring is not sealed, and that is not allowed"
		f.Do = "set TOLLGATE_ALLOW_UNSEALED_KEYS=true beside TOLLGATE_KEY_ENCRYPTION_KEY until the issuer has written it once: that seals it"
	default:
		f.Found = "the key ring cannot be used: " + telemetry.Scrub(err.Error())
		f.Do = "put it back from a backup"
	}
	return f
}

// sealing looks at how the ring is kept.
func (d *doctor) sealing(ctx context.Context) []finding {
	keys := d.config.Keys.EncryptionKey.Keys()
	if len(keys) == 0 {
		if d.config.Keys.Store.Value != "" {
			return []finding{{
				Level: levelInfo, Check: "keys.unsealed", Found: "the private keys lie unsealed in the directory of TOLLGATE_KEY_STORE",
				Meaning: "whoever reads that directory, or a backup of it, can sign tokens", Do: "set TOLLGATE_KEY_ENCRYPTION_KEY, unless the disk is encrypted",
			}}
		}
		return []finding{d.unsealed("")}
	}
	strict := *d.config
	strict.Keys.AllowUnsealed.Value = false
	if _, err := loadRing(ctx, &strict, d.clients); errors.Is(err, keystore.ErrUnsealed) {
		return []finding{d.unsealed(" still, although there is a TOLLGATE_KEY_ENCRYPTION_KEY: the next rotation seals them")}
	}
	first := keys[:1]
	strict.Keys.EncryptionKey.keys = &first
	if _, err := loadRing(ctx, &strict, d.clients); errors.Is(err, keystore.ErrSealed) {
		return []finding{{
			Level: levelInfo, Check: "keys.reseal", Found: "the key ring is sealed with a former TOLLGATE_KEY_ENCRYPTION_KEY",
			Meaning: "that one has to stay in the list until the ring is written again", Do: `"tollgate keys reseal", or wait for the next rotation`,
		}}
	}
	return nil
}

func (d *doctor) unsealed(how string) finding {
	return finding{
		Level: levelWarning, Check: "keys.unsealed", Found: "the private keys are kept unsealed" + how,
		Meaning: "whoever can read Redis, or a backup of it, can sign tokens",
		Do:      "set TOLLGATE_KEY_ENCRYPTION_KEY (openssl rand -base64 32), and take TOLLGATE_ALLOW_UNSEALED_KEYS away when the ring is sealed",
	}
}

// judgeRing looks at what is in a ring.
func judgeRing(r ring.Ring, s KeySettings, now time.Time) []finding {
	var out []finding
	for _, alg := range s.SigningAlg.Value {
		var active, pending *ring.Key
		for i, k := range r.Keys {
			switch {
			case k.Algorithm != alg:
			case k.State == ring.Active:
				active = &r.Keys[i]
			case k.State == ring.Pending:
				pending = &r.Keys[i]
			}
		}
		if pending == nil {
			out = append(out, finding{
				Level: levelWarning, Check: "keys.pending", Found: fmt.Sprintf("no pending %s key is published", alg),
				Meaning: "if the active key has to be revoked, verifiers do not know its successor yet and refuse its tokens until they fetch the keys again",
				Do:      "start the issuer: it makes one at once. If it runs, look for errors about the key ring in its log",
			})
		}
		if every := s.RotateEvery.Value; every > 0 && active != nil && now.Sub(active.Activated) > every+rotationSlack {
			out = append(out, finding{
				Level: levelWarning, Check: "keys.overdue",
				Found:   fmt.Sprintf("the active %s key signs since %s, longer than TOLLGATE_KEY_ROTATE_EVERY (%s)", alg, when(&active.Activated), every),
				Meaning: "no issuer rotates the ring", Do: `start one; if one runs, look for errors about the key ring in its log, and try "tollgate keys rotate"`,
			})
		}
	}
	return out
}
