package admin

import (
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/revocation"
)

// recoverOrder is what a person decides after a loss of which nobody who knew all is
// left: exactly one of the two.
type recoverOrder struct {
	// AcceptLoss takes what was lost for never revoked.
	AcceptLoss bool `json:"accept_loss"`
	// EndAll ends every session of the issuers first: people log in again.
	EndAll bool `json:"end_all"`
	// Issuers that EndAll is about; empty: every one that is trusted here.
	Issuers []string `json:"issuers"`
	Reason  string   `json:"reason"`
}

type recovered struct {
	Mode    string   `json:"mode"`
	Issuers []string `json:"issuers,omitempty"` // whose sessions were ended
}

// recover makes the store vouch for old tokens again.
func (a *Admin) recover(c echo.Context) error {
	if a.Recover == nil {
		return &problem.Details{Status: http.StatusNotFound, Code: "not_here", Detail: "This process keeps no revocations."}
	}
	var o recoverOrder
	if err := read(c, &o); err != nil {
		return err
	}
	if o.AcceptLoss == o.EndAll || o.AcceptLoss && len(o.Issuers) > 0 {
		return badBody(`Either {"accept_loss": true}, or {"end_all": true}, which may name issuers.`)
	}
	if err := errors.Join(legible(named{"reason", o.Reason}), tokenless(o.Reason)); err != nil {
		return err
	}
	how := revocation.Recovery{EndAll: o.EndAll, Reason: o.Reason, Actor: actorOf(c), Endless: a.endless}
	out := recovered{Mode: "accept_loss"}
	if o.EndAll {
		if how.Issuers = o.Issuers; len(how.Issuers) == 0 && a.Issuers != nil {
			how.Issuers = a.Issuers()
		}
		if !slices.Contains(how.Issuers, a.Issuer) && len(o.Issuers) == 0 {
			how.Issuers = append(how.Issuers, a.Issuer)
		}
		out = recovered{"end_all", how.Issuers}
	}
	if err := a.Recover(c.Request().Context(), how); err != nil {
		return unsettled(err, "Whether the store vouches for old tokens again is not known.")
	}
	a.Log.Warn("the revocation store was told to vouch for old tokens again", "mode", out.Mode, "issuers", out.Issuers, "actor", actorOf(c), "reason", o.Reason)
	return c.JSON(http.StatusOK, out)
}
