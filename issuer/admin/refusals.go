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

// refusals decides which refusals leave a line: the first of an address at once, and
// those that follow together, when their minute is over. Whoever writes the log asks for
// them (due). The zero value is ready.
type refusals struct {
	mu      sync.Mutex               // guards what follows
	seen    map[string]*refusalCount // by reason and address, or token and row
	others  map[string]*refusalCount // by reason: those of addresses that are not told apart
	minute  time.Time
	written int // in this minute
}

type refusalCount struct {
	last  time.Time // of the last line; zero: there was none
	since int       // without one
	line  store.Line
}

func (c *refusalCount) over(now time.Time) bool {
	return c.last.IsZero() || now.Sub(c.last) >= refusalEvery
}

// note counts a refusal. When it is to leave a line at once, that is returned, and for
// how many it stands.
func (r *refusals) note(key string, l store.Line, now time.Time) (store.Line, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.place(key, now)
	if one == nil {
		r.other(l.Detail, 1)
		return store.Line{}, false
	}
	one.since++
	one.line = l
	if !one.over(now) || !r.room(now) {
		return store.Line{}, false
	}
	return r.take(one, now), true
}

// due returns the lines of those whose minute is over; with last, of all that have left
// none: the process ends.
func (r *refusals) due(now time.Time, last bool) []store.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []store.Line
	for _, held := range []map[string]*refusalCount{r.others, r.seen} {
		for key, one := range held {
			switch {
			case one.since > 0 && (last || one.over(now) && r.room(now)):
				out = append(out, r.take(one, now))
			case one.since == 0 && one.over(now):
				delete(held, key)
			}
		}
	}
	return out
}

// place is where a key is counted; nil: there is none left.
func (r *refusals) place(key string, now time.Time) *refusalCount {
	if r.seen == nil {
		r.seen, r.others = map[string]*refusalCount{}, map[string]*refusalCount{}
	}
	if one := r.seen[key]; one != nil {
		return one
	}
	if len(r.seen) >= refusalKeys {
		r.forget(now)
	}
	if len(r.seen) >= refusalKeys {
		return nil
	}
	r.seen[key] = &refusalCount{}
	return r.seen[key]
}

// forget drops those that left no line for a while. What they have not told is told
// without their address.
func (r *refusals) forget(now time.Time) {
	for key, one := range r.seen {
		if !one.over(now) {
			continue
		}
		if one.since > 0 {
			r.other(one.line.Detail, one.since)
		}
		delete(r.seen, key)
	}
}

func (r *refusals) other(reason string, n int) {
	if r.others[reason] == nil {
		r.others[reason] = &refusalCount{line: store.Line{Action: actionRefused, Kind: "endpoint", Outcome: store.OutcomeRefused, Detail: reason}}
	}
	r.others[reason].since += n
}

// room reports whether this minute has one for another line.
func (r *refusals) room(now time.Time) bool {
	if now.Sub(r.minute) >= refusalEvery {
		r.minute, r.written = now, 0
	}
	return r.written < refusalMost
}

func (r *refusals) take(one *refusalCount, now time.Time) store.Line {
	l := one.line
	l.Count = one.since
	one.last, one.since = now, 0
	r.written++
	return l
}

// actionRefused is what the audit log calls a request that was refused before anything
// was done.
const actionRefused = "access.refused"

// refusal counts a request that was refused before anything was done, and leaves a
// line in the audit log, at once or with those like it. The path is the row's, never
// what was sent.
func (a *Admin) refusal(c echo.Context, record *telemetry.Record, reason, path string, who principal, key string) {
	a.Metrics.AdminRefused(reason)
	l := a.line(c, record, who, access{action: actionRefused, kind: "endpoint"}, store.OutcomeRefused)
	l.Target, l.Detail = knownMethod(c.Request().Method)+" "+path, reason
	if l, now := a.refused.note(reason+"\x00"+key, l, time.Now()); now {
		a.Events.Note(l)
	}
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
	l, now := a.refused.note(telemetry.AdminOrigin+"\x00"+issuer.Network(record.Remote), store.Line{
		Action: actionRefused, Kind: "console", Remote: record.Remote, Via: telemetry.SourceConsole,
		Outcome: store.OutcomeRefused, Detail: telemetry.AdminOrigin, RequestID: record.RequestID,
	}, time.Now())
	if now {
		a.Events.Note(l)
	}
}
