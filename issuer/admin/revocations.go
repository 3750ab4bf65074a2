package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/admin/console"
	"tollgate/issuer/session"
	"tollgate/keys/ring"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// kindToken is a kind of the API alone: a whole token, of which the store is told
// what names it.
const kindToken = "token"

type revocationBody struct {
	Kind      string     `json:"kind"`
	Value     string     `json:"value"`
	Issuer    string     `json:"issuer"`
	Reason    string     `json:"reason"`
	ExpiresAt *time.Time `json:"expires_at"`
	Wait      string     `json:"wait"`
}

type revocationItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Value     string     `json:"value"`
	Issuer    string     `json:"issuer"`
	Subject   string     `json:"subject,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Actor     string     `json:"actor,omitempty"`
	RevokedAt time.Time  `json:"revoked_at"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
	UndoneAt  *time.Time `json:"undone_at,omitempty"`
	// N is the place in the feed of the last record that told of it: an edge that is
	// so far has applied it.
	N     uint64     `json:"n,omitempty"`
	Edges *edgeCount `json:"edges,omitempty"` // in the answer to a revocation alone
	// Warning is what may be wrong with the order that was carried out; in its answer alone.
	Warning string `json:"warning,omitempty"`
}

func itemOf(r revocation.Revocation) revocationItem {
	return revocationItem{
		ID: r.ID, Kind: string(r.Kind), Value: r.Value, Issuer: r.Issuer, Subject: r.Subject, Reason: r.Reason, Actor: r.Actor,
		RevokedAt: r.RevokedAt.UTC(), ExpiresAt: timeOrNil(r.ExpiresAt), UndoneAt: timeOrNil(r.UndoneAt), N: r.Seq,
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

func (a *Admin) revoke(c echo.Context) error {
	var body revocationBody
	if err := read(c, &body); err != nil {
		return err
	}
	if err := mayRevoke(c.Request().Context(), body.Kind); err != nil {
		return err
	}
	if err := errors.Join(legible(named{"reason", body.Reason}), tokenless(body.Reason), nameable(body)); err != nil {
		return err
	}
	wait, err := waitOf(body.Wait)
	if err != nil {
		return err
	}
	if wait > 0 {
		done, err := a.waits.begin(whoOf(c.Request().Context()).ID)
		if err != nil {
			return err
		}
		defer done()
	}
	order, err := a.order(c, body)
	if err != nil {
		return err
	}
	about(c.Request().Context(), string(order.Kind), order.Value)
	if order, err = a.before(c, order); err != nil {
		return unsettled(err, beforeEntry(order.Kind))
	}
	order.Wait = wait > 0
	revoked, err := a.Revocations.Revoke(c.Request().Context(), order)
	if err != nil {
		return unsettled(err, fateOf(err)+beforeDone(order.Kind))
	}
	a.Metrics.Revoked(body.Kind, sourceOf(c))
	a.Log.Info("revoked", "id", revoked.ID, "kind", revoked.Kind, "issuer", revoked.Issuer, "sub", revoked.Subject,
		"reason", revoked.Reason, "actor", revoked.Actor)
	item := itemOf(revoked)
	item.Edges = a.edgesWith(c.Request().Context(), revoked, wait)
	if !slices.Contains(a.trusted(), revoked.Issuer) { // an edge may trust whom this process does not
		item.Warning = "This process trusts no issuer of that name. If no edge does, nothing of it was let through before, and nothing is refused by this."
	}
	return c.JSON(http.StatusCreated, item)
}

// sourceOf says by which door a request came.
func sourceOf(c echo.Context) string { return sourceFrom(c.Request().Context()) }

func sourceFrom(ctx context.Context) string {
	if console.From(ctx) {
		return telemetry.SourceConsole
	}
	return telemetry.SourceAPI
}

// order reads what is to be revoked.
func (a *Admin) order(c echo.Context, body revocationBody) (revocation.Order, error) {
	o := revocation.Order{Kind: revocation.Kind(body.Kind), Issuer: body.Issuer, Value: body.Value, Reason: body.Reason, Actor: actorOf(c)}
	if o.Issuer == "" {
		o.Issuer = a.Issuer
	}
	if body.ExpiresAt != nil {
		if !body.ExpiresAt.After(time.Now()) {
			return o, badBody("The member expires_at has passed.")
		}
		o.ExpiresAt = *body.ExpiresAt
	}
	if body.Kind == kindToken {
		return a.orderForToken(c, body, o)
	}
	if o.Kind == revocation.KindSubject {
		o.Subject = o.Value
	}
	if o.ExpiresAt.IsZero() && a.endless(o.Issuer) {
		o.ExpiresAt = time.Unix(revocation.Latest, 0) // kinds that do not end take no notice
	}
	return o, nil
}

// endless reports whether tokens of an issuer may live for any time, as far as is known
// here: what is revoked of them without an end must not end before they do.
func (a *Admin) endless(issuer string) bool {
	return issuer != a.Issuer && (a.Capped == nil || !a.Capped(issuer))
}

// orderForToken names what a whole token is known by. Only a token whose
// signature is good is believed; that it has expired or is revoked already, or
// that nobody can say, is no obstacle.
func (a *Admin) orderForToken(c echo.Context, body revocationBody, o revocation.Order) (revocation.Order, error) {
	id, err := a.Verifier.Authenticate(c.Request().Context(), body.Value, &token.Policy{TokenTypes: []string{"access", "refresh", "sliding"}}, a.Revocations)
	var refused *token.Refusal
	if errors.As(err, &refused) {
		id = refused.Token
	}
	if id == nil {
		return o, &problem.Details{
			Status: http.StatusUnprocessableEntity, Code: "not_a_token",
			Detail: "The value is not a token of a trusted issuer with a good signature.",
		}
	}
	o.Issuer, o.Subject = id.Issuer, id.Subject
	switch {
	case id.Own && id.TokenType == "refresh" && id.SID != "":
		// Other tokens of the session may live longer than this one, or than what the
		// request says: the session's own end counts.
		o.Kind, o.Value, o.ExpiresAt = revocation.KindSession, id.SID, time.Time{}
		return o, nil
	case id.JTI != "":
		o.Kind, o.Value = revocation.KindJTI, id.JTI
	default:
		o.Kind, o.Value = revocation.KindSigned, id.Signed()
	}
	if o.ExpiresAt.Before(id.Ends()) {
		o.ExpiresAt = id.Ends()
	}
	return o, nil
}

// before does what must happen before the entry is written: a session is marked
// as ending, a key stops signing. It returns the order with what was learnt.
func (a *Admin) before(c echo.Context, o revocation.Order) (revocation.Order, error) {
	ctx := c.Request().Context()
	if o.Issuer != a.Issuer {
		return o, nil
	}
	switch {
	case o.Kind == revocation.KindSession && a.Sessions != nil:
		if _, ours := revocation.Birth(o.Value); ours {
			return a.endBefore(ctx, o)
		}
	case o.Kind == revocation.KindJTI && a.Sessions == nil: // nobody here knows whose it is
		o.OfSession = true
	case o.Kind == revocation.KindJTI:
		// The jti of a refresh token stands for its session: the statement about the
		// jti alone would leave the session's access tokens, and would be over long
		// before the refresh token is. Undoing it does not bring the session back.
		sid, err := a.Sessions.ByJTI(ctx, o.Value)
		if errors.Is(err, session.ErrNotFound) {
			return o, nil
		}
		if err != nil {
			return o, err
		}
		return o, a.Sessions.End(ctx, sid, o.Reason, o.Actor)
	case o.Kind == revocation.KindKey && a.Keys == nil:
		return o, ringElsewhere()
	case o.Kind == revocation.KindKey:
		if _, _, err := a.revokeInRing(ctx, o.Value); err != nil && !errors.Is(err, ring.ErrUnknownKey) {
			return o, ringError(err)
		}
	}
	return o, nil
}

// ringElsewhere refuses to revoke a key of ours where there is no ring: it would go on
// signing, and everybody would be handed tokens that nobody takes.
func ringElsewhere() error {
	return &problem.Details{
		Status: http.StatusConflict, Code: "ring_elsewhere",
		Detail: "This process keeps no key ring, so it could not stop the key from signing. Ask one with the issuer role: POST /admin/v1/keys/{kid}/revoke, or this endpoint there.",
	}
}

// endBefore ends a session. When nobody said how long its revocation is to last,
// it lasts as long as the session's tokens, and not as long as any session's can.
func (a *Admin) endBefore(ctx context.Context, o revocation.Order) (revocation.Order, error) {
	if err := a.Sessions.End(ctx, o.Value, o.Reason, o.Actor); err != nil || !o.ExpiresAt.IsZero() {
		return o, err
	}
	s, err := a.Sessions.Get(ctx, o.Value)
	switch {
	case errors.Is(err, session.ErrNotFound): // the store lost it
		return o, nil
	case err != nil:
		return o, err
	}
	o.ExpiresAt, o.Subject = s.ExpiresAt, s.Subject
	return o, nil
}

func (a *Admin) listRevocations(c echo.Context) error {
	filter := revocation.Filter{Subject: c.QueryParam("subject"), Issuer: c.QueryParam("issuer"), Cursor: c.QueryParam("cursor"), Limit: 100}
	if kind := c.QueryParam("kind"); kind != "" {
		parsed, err := revocation.ParseKind(kind)
		if err != nil {
			return badBody("The parameter kind is one of jti, session, subject, key, all, signed.")
		}
		filter.Kind = parsed
	}
	if err := limit(c, &filter.Limit); err != nil {
		return err
	}
	found, err := a.Revocations.List(c.Request().Context(), filter)
	if err != nil {
		return atPlace(err, "cursor")
	}
	out := page[revocationItem]{Items: []revocationItem{}, Next: found.Next}
	for _, r := range found.Items {
		out.Items = append(out.Items, itemOf(r))
	}
	return c.JSON(http.StatusOK, out)
}

func (a *Admin) showRevocation(c echo.Context) error {
	r, err := a.Revocations.Get(c.Request().Context(), param(c, "id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, itemOf(r))
}

func (a *Admin) undoRevocation(c echo.Context) error {
	if err := a.mayUndo(c.Request().Context(), param(c, "id")); err != nil {
		return err
	}
	r, err := a.Revocations.Undo(c.Request().Context(), param(c, "id"))
	if err != nil {
		return err
	}
	a.Log.Info("a revocation was undone", "id", r.ID, "kind", r.Kind, "issuer", r.Issuer, "sub", r.Subject, "actor", actorOf(c))
	return c.JSON(http.StatusOK, itemOf(r))
}
