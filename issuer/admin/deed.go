package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
)

// deed is one request by somebody who is known, with what the audit log is to say of
// it. It belongs to the goroutine that serves the request.
type deed struct {
	who  principal
	line store.Line
}

type deedKey struct{}

func deedOf(ctx context.Context) *deed {
	d, _ := ctx.Value(deedKey{}).(*deed)
	if d == nil {
		return &deed{}
	}
	return d
}

func whoOf(ctx context.Context) principal { return deedOf(ctx).who }

// actorOf names who acts, in revocations, sessions and log lines.
func actorOf(c echo.Context) string { return actorFrom(c.Request().Context()) }

func actorFrom(ctx context.Context) string { return whoOf(ctx).Name }

// about says what an action turned out to be about, for the line of its outcome.
func about(ctx context.Context, kind, target string) {
	d := deedOf(ctx)
	d.line.Kind, d.line.Target = kind, target
}

// run does what a row does, if the role may and the audit log has the intent.
func (a *Admin) run(c echo.Context, r row, record *telemetry.Record, who principal) error {
	entry := a.access[r.method+" "+r.path]
	if !who.Role.may(entry.least) {
		// Each row by itself: a harmless refusal must not hide one that is none.
		a.refusal(c, record, telemetry.AdminRole, r.path, who, who.ID+"\x00"+r.method+" "+r.path)
		return needs(entry.least, who)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), r.timeout)
	defer cancel()
	// The context does not end the wait for a body that comes byte by byte. A writer
	// without a connection (a test's) has no deadline to set.
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(r.timeout))
	d := deedOf(ctx)
	req := c.Request().WithContext(ctx)
	req.Body = http.MaxBytesReader(c.Response().Writer, req.Body, r.bodyLimit)
	c.SetRequest(req)
	c.Response().Header().Set("Cache-Control", "no-store")
	record.Decision = telemetry.Allow // an error sets another
	if entry.action == reads || a.Audit == nil {
		return a.perform(c, r, func(c echo.Context) error { return r.handle(a, c) })
	}
	d.line = a.line(c, record, who, entry, "")
	return a.perform(c, r, func(c echo.Context) error { return a.act(c, r, d) })
}

// act does what changes something, between the two lines about it.
func (a *Admin) act(c echo.Context, r row, d *deed) error {
	if err := a.intend(c, d); err != nil {
		return err
	}
	// A slow log must not leave an action, which may wait for replicas, less time for
	// Redis than it had without one.
	c.SetRequest(c.Request().WithContext(store.WithBudget(c.Request().Context(), a.RedisTime)))
	err := r.handle(a, c)
	a.settle(c, d, err)
	return err
}

// needs says which role it takes.
func needs(least Role, who principal) error {
	return &problem.Details{
		Status: http.StatusForbidden, Code: "role",
		Detail: "This needs the role " + string(least) + "; the admin token has the role " + string(who.Role) + ".",
	}
}

func (a *Admin) line(c echo.Context, record *telemetry.Record, who principal, entry access, outcome string) store.Line {
	return store.Line{
		Actor: who.Name, ActorID: who.ID, Role: string(who.Role), Action: entry.action, Kind: entry.kind,
		Remote: record.Remote, Via: sourceOf(c), Outcome: outcome, RequestID: record.RequestID,
	}
}

// intend writes that the action is about to be done. Nothing is done without.
func (a *Admin) intend(c echo.Context, d *deed) error {
	if err := a.foresee(c, &d.line); err != nil {
		d.line.Outcome, d.line.Detail = store.OutcomeRefused, a.details(err).Code
		a.Events.Note(d.line)
		return err
	}
	if err := a.Audit.Begin(c.Request().Context(), &d.line); err != nil {
		return errors.Join(&problem.Details{
			Status: http.StatusServiceUnavailable, Code: "unavailable",
			Detail: "The audit log could not be written, so nothing was done. Asking again is harmless.",
		}, err)
	}
	return nil
}

// foresee reads what an action is about from its path, else from its body, and which
// members a change has. What a body means is the row's business: here it is only read.
func (a *Admin) foresee(c echo.Context, l *store.Line) error {
	for _, name := range c.ParamNames() {
		l.Target = param(c, name)
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return bodyFault(err)
	}
	c.Request().Body = io.NopCloser(bytes.NewReader(body))
	var said map[string]json.RawMessage
	if json.Unmarshal(body, &said) != nil {
		return nil // the row says what is wrong with it
	}
	text := func(name string) (s string) {
		_ = json.Unmarshal(said[name], &s) // not text: not what it is about
		return s
	}
	switch {
	case l.Target != "":
		l.Detail = membersOf(said)
	case l.Action == "revocation.add":
		// A whole token is named by what is found in it, once it was read.
		if l.Kind = text("kind"); l.Kind != kindToken {
			l.Target = text("value")
		}
	default:
		for _, name := range []string{"username", "name", "subject", "client_id", "id"} {
			if l.Target == "" {
				l.Target = text(name)
			}
		}
	}
	return nil
}

// membersOf names what a change is about, never what it changes it to.
func membersOf(said map[string]json.RawMessage) string {
	var names []string
	for name := range said {
		if len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// settleTime is what the line of an outcome has of its own: the action is done.
const settleTime = 200 * time.Millisecond

// settle writes what came of an action. A line that cannot be written changes nothing
// any more: the intent stands, as one whose outcome is not known.
func (a *Admin) settle(c echo.Context, d *deed, err error) {
	l := d.line
	l.Outcome = store.OutcomeDone
	if err != nil {
		p := a.details(err)
		l.Outcome, l.Detail = store.OutcomeRefused, p.Code
		if p.Status >= http.StatusInternalServerError {
			l.Outcome = store.OutcomeFailed
		}
		if p.Code == "role" {
			a.Metrics.AdminRefused(telemetry.AdminRole)
		}
	}
	ctx := store.WithBudget(context.WithoutCancel(c.Request().Context()), settleTime)
	if err := a.Audit.Settle(ctx, l); err != nil {
		a.Metrics.AuditLost(1)
		a.Log.Error("the outcome of an admin action is not in the audit log", "id", l.ID, "action", l.Action, "kind", l.Kind,
			"outcome", l.Outcome, "actor", l.Actor, "request_id", l.RequestID, "error", err)
	}
}
