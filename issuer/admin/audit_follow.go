package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
)

const (
	// followWait is the longest that a follower may ask to wait.
	followWait = 20 * time.Second
	// followNow asks for the position behind all there is.
	followNow = "now"
	// followTrust is how long an answer may take without its token being looked at again.
	followTrust = 200 * time.Millisecond
)

// followAudit answers what was written behind a position, the oldest first. It waits for
// the first line if it is asked to, but holds up nobody who stops the process.
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
	found, next, err := a.follow(c.Request().Context(), f, after, wait)
	if err != nil {
		return atPlace(err, "after")
	}
	if time.Since(began) > followTrust {
		// The token may have been revoked, or come to its end, meanwhile.
		c.SetRequest(c.Request().WithContext(store.WithBudget(c.Request().Context(), a.RedisTime)))
		if _, err := a.authorise(c, telemetry.From(c.Response().Writer), "/admin/v1/audit"); err != nil {
			return err
		}
	}
	out.Next = next
	for _, l := range found {
		out.Items = append(out.Items, auditItem(l))
	}
	return c.JSON(http.StatusOK, out)
}

func (a *Admin) follow(ctx context.Context, f store.AuditFilter, after string, wait time.Duration) ([]store.Line, string, error) {
	if wait == 0 {
		return a.Audit.Follow(ctx, f, after)
	}
	done, err := a.waits.begin(whoOf(ctx).ID)
	if err != nil {
		return nil, "", err
	}
	defer done()
	return a.tail.Follow(ctx, f, after, wait)
}
