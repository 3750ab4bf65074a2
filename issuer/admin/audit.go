package admin

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
)

const (
	ndjson = "application/x-ndjson"
	// exportWait bounds an export of the audit log; a page takes a part of a second.
	exportWait = 40 * time.Second
)

type auditItem struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor,omitempty"`
	ActorID   string    `json:"actor_id,omitempty"`
	Role      string    `json:"role,omitempty"`
	Session   string    `json:"session,omitempty"`
	Action    string    `json:"action"`
	Kind      string    `json:"kind,omitempty"`
	Target    string    `json:"target,omitempty"`
	Remote    string    `json:"remote,omitempty"`
	Via       string    `json:"via,omitempty"`
	Outcome   string    `json:"outcome"`
	Detail    string    `json:"detail,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Count     int       `json:"count,omitempty"`
}

func noAudit() error { return notTold("audit log") }

// listAudit answers a page of the audit log, or all of it to who accepts lines of JSON,
// or what was written after a position.
func (a *Admin) listAudit(c echo.Context) error {
	if a.Audit == nil {
		return noAudit()
	}
	outcome, err := word(c, "outcome", store.OutcomeDone, store.OutcomeRefused, store.OutcomeFailed, store.OutcomeBegun)
	if err != nil {
		return err
	}
	f := store.AuditFilter{
		Actor: c.QueryParam("actor"), Action: c.QueryParam("action"), Target: c.QueryParam("target"),
		Outcome: outcome, Cursor: c.QueryParam("cursor"), Limit: 100,
	}
	for name, at := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if text := c.QueryParam(name); text != "" {
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				return badBody("The parameter " + name + " is a time such as 2026-01-31T12:00:00Z.")
			}
		}
	}
	if err := limit(c, &f.Limit); err != nil {
		return err
	}
	if after := c.QueryParam("after"); after != "" {
		return a.followAudit(c, f, after)
	}
	if c.QueryParam("wait") != "" {
		return badBody("The parameter wait goes with after: only who follows the log waits.")
	}
	export := accepts(c.Request().Header, ndjson)
	if export {
		f.Limit = 1000
	}
	found, next, err := a.Audit.Read(c.Request().Context(), f)
	if err != nil {
		return atPlace(err, "cursor")
	}
	if export {
		return a.export(c, f, found, next)
	}
	out := page[auditItem]{Items: []auditItem{}, Next: next}
	for _, l := range found {
		out.Items = append(out.Items, auditItem(l))
	}
	return c.JSON(http.StatusOK, out)
}

// accepts reports whether a media type is asked for by name.
func accepts(h http.Header, kind string) bool {
	for _, line := range h["Accept"] {
		for part := range strings.SplitSeq(line, ",") {
			if named, params, err := mime.ParseMediaType(part); err == nil && named == kind && params["q"] != "0" {
				return true
			}
		}
	}
	return false
}

// export writes every line that fits, the newest first. Should the store fail in the
// middle, the connection is broken: half a log must not look like a whole one.
func (a *Admin) export(c echo.Context, f store.AuditFilter, found []store.Line, next string) error {
	w := c.Response()
	w.Header().Set("Content-Type", ndjson)
	w.Header().Set("Content-Disposition", `attachment; filename="tollgate-audit.ndjson"`)
	w.WriteHeader(http.StatusOK)
	encoder := json.NewEncoder(w)
	for {
		for _, l := range found {
			if err := encoder.Encode(auditItem(l)); err != nil {
				return nil // the client has left
			}
		}
		if next == "" {
			return nil
		}
		f.Cursor = next
		var err error
		if found, next, err = a.Audit.Read(store.WithBudget(c.Request().Context(), a.RedisTime), f); err != nil {
			record := telemetry.From(w.Writer)
			record.Decision, record.Error = telemetry.Error, "the export of the audit log broke off"
			a.Log.Error("the export of the audit log broke off", "request_id", record.RequestID, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}
