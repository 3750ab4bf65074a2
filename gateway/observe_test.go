package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// TestSomeRequestsAreMeasured: one in 64 is, chosen at random, on the short way and on
// the other; their verdicts are those of all.
func TestSomeRequestsAreMeasured(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	bearer := "Bearer " + e.token(t)
	measured := func() bool {
		w := httptest.NewRecorder()
		e.Metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		for _, part := range []string{`tollgate_auth_duration_seconds_count{stage="revocation"}`, `tollgate_upstream_duration_seconds_count{upstream="app"}`} {
			if !strings.Contains(w.Body.String(), part) {
				return false
			}
		}
		return true
	}
	// With 5,000 requests the chance of none is that of no chance at all.
	for i := 0; i < 5000; i++ {
		headers := []string{"Authorization", bearer}
		if i%2 == 1 {
			headers = append(headers, "TE", "trailers") // not the short way
		}
		if res, body := e.get(t, "GET", "/", headers...); res.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %d %s", i, res.StatusCode, body)
		}
		if i%100 == 99 && measured() {
			return
		}
	}
	t.Error("no request was measured")
}

func TestMeasuredIsAShare(t *testing.T) {
	chosen := 0
	for _, first := range "0123456789abcdef" {
		for _, second := range "0123456789abcdef" {
			r := telemetry.Record{RequestID: string(first) + string(second) + strings.Repeat("0", 30)}
			if r.Measured() {
				chosen++
			}
		}
	}
	if chosen != 4 {
		t.Errorf("%d of 256, want 4", chosen)
	}
	if (&telemetry.Record{}).Measured() {
		t.Error("a request that nobody observes is measured")
	}
}

func TestReasonOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""}, {&token.Refusal{Reason: token.ReasonExpired}, "expired"}, {errors.New("odd"), "unavailable"},
	} {
		if got := reasonOf(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}
