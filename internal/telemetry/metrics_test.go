package telemetry_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tollgate/internal/telemetry"
)

// scrape returns tollgate's own samples, one line each.
func scrape(t *testing.T, m *telemetry.Metrics) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("scrape: %d %s", rec.Code, rec.Body)
	}
	var out []string
	for line := range strings.Lines(rec.Body.String()) {
		if strings.HasPrefix(line, "tollgate_") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func mustHave(t *testing.T, m *telemetry.Metrics, want ...string) {
	t.Helper()
	got := scrape(t, m)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("no %s in:\n%s", line, strings.Join(got, "\n"))
		}
	}
}

func TestRequestMetrics(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{Version: "1.2.3", Revision: "abc"})
	h := telemetry.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := telemetry.From(w)
		rec.Route = "shop"
		switch r.URL.Path {
		case "/deny":
			rec.Decision, rec.Reason = telemetry.Deny, "expired"
			w.WriteHeader(401)
		case "/strange":
			rec.Decision, rec.Reason = telemetry.Deny, "because of /strange"
			w.WriteHeader(403)
		case "/none":
			rec.Route = ""
			w.WriteHeader(404)
		default:
			rec.Decision = telemetry.Allow
		}
	}), telemetry.Options{Metrics: m})
	for _, r := range []struct{ method, path string }{
		{"GET", "/ok"}, {"GET", "/ok?x"}, {"BREW", "/ok"}, {"BOIL", "/ok"}, {"GET", "/deny"}, {"GET", "/strange"}, {"GET", "/none"},
	} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(r.method, r.path, nil))
	}
	mustHave(t, m,
		`tollgate_requests_total{code="200",decision="allow",method="GET",route="shop"} 2`,
		`tollgate_requests_total{code="200",decision="allow",method="other",route="shop"} 2`,
		`tollgate_requests_total{code="401",decision="deny",method="GET",route="shop"} 1`,
		`tollgate_requests_total{code="404",decision="none",method="GET",route="none"} 1`,
		`tollgate_request_duration_seconds_count{method="GET",route="shop"} 4`,
		`tollgate_auth_denied_total{reason="expired",route="shop"} 1`,
		`tollgate_auth_denied_total{reason="other",route="shop"} 1`,
		fmt.Sprintf(`tollgate_build_info{go_version=%q,revision="abc",version="1.2.3"} 1`, runtime.Version()),
	)
}

func TestCounters(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	mustHave(t, m, `tollgate_login_attempts_total{result="failure"} 0`, `tollgate_redis_errors_total{op="dial"} 0`)
	m.Issued(telemetry.TokenAccess, telemetry.GrantPassword)
	m.Login(telemetry.LoginSuccess)
	m.Login("alice")
	m.Refresh(telemetry.RefreshLost)
	m.Revoked("jti", telemetry.SourceAPI)
	m.Revoked("jti", "me")
	m.UpstreamError("shop", telemetry.UpstreamConnect)
	m.UpstreamError("\xff", "strange")
	m.RedisError("evalsha")
	m.RedisError("flushall")
	mustHave(t, m,
		`tollgate_tokens_issued_total{grant="password",kind="access"} 1`,
		`tollgate_login_attempts_total{result="success"} 1`,
		`tollgate_login_attempts_total{result="other"} 1`,
		`tollgate_refresh_total{result="store_lost"} 1`,
		`tollgate_revocations_total{kind="jti",source="api"} 1`,
		`tollgate_revocations_total{kind="jti",source="other"} 1`,
		`tollgate_upstream_errors_total{reason="connect",upstream="shop"} 1`,
		"tollgate_upstream_errors_total{reason=\"other\",upstream=\"\uFFFD\"} 1",
		`tollgate_redis_errors_total{op="evalsha"} 1`,
		`tollgate_redis_errors_total{op="other"} 1`,
	)
}

func TestRuntimeAndOwnCollectors(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	gauge := func() prometheus.Collector {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "tollgate_keys"})
	}
	if err := m.Register(gauge()); err != nil {
		t.Fatal(err)
	}
	if err := m.Register(gauge()); err == nil {
		t.Error("registered twice")
	}
	mustHave(t, m, "tollgate_keys 0")
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, name := range []string{"go_goroutines", "process_start_time_seconds"} {
		if !strings.Contains(rec.Body.String(), "\n"+name+" ") {
			t.Errorf("no %s", name)
		}
	}
}

func TestNilMetrics(t *testing.T) {
	var m *telemetry.Metrics
	m.Denied("r", "expired")
	m.Issued("access", "password")
	m.Login("success")
	m.Refresh("rotated")
	m.Revoked("jti", "api")
	m.UpstreamError("u", "connect")
	m.RedisError("get")
	if err := m.Register(); err != nil {
		t.Error(err)
	}
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 404 {
		t.Errorf("status %d", rec.Code)
	}
}

// TestMetricsDoNotGrowWithRequests: what a client chooses never makes a series.
func TestMetricsDoNotGrowWithRequests(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	h := telemetry.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := telemetry.From(w)
		rec.Subject, rec.JTI, rec.Error = r.URL.Path, r.URL.Path, r.URL.Path
		rec.Decision, rec.Reason = telemetry.Deny, r.URL.Path
	}), telemetry.Options{Metrics: m})
	serve := func(i int) {
		method := strings.Map(func(r rune) rune { return r - '0' + 'A' }, fmt.Sprint(i))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, fmt.Sprintf("/%d?%d", i, i), nil))
	}
	serve(0)
	before := len(scrape(t, m))
	for i := range 200 {
		serve(i)
	}
	if after := len(scrape(t, m)); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}

func TestMetricsUnderConcurrency(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				m.Denied(fmt.Sprint("route", i%10), "expired")
			}
		})
	}
	wg.Wait()
	mustHave(t, m, `tollgate_auth_denied_total{reason="expired",route="route3"} 80`)
}

func BenchmarkHandler(b *testing.B) {
	for _, access := range []bool{false, true} {
		b.Run(fmt.Sprintf("access=%v", access), func(b *testing.B) {
			h := telemetry.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				rec := telemetry.From(w)
				rec.Route, rec.Decision, rec.Subject, rec.JTI, rec.KeyID = "shop", telemetry.Allow, "42", "j", "k"
				w.WriteHeader(http.StatusOK)
			}), telemetry.Options{
				Access: access, Metrics: telemetry.NewMetrics(telemetry.Build{}),
				Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
			})
			r := httptest.NewRequest("GET", "/api/items/17", nil)
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
