package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/users"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

// mendWindow is how long after a loss nobody has to do anything: processes that know
// more put it back by themselves.
const mendWindow = 5 * time.Second

// store looks at what is revoked and at who may log in, and whether either was lost.
func (d *doctor) store(ctx context.Context) {
	d.look("store")
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	store, err := revocation.NewRedis(d.clients.Slow, d.config.Redis.Prefix.Value, revocationSettings(d.config))
	if err != nil {
		d.add(d.unreadable("store.reach", "the store of revocations", err))
		return
	}
	epoch, err := store.Epoch(ctx)
	missing := errors.Is(err, revocation.ErrNotFound)
	if err != nil && !missing {
		d.add(d.unreadable("store.reach", "the store of revocations", err))
		return
	}
	anybody := d.users(ctx)
	if missing {
		d.add(d.noEpoch(anybody || d.hasRing(ctx)))
		return
	}
	if shut, err := store.Shut(ctx); err == nil && shut {
		d.add(shutEpoch(epoch))
	}
	life := d.config.Tokens.SessionMaxTTL.Value + d.config.Tokens.Leeway.Value
	d.add(lost(epoch, life)...)
}

func (d *doctor) unreadable(check, what string, err error) finding {
	return finding{
		Level: levelError, Check: check, Found: what + " cannot be read: " + telemetry.Scrub(err.Error()),
		Meaning: "requests that need it are refused with 503",
		Do:      "look at Redis: the user's permissions (ACL), the slots of a cluster, its log",
	}
}

// noEpoch is a store that was never opened, or that was emptied.
func (d *doctor) noEpoch(used bool) finding {
	f := finding{
		Level: levelInfo, Check: "store.epoch", Found: "the store of revocations was never opened",
		Meaning: "nobody has served with this Redis, database and TOLLGATE_REDIS_PREFIX; the first start opens it",
	}
	switch {
	case used:
		f.Level = levelError
		f.Found = "the store of revocations is empty, but there are users or keys beside it"
		f.Meaning = "it was lost or deleted: what had been revoked is not known here. Processes that run put back what they know; tokens from before are 503 until then"
		f.Do = `if none was running: "tollgate recover --end-all" (everybody logs in again) or "tollgate recover --accept-loss"`
	case !d.config.Roles.Issuer.Value:
		f.Level = levelWarning
		f.Meaning = "this process issues no tokens, so somebody else should have opened it: it may look at another Redis than the issuer, and would hear of no revocation"
		f.Do = "compare TOLLGATE_REDIS_URL (database included) and TOLLGATE_REDIS_PREFIX with the issuer's"
	}
	return f
}

// shutEpoch is a store that takes no revocations after a loss.
func shutEpoch(e revocation.Epoch) finding {
	f := finding{
		Level: levelError, Check: "store.shut", Found: "Redis has lost revocations and takes no others: no process has read what is left of them",
		Meaning: "whoever revokes a token, logs out or changes a password gets 503",
		Do:      `start a process with the issuer or admin role, or an edge that keeps revocations in memory; one that runs says in its log what keeps it ("takes no revocations yet")`,
	}
	if time.UnixMicro(e.Clock).Sub(time.UnixMicro(e.Born)) < mendWindow {
		f.Level, f.Do = levelInfo, "look again in a few seconds"
	}
	return f
}

// lost looks whether the store has been lost and not mended, for as long as tokens
// from before can be alive.
func lost(e revocation.Epoch, life time.Duration) []finding {
	if e.CompleteSince == 0 || e.CompleteSince < e.Born {
		return nil // the first life of the store, or what was lost is back
	}
	since, now := time.UnixMicro(e.CompleteSince), time.UnixMicro(e.Clock)
	age, over := now.Sub(since), since.Add(life)
	if !now.Before(over) {
		return nil
	}
	f := finding{
		Level: levelError, Check: "store.lost",
		Found:   fmt.Sprintf("Redis has lost what was revoked before %s, and nobody could put it back", when(&since)),
		Meaning: fmt.Sprintf("tokens of sessions that began before are refused with 503 until %s. Users and sessions that Redis has lost are nowhere else", when(&over)),
		Do: `"tollgate recover --end-all" (a cut-off: everybody logs in again) or "tollgate recover --accept-loss" (what was revoked may be let through); ` +
			"users come back from a backup of Redis alone",
	}
	if age < mendWindow {
		f.Level = levelInfo
		f.Found = fmt.Sprintf("Redis has lost what was revoked before %s", when(&since))
		f.Meaning = "processes that knew it are putting it back; until then tokens from before are refused with 503"
		f.Do = "look again in a few seconds"
	}
	return []finding{f}
}

// users reports whether there are any.
func (d *doctor) users(ctx context.Context) bool {
	if !d.config.Roles.Issuer.Value {
		return false
	}
	d.look("users")
	r := users.NewRedis(d.clients.Slow, d.config.Redis.Prefix.Value, users.NewHasher(1))
	page, next, err := r.List(ctx, 1, "")
	switch {
	case err != nil:
		d.add(d.unreadable("users.reach", "the list of users", err))
	case len(page) == 0 && next == "":
		d.add(finding{
			Level: levelInfo, Check: "users.none", Found: "there are no users",
			Meaning: "nobody can log in. If there were some, Redis has lost them, and their sessions with them",
			Do:      `"tollgate users add NAME --password-stdin", or a backup of Redis`,
		})
	default:
		return true
	}
	return false
}

// hasRing reports whether keys are kept beside the store.
func (d *doctor) hasRing(ctx context.Context) bool {
	if !d.config.Roles.Issuer.Value || d.config.Keys.Store.Value != "" {
		return false
	}
	store, err := d.config.keyStore(d.clients)
	if err != nil {
		return false
	}
	_, err = store.Load(ctx)
	return !errors.Is(err, ring.ErrEmpty)
}
