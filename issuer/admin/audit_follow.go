package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
)

const (
	// followWait is the longest that a follower may ask to wait: shorter than a process
	// that stops waits for its requests.
	followWait = 20 * time.Second
	// followEvery is how often the log is looked at meanwhile.
	followEvery = 200 * time.Millisecond
	// followNow asks for the position behind all there is.
	followNow = "now"
)

// followAudit answers what was written behind a position, the oldest first. It waits for
// the first line if it is asked to.
func (a *Admin) followAudit(c echo.Context, f store.AuditFilter, after string) error {
	wait := time.Duration(0)
	if text := c.QueryParam("wait"); text != "" {
		var err error
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 || wait > followWait {
			return badBody("The parameter wait is a time such as 5s, 20s at most.")
		}
	}
	if f.Cursor != "" || !f.Since.IsZero() || !f.Until.IsZero() {
		return badBody("The parameter after goes with neither cursor nor since nor until.")
	}
	out := page[auditItem]{Items: []auditItem{}}
	if after == followNow {
		var err error
		if out.Next, err = a.Audit.Position(c.Request().Context()); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, out)
	}
	began := time.Now()
	out.Next = after
	for end := time.Now().Add(wait); ; {
		// Each look has the time of a request: together they may take as long as was asked for.
		found, next, err := a.Audit.Follow(store.WithBudget(c.Request().Context(), a.RedisTime), f, out.Next)
		if err != nil {
			return atPlace(err, "after")
		}
		moved := next != out.Next
		out.Next = next
		for _, l := range found {
			out.Items = append(out.Items, auditItem(l))
		}
		if len(found) > 0 || !time.Now().Add(followEvery).Before(end) {
			if time.Since(began) > followEvery {
				// The token may have been revoked, or come to its end, meanwhile.
				c.SetRequest(c.Request().WithContext(store.WithBudget(c.Request().Context(), a.RedisTime)))
				if _, err := a.authorise(c, telemetry.From(c.Response().Writer), "/admin/v1/audit"); err != nil {
					return err
				}
			}
			return c.JSON(http.StatusOK, out)
		}
		if moved {
			continue // there may be more already
		}
		select {
		case <-c.Request().Context().Done():
			return c.JSON(http.StatusOK, out)
		case <-time.After(followEvery):
		}
	}
}
