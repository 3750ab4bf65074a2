package admin

import (
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/telemetry"
	"tollgate/issuer"
	"tollgate/issuer/store"
)

// Bounds of what refusals leave in the audit log. Each is counted in the metrics.
const (
	refusalEvery = time.Minute // one line for one address (or token) and reason
	refusalMost  = 60          // lines in a minute, of all addresses
	refusalKeys  = 4096        // addresses that are told apart
)

// refusals decides which refusals leave a line. The zero value is ready.
type refusals struct {
	mu      sync.Mutex // guards what follows
	seen    map[string]*refusalCount
	minute  time.Time
	written int // in this minute
}

type refusalCount struct {
	last  time.Time // of the last line
	since int       // without one
}

// note counts a refusal, and returns for how many its line stands; 0: it leaves none.
func (r *refusals) note(key string, now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]*refusalCount{}
	}
	if now.Sub(r.minute) >= refusalEvery {
		r.minute, r.written = now, 0
	}
	one := r.seen[key]
	if one == nil {
		if len(r.seen) >= refusalKeys {
			r.forget(now)
		}
		if len(r.seen) >= refusalKeys {
			return 0
		}
		one = &refusalCount{}
		r.seen[key] = one
	}
	one.since++
	if !one.last.IsZero() && now.Sub(one.last) < refusalEvery || r.written >= refusalMost {
		return 0
	}
	n := one.since
	r.written++
	one.last, one.since = now, 0
	return n
}

// forget drops those of whom nothing was heard for a while.
func (r *refusals) forget(now time.Time) {
	for key, one := range r.seen {
		if now.Sub(one.last) >= refusalEvery {
			delete(r.seen, key)
		}
	}
}

// refusal counts a request that was refused before anything was done, and leaves a
// line in the audit log, if those like it have not left one just now. The path is the
// row's, never what was sent.
func (a *Admin) refusal(c echo.Context, record *telemetry.Record, reason, path string, who principal, key string) {
	a.Metrics.AdminRefused(reason)
	n := a.refused.note(reason+"\x00"+key, time.Now())
	if n == 0 {
		return
	}
	l := a.line(c, record, who, access{action: "access.refused", kind: "endpoint"}, store.OutcomeRefused)
	l.Target, l.Detail, l.Count = knownMethod(c.Request().Method)+" "+path, reason, n
	a.Events.Note(l)
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodPut, http.MethodHead, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// refusedForm is told of a form that another site has sent to the console.
func (a *Admin) refusedForm(record *telemetry.Record) {
	a.Metrics.AdminRefused(telemetry.AdminOrigin)
	if n := a.refused.note(telemetry.AdminOrigin+"\x00"+issuer.Network(record.Remote), time.Now()); n > 0 {
		a.Events.Note(store.Line{
			Action: "access.refused", Kind: "console", Remote: record.Remote, Via: telemetry.SourceConsole,
			Outcome: store.OutcomeRefused, Detail: telemetry.AdminOrigin, RequestID: record.RequestID, Count: n,
		})
	}
}
