package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/telemetry"
)

var took = regexp.MustCompile(`\(\d+\.\d+ms\)`)

func TestOps(t *testing.T) {
	ok := telemetry.Check{Name: "keys", Probe: func(context.Context) error { return nil }}
	bad := telemetry.Check{Name: "redis", Probe: func(context.Context) error {
		return errors.New("dial redis://u:pw@h:1: refused\nx")
	}}
	panicky := telemetry.Check{Name: "faulty", Probe: func(context.Context) error { panic("oops") }}
	yes, no := func() bool { return true }, func() bool { return false }
	const failed = "readyz check failed\n"
	tests := []struct {
		name, target string
		o            telemetry.OpsOptions
		code         int
		body         string
	}{
		{"live", "/livez", telemetry.OpsOptions{Checks: []telemetry.Check{bad}, Draining: yes}, 200, "ok\n"},
		{"no checks", "/readyz", telemetry.OpsOptions{}, 200, "ok\n"},
		{"ready", "/readyz", telemetry.OpsOptions{Checks: []telemetry.Check{ok}, Draining: no}, 200, "ok\n"},
		{"old name", "/healthz", telemetry.OpsOptions{Checks: []telemetry.Check{ok}}, 200, "ok\n"},
		{
			"verbose", "/readyz?verbose", telemetry.OpsOptions{Checks: []telemetry.Check{ok}, Draining: no}, 200,
			"[+]keys ok (T)\n[+]draining ok (T)\nreadyz check passed\n",
		},
		{
			"one fails, in order", "/readyz", telemetry.OpsOptions{Checks: []telemetry.Check{bad, ok}}, 503,
			"[-]redis failed: dial redis://***@h:1: refused\\x0ax\n[+]keys ok (T)\n" + failed,
		},
		{
			"draining", "/readyz", telemetry.OpsOptions{Checks: []telemetry.Check{ok}, Draining: yes}, 503,
			"[+]keys ok (T)\n[-]draining failed: shutting down\n" + failed,
		},
		{"excluded", "/readyz?exclude=redis", telemetry.OpsOptions{Checks: []telemetry.Check{bad, ok}}, 200, "ok\n"},
		{
			"a probe that panics", "/readyz", telemetry.OpsOptions{Checks: []telemetry.Check{panicky}}, 503,
			"[-]faulty failed: panic: oops\n" + failed,
		},
		{"unknown", "/", telemetry.OpsOptions{}, 404, "404 page not found\n"},
		{"metrics off", "/metrics", telemetry.OpsOptions{}, 404, "404 page not found\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			telemetry.Ops(tt.o).ServeHTTP(rec, httptest.NewRequest("GET", tt.target, nil))
			body := took.ReplaceAllString(rec.Body.String(), "(T)")
			if rec.Code != tt.code || body != tt.body {
				t.Errorf("%d %q\nwant %d %q", rec.Code, body, tt.code, tt.body)
			}
			if rec.Code != 404 && rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", rec.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestOpsJSON(t *testing.T) {
	h := telemetry.Ops(telemetry.OpsOptions{Checks: []telemetry.Check{
		{Name: "keys", Probe: func(context.Context) error { return nil }},
		{Name: "redis", Probe: func(context.Context) error { return errors.New("away") }},
	}})
	r := httptest.NewRequest("GET", "/readyz", nil)
	r.Header.Set("Accept", "application/json")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	var got struct {
		OK     bool
		Checks []struct {
			Name, Error string
			OK          bool
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	if rec.Code != 503 || got.OK || len(got.Checks) != 2 || !got.Checks[0].OK || got.Checks[1].Error != "away" {
		t.Errorf("%d %+v", rec.Code, got)
	}
}

func TestOpsMethods(t *testing.T) {
	h := telemetry.Ops(telemetry.OpsOptions{Metrics: telemetry.NewMetrics(telemetry.Build{})})
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405} {
		for _, path := range []string{"/livez", "/readyz", "/healthz", "/metrics"} {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
			if rec.Code != want {
				t.Errorf("%s %s: %d, want %d", method, path, rec.Code, want)
			}
		}
	}
}

// TestSlowProbe: the checks run beside each other, and one that never answers
// does not hold the answer back for longer than the timeout.
func TestSlowProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int32
		checks := []telemetry.Check{
			{Name: "deaf", Probe: func(context.Context) error { asked.Add(1); <-release; return nil }},
			{Name: "polite", Probe: func(ctx context.Context) error { asked.Add(1); <-ctx.Done(); return ctx.Err() }},
		}
		for n := range 16 { // whose answers lie there when the time is over
			checks = append(checks, telemetry.Check{Name: fmt.Sprintf("quick%d", n), Probe: func(context.Context) error { return nil }})
		}
		h := telemetry.Ops(telemetry.OpsOptions{Timeout: time.Second, Checks: checks})
		start := time.Now()
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
		if spent := time.Since(start); spent != time.Second || asked.Load() != 2 {
			t.Errorf("took %v, %d probes asked", spent, asked.Load())
		}
		if !strings.Contains(rec.Body.String(), "[-]deaf failed: no answer in time") || rec.Code != 503 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if strings.Contains(rec.Body.String(), "[-]quick") {
			t.Errorf("a check that had answered failed: %s", rec.Body)
		}
		close(release)
	})
}

// TestProfilingOnlyWhereAskedFor: profiles are nothing for whoever can reach the
// listener by chance.
func TestProfilingOnlyWhereAskedFor(t *testing.T) {
	for _, on := range []bool{false, true} {
		h := telemetry.Ops(telemetry.OpsOptions{Profiling: on})
		want := 404
		if on {
			want = 200
		}
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap?debug=1"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Code != want {
				t.Errorf("profiling %t: %s answers %d", on, path, w.Code)
			}
		}
	}
}
