package admin

import (
	"net/http"
	"strings"

	"tollgate/internal/telemetry"
)

// count puts an answered request into the metrics, by its row and by the role of who
// asked.
func (a *Admin) count(w http.ResponseWriter, who principal) {
	answered, ok := w.(interface{ Status() int })
	record := telemetry.From(w)
	endpoint, row := strings.CutPrefix(record.Route, "admin:")
	if !ok || !row {
		return // no row was asked, or nobody counts
	}
	role := string(who.Role)
	if role == "" {
		role = "none"
	}
	a.Metrics.AdminRequest(endpoint, role, answered.Status())
}
