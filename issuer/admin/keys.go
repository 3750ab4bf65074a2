package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/issuer/store"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

type keyItem struct {
	ID             string     `json:"kid"`
	Algorithm      string     `json:"algorithm"`
	State          string     `json:"state"`
	CreatedAt      time.Time  `json:"created_at"`
	SignsFrom      *time.Time `json:"signs_from,omitempty"`
	SignsUntil     *time.Time `json:"signs_until,omitempty"`
	RevokedAt      *time.Time `json:"revoked_at,omitempty"`
	PublishedUntil *time.Time `json:"published_until,omitempty"`
}

type ringBody struct {
	Version uint64    `json:"version"`
	Items   []keyItem `json:"items"`
	Next    string    `json:"next"`
	Changes []change  `json:"changes,omitempty"`
}

type change struct {
	ID    string `json:"kid"`
	State string `json:"state"`
}

func ringOf(r ring.Ring, changes []ring.Change) ringBody {
	out := ringBody{Version: r.Version, Items: []keyItem{}}
	for _, k := range r.Keys {
		out.Items = append(out.Items, keyItem{
			ID: k.ID, Algorithm: string(k.Algorithm), State: string(k.State), CreatedAt: k.Created.UTC(),
			SignsFrom: timeOrNil(k.Activated), SignsUntil: timeOrNil(k.Retired), RevokedAt: timeOrNil(k.Revoked),
			PublishedUntil: timeOrNil(k.PublishedUntil),
		})
	}
	for _, ch := range changes {
		out.Changes = append(out.Changes, change{ch.ID, string(ch.To)})
	}
	return out
}

func (a *Admin) listKeys(c echo.Context) error {
	if a.Keys == nil {
		return absent("keys")
	}
	return c.JSON(http.StatusOK, ringOf(a.Keys.Ring(), nil))
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
	r, changes, err := a.Keys.Rotate(ctx, body.Now)
	if err != nil {
		return ringError(err)
	}
	a.Log.Info("the keys were rotated", "version", r.Version, "now", body.Now, "actor", actorOfRoot)
	return c.JSON(http.StatusOK, ringOf(r, changes))
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
	a.Log.Info("a key was retired", "kid", param(c, "kid"), "version", r.Version, "actor", actorOfRoot)
	return c.JSON(http.StatusOK, ringOf(r, changes))
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
		Kind: revocation.KindKey, Issuer: a.Issuer, Value: kid, Reason: "the key was revoked", Actor: actorOfRoot,
	})
	if err != nil {
		return err
	}
	a.Metrics.Revoked(string(revocation.KindKey), sourceOf(c))
	a.Log.Warn("a key was revoked: every token that it signed is refused", "kid", kid, "version", r.Version, "actor", actorOfRoot)
	return c.JSON(http.StatusOK, ringOf(r, changes))
}

// revokeInRing changes the ring. Changes of it are made one after the other, and the
// one before may hang.
func (a *Admin) revokeInRing(ctx context.Context, kid string) (ring.Ring, []ring.Change, error) {
	ctx, done := store.Rest(ctx)
	defer done()
	return a.Keys.Revoke(ctx, kid)
}
