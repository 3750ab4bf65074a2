package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// longestWait is how long a revocation may wait for the edges.
const longestWait = 30 * time.Second

// edgeCount says how many edges follow the revocations, and how many of them have
// applied this one. Edges that look each token up follow nothing and have no need.
type edgeCount struct {
	Live    int `json:"live"`
	Applied int `json:"applied"`
	// Unknown says that nobody could be counted: the revocation stands, the numbers
	// mean nothing.
	Unknown bool `json:"unknown,omitempty"`
}

type edgeItem struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Since       time.Time `json:"since"`
	Live        bool      `json:"live"`
	N           uint64    `json:"n"`
	Epoch       string    `json:"epoch"` // empty while it loads
	Lag         uint64    `json:"lag"`   // records
	Stale       string    `json:"stale"`
	Entries     int       `json:"entries"`
	KeySet      string    `json:"key_set"`
	Routes      string    `json:"routes"`
	ClosesAfter string    `json:"closes_after"`
	Heard       time.Time `json:"heard"`
}

func edgeOf(e revocation.Edge) edgeItem {
	return edgeItem{
		Name: e.Name, Version: e.Version, Since: e.Since.UTC(), Live: e.Live, N: e.N, Epoch: e.Epoch, Lag: e.Lag, Stale: e.Stale.String(),
		Entries: e.Entries, KeySet: e.KeySet, Routes: e.Routes, ClosesAfter: e.ClosesAfter.String(), Heard: e.Heard.UTC(),
	}
}

func (a *Admin) listEdges(c echo.Context) error {
	out := page[edgeItem]{Items: []edgeItem{}}
	if a.Edges == nil {
		return c.JSON(http.StatusOK, out)
	}
	found, err := a.Edges.Edges(c.Request().Context())
	if err != nil {
		return err
	}
	for _, e := range found {
		out.Items = append(out.Items, edgeOf(e))
	}
	return c.JSON(http.StatusOK, out)
}

// waitOf reads how long a revocation is to wait for the edges.
func waitOf(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 || wait > longestWait {
		return 0, badBody("The member wait is a duration such as 2s, and 30s at most.")
	}
	return wait, nil
}

// edgesWith counts the edges that have applied a revocation, after waiting for them.
// It stands already: what cannot be counted is no failure of it.
func (a *Admin) edgesWith(ctx context.Context, r revocation.Revocation, wait time.Duration) *edgeCount {
	if a.Edges == nil {
		return &edgeCount{}
	}
	var out edgeCount
	var err error
	if wait > 0 {
		waiting, cancel := a.waits.until(store.WithBudget(ctx, 0))
		defer cancel()
		waiting, late := context.WithTimeout(waiting, wait)
		defer late()
		out.Live, out.Applied, err = a.Edges.Wait(waiting, r.Seq, r.Epoch)
	}
	if wait == 0 || err != nil && a.waits.life.Err() != nil { // it was cut before the first count
		out.Live, out.Applied, err = a.Edges.Count(ctx, r.Seq, r.Epoch)
	}
	if err != nil {
		a.Log.Warn("the edges that have applied a revocation could not be counted", "id", r.ID, "error", err)
		return &edgeCount{Unknown: true}
	}
	return &out
}

// unsettled says of a store that gave no answer what is known all the same. Every
// other error is passed on.
func unsettled(err error, known string) error {
	var half *revocation.Unconfirmed
	switch {
	case errors.As(err, &half): // which says itself what is known
	case errors.Is(err, revocation.ErrUnavailable), errors.Is(err, session.ErrUnavailable), errors.Is(err, store.ErrUnavailable), errors.Is(err, errRing):
		return errors.Join(&problem.Details{
			Status: http.StatusServiceUnavailable, Code: "unavailable",
			Detail: whyNot(err) + known + " Asking again is harmless.",
		}, err)
	}
	return err
}

// whyNot begins the sentence on a store that did not do what it was asked for.
func whyNot(err error) string {
	if errors.Is(err, revocation.ErrShut) {
		return "Redis has lost revocations, and takes no others until what is left of them was read. "
	}
	return "The store did not answer in time. "
}

// fateOf is what is known of a revocation that the store did not acknowledge.
func fateOf(err error) string {
	if errors.Is(err, revocation.ErrShut) {
		return "The revocation was not made."
	}
	return "Whether the revocation stands is not known."
}

// beforeEntry is what is known when the step before the entry got no answer.
func beforeEntry(k revocation.Kind) string {
	if k == revocation.KindKey {
		return "Nothing was revoked; whether the key has stopped signing is not known."
	}
	return "Whether the session is ending is not known; if it is, its end is completed by itself."
}

// beforeDone is what was done for certain before an entry whose fate is not known.
func beforeDone(k revocation.Kind) string {
	switch k {
	case revocation.KindSession:
		return " The session has ended all the same, if there was one of ours."
	case revocation.KindKey:
		return " The key signs nothing more, if it was one of ours."
	}
	return ""
}
