package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
)

// Status is how the process that is asked is, and what it has counted.
type Status struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started_at"`
	Warnings []string  `json:"warnings"`
	// Checks are those that decide readiness.
	Checks []Check `json:"checks"`
	// Mirror is the copy of the revocations; nil without one (lookup mode).
	Mirror *Mirror `json:"mirror,omitempty"`
	// Activity is what passed the public listener in the last hour, oldest first.
	Activity []telemetry.Sample `json:"activity"`
}

// Check is one check of readiness. Error says what is missing.
type Check struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// Mirror is how far a copy of the revocations is. Durations are as Go writes them.
type Mirror struct {
	Level   bool   `json:"level"`
	N       uint64 `json:"n"`
	Stale   string `json:"stale"`
	Entries int    `json:"entries"`
	Bytes   int    `json:"bytes"`
	// Heard counts the records that came while the mirror was level; half of them
	// took at most P50 from the store to here, 99 of 100 at most P99.
	Heard uint64 `json:"heard"`
	P50   string `json:"p50,omitempty"`
	P99   string `json:"p99,omitempty"`
}

// Setting is a variable with the value that is in force. A secret is masked by
// whoever makes it.
type Setting struct {
	Name   string `json:"name"`
	Group  string `json:"group"`
	Value  string `json:"value"`
	Source string `json:"source"`
	Secret bool   `json:"secret"`
	Note   string `json:"note,omitempty"`
}

// notTold says that this process was not wired to tell.
func notTold(what string) error {
	return &problem.Details{Status: http.StatusNotFound, Code: "not_here", Detail: "This process does not tell its " + what + "."}
}

// some is a list that is [] in JSON when it is empty, and not null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (a *Admin) showStatus(c echo.Context) error {
	if a.Status == nil {
		return notTold("status")
	}
	s := a.Status(c.Request().Context())
	s.Warnings, s.Checks, s.Activity = some(s.Warnings), some(s.Checks), some(s.Activity)
	return c.JSON(http.StatusOK, s)
}

func (a *Admin) listSettings(c echo.Context) error {
	if a.Settings == nil {
		return notTold("settings")
	}
	return c.JSON(http.StatusOK, page[Setting]{Items: some(a.Settings())})
}

type targetItem struct {
	Upstream  string     `json:"upstream"`
	URL       string     `json:"url"`
	Healthy   bool       `json:"healthy"` // and not ejected
	Ejected   *time.Time `json:"ejected_until,omitempty"`
	InFlight  int        `json:"in_flight"`
	Failures  int        `json:"failures"` // in a row
	LastError string     `json:"last_error,omitempty"`
	LastCheck *time.Time `json:"last_check,omitempty"`
}

// listUpstreams shows the back ends as this process sees them. The texts of errors
// are those of connections and checks; the URLs are the configuration's.
func (a *Admin) listUpstreams(c echo.Context) error {
	if a.Routes == nil {
		return noRoutes()
	}
	out := page[targetItem]{Items: []targetItem{}}
	for _, u := range a.Routes().Upstreams() {
		for _, t := range u.Status() {
			out.Items = append(out.Items, targetItem{
				Upstream: u.Name(), URL: t.URL, Healthy: t.Healthy && !t.Ejected.After(time.Now()), Ejected: timeOrNil(t.Ejected),
				InFlight: t.InFlight, Failures: t.Failures, LastError: telemetry.Scrub(t.LastError), LastCheck: timeOrNil(t.LastCheck),
			})
		}
	}
	return c.JSON(http.StatusOK, out)
}
