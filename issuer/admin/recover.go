package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/revocation"
)

// recoverOrder is what a person decides after a loss of which nobody who knew all is
// left. The store vouches for the tokens of every issuer or of none, so that it says of
// each whether its sessions end or its loss is accepted.
type recoverOrder struct {
	// AcceptLoss takes what was lost for never revoked: of all, or, with EndAll, of
	// those that Issuers leaves out.
	AcceptLoss bool `json:"accept_loss"`
	// EndAll ends every session of the issuers first: people log in again.
	EndAll bool `json:"end_all"`
	// Issuers that EndAll is about; empty: every one that is trusted here.
	Issuers []string `json:"issuers"`
	Reason  string   `json:"reason"`
}

type recovered struct {
	Mode     string   `json:"mode"`
	Issuers  []string `json:"issuers,omitempty"`  // whose sessions were ended
	Accepted []string `json:"accepted,omitempty"` // whose loss was accepted
}

// decided reads an order and says what it comes to. Nothing is done.
func (a *Admin) decided(c echo.Context) (o recoverOrder, out recovered, err error) {
	if a.Recover == nil {
		return o, out, &problem.Details{Status: http.StatusNotFound, Code: "not_here", Detail: "This process keeps no revocations."}
	}
	if err := read(c, &o); err != nil {
		return o, out, err
	}
	if !o.EndAll && !o.AcceptLoss || !o.EndAll && len(o.Issuers) > 0 || o.EndAll && o.AcceptLoss && len(o.Issuers) == 0 {
		return o, out, badBody(`Either {"accept_loss": true}, or {"end_all": true}, which may name issuers; with both, the loss is accepted for those that are not named.`)
	}
	if err := errors.Join(legible(named{"reason", o.Reason}), tokenless(o.Reason)); err != nil {
		return o, out, err
	}
	all := a.trusted()
	switch {
	case !o.EndAll:
		return o, recovered{Mode: "accept_loss", Accepted: all}, nil
	case len(o.Issuers) == 0:
		return o, recovered{Mode: "end_all", Issuers: all}, nil
	}
	out = recovered{Mode: "end_all", Issuers: o.Issuers}
	for _, issuer := range o.Issuers {
		if !slices.Contains(all, issuer) {
			return o, out, &problem.Details{Status: http.StatusUnprocessableEntity, Code: "issuer_unknown", Detail: "One of the issuers is trusted by nobody here: nothing was done. Trusted are " + strings.Join(all, ", ") + "."}
		}
	}
	for _, issuer := range all {
		if !slices.Contains(o.Issuers, issuer) {
			out.Accepted = append(out.Accepted, issuer)
		}
	}
	if len(out.Accepted) > 0 && !o.AcceptLoss {
		return o, out, &problem.Details{
			Status: http.StatusUnprocessableEntity, Code: "issuers_left_out",
			Detail: "The store vouches for all issuers or for none, so this would accept the loss for " + strings.Join(out.Accepted, ", ") +
				": nothing was done. Name them as well, name none, or say accept_loss too.",
		}
	}
	return o, out, nil
}

// trusted are the issuers whose tokens are taken here, ours among them.
func (a *Admin) trusted() []string {
	var all []string
	if a.Issuers != nil {
		all = slices.Clone(a.Issuers())
	}
	if a.Issuer != "" && !slices.Contains(all, a.Issuer) {
		all = append(all, a.Issuer)
	}
	return all
}

// checkRecover says what recover would do.
func (a *Admin) checkRecover(c echo.Context) error {
	_, out, err := a.decided(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

// recover makes the store vouch for old tokens again.
func (a *Admin) recover(c echo.Context) error {
	o, out, err := a.decided(c)
	if err != nil {
		return err
	}
	how := revocation.Recovery{EndAll: o.EndAll, Issuers: out.Issuers, Reason: o.Reason, Actor: actorOf(c), Endless: a.endless}
	if err := a.Recover(c.Request().Context(), how); err != nil {
		return unsettled(err, "Whether the store vouches for old tokens again is not known.")
	}
	a.Log.Warn("the revocation store was told to vouch for old tokens again", "mode", out.Mode, "issuers", out.Issuers, "accepted", out.Accepted,
		"actor", actorOf(c), "reason", o.Reason)
	return c.JSON(http.StatusOK, out)
}
