package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/issuer/store"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

func (a *Admin) listKeys(c echo.Context) error {
	if a.Keys == nil {
		return absent("keys")
	}
	out := a.ringBody(nil)
	if kid := c.QueryParam("cost_of"); kid != "" {
		// It reads every session: it is for who may revoke the key.
		if ctx := c.Request().Context(); !isAdmin(ctx) {
			return beyond("What a revoked key costs is to be counted.")
		}
		out.SessionsEnded, out.Note = a.endedBy(c.Request().Context(), a.Keys.Ring(), kid)
	}
	return c.JSON(http.StatusOK, out)
}

type rotateBody struct {
	// Now rotates although a verifier may not have the next key yet.
	Now bool `json:"now"`
}

func (a *Admin) rotateKeys(c echo.Context) error {
	if a.Keys == nil {
		return absent("keys")
	}
	var body rotateBody
	if err := readOptional(c, &body); err != nil {
		return err
	}
	ctx, done := store.Rest(c.Request().Context())
	defer done()
	cost := a.cost(ctx)
	r, changes, err := a.Keys.Rotate(ctx, body.Now)
	if err != nil {
		return ringError(err)
	}
	a.Log.Info("the keys were rotated", "version", r.Version, "now", body.Now, "actor", actorOf(c))
	out := a.ringBody(changes)
	out.Cost = cost
	return c.JSON(http.StatusOK, out)
}

func (a *Admin) retireKey(c echo.Context) error {
	if a.Keys == nil {
		return absent("keys")
	}
	ctx, done := store.Rest(c.Request().Context())
	defer done()
	r, changes, err := a.Keys.Retire(ctx, param(c, "kid"))
	if err != nil {
		return ringError(err)
	}
	a.Log.Info("a key was retired", "kid", param(c, "kid"), "version", r.Version, "actor", actorOf(c))
	return c.JSON(http.StatusOK, a.ringBody(changes))
}

// revokeKey stops a key in two steps: the ring first, so that it signs nothing
// more, then the revocation that refuses what it has signed. Calling it again
// completes what a failure between the two left open.
func (a *Admin) revokeKey(c echo.Context) error {
	if a.Keys == nil {
		return absent("keys")
	}
	ctx, kid := c.Request().Context(), param(c, "kid")
	r, changes, err := a.revokeInRing(ctx, kid)
	if err != nil {
		return ringError(err)
	}
	_, err = a.Revocations.Revoke(ctx, revocation.Order{
		Kind: revocation.KindKey, Issuer: a.Issuer, Value: kid, Reason: "the key was revoked", Actor: actorOf(c),
	})
	if err != nil {
		return err
	}
	a.Metrics.Revoked(string(revocation.KindKey), sourceOf(c))
	a.Log.Warn("a key was revoked: every token that it signed is refused", "kid", kid, "version", r.Version, "actor", actorOf(c))
	out := a.ringBody(changes)
	out.SessionsEnded, out.Note = a.endedBy(ctx, r, kid)
	return c.JSON(http.StatusOK, out)
}

// countWithin bounds the count of the sessions that a key ends: whoever kills it, or is
// about to, waits.
const countWithin = 5 * time.Second

// endedBy says how many live sessions a revoked key has ended, or one that is to be
// revoked would end; nil when they could not be counted; and what that means for people.
func (a *Admin) endedBy(ctx context.Context, r ring.Ring, kid string) (*int, string) {
	const note = "Every token that the key signed is refused. Whoever holds a session of it must log in again."
	i := slices.IndexFunc(r.Keys, func(k ring.Key) bool { return k.ID == kid })
	if i < 0 || a.Sessions == nil {
		return nil, note
	}
	k := r.Keys[i]
	if k.Activated.IsZero() {
		none := 0
		return &none, "The key has signed nothing."
	}
	until := k.Revoked
	switch {
	case !k.Retired.IsZero():
		until = k.Retired
	case until.IsZero():
		until = a.Keys.Now()
	}
	ctx, cancel := context.WithTimeout(store.WithBudget(ctx, countWithin), countWithin)
	defer cancel()
	n, err := a.Sessions.CountSigned(ctx, k.Activated, until)
	if err != nil {
		a.Log.Warn("the sessions that a revoked key ends were not counted to the end", "kid", kid, "counted", n, "error", err)
		return nil, note
	}
	return &n, note
}

// revokeInRing changes the ring. Changes of it are made one after the other, and the
// one before may hang.
func (a *Admin) revokeInRing(ctx context.Context, kid string) (ring.Ring, []ring.Change, error) {
	ctx, done := store.Rest(ctx)
	defer done()
	return a.Keys.Revoke(ctx, kid)
}
