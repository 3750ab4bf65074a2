package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/internal/telemetry"
)

// TestCount: an answer is counted under its row's path, never under what was asked for.
func TestCount(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	a := &Admin{Config: Config{Metrics: m}}
	for _, tt := range []struct {
		route, decision string
		status          int
		who             principal
	}{
		{"admin:/admin/v1/keys", telemetry.Allow, 200, principal{Role: RoleOperator}}, {"admin:/admin/v1/keys", telemetry.Deny, 401, principal{}},
		{"", "", 404, principal{}}, {"console /", "", 200, principal{}},
	} {
		telemetry.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			record := telemetry.From(w)
			record.Route, record.Decision = tt.route, tt.decision
			w.WriteHeader(tt.status)
			a.count(w, tt.who)
		}), telemetry.Options{}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
	}
	a.count(httptest.NewRecorder(), principal{}) // of a test: nobody counts
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	got := []string{}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "tollgate_admin_requests_total{") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := `tollgate_admin_requests_total{code="200",endpoint="/admin/v1/keys",role="operator"} 1
tollgate_admin_requests_total{code="401",endpoint="/admin/v1/keys",role="none"} 1`
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}
