package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"tollgate/internal/telemetry"
)

// otlpCollector takes spans by OTLP over HTTP.
type otlpCollector struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*otlp.Span
	service string
	auth    string // what came as Authorization
	bodies  strings.Builder
	fail    bool
}

func mustCollector(t *testing.T) *otlpCollector {
	t.Helper()
	c := &otlpCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		var req collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &req); err != nil || r.URL.Path != "/v1/traces" || c.fail {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		c.auth = r.Header.Get("Authorization")
		c.bodies.Write(body)
		for _, resource := range req.ResourceSpans {
			for _, a := range resource.Resource.Attributes {
				if a.Key == "service.name" {
					c.service = a.Value.GetStringValue()
				}
			}
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	return c
}

func mustTracer(t *testing.T, o telemetry.TracerOptions) *telemetry.Tracer {
	t.Helper()
	tracer, err := telemetry.NewTracer(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func attributes(s *otlp.Span) map[string]string {
	out := map[string]string{}
	for _, a := range s.Attributes {
		out[a.Key] = a.Value.GetStringValue()
		if n := a.Value.GetIntValue(); n != 0 {
			out[a.Key] = fmt.Sprint(n)
		}
	}
	return out
}

const (
	parentTrace = "0af7651916cd43dd8448eb211c80319c"
	parentSpan  = "b7ad6b7169203331"
)

// traced serves one request as the gateway would and returns what its upstream got.
func traced(t *testing.T, tracer *telemetry.Tracer, m *telemetry.Metrics, header http.Header, status int) (sent http.Header, l *logged) {
	t.Helper()
	l = newLogged(t, telemetry.Options{Tracer: tracer, Metrics: m, Access: true}, func(w http.ResponseWriter, r *http.Request) {
		rec := telemetry.From(w)
		rec.Route, rec.Decision = "shop", telemetry.Allow
		if rec.Traced() {
			rec.Check()("")
			rec.Check()("expired")
		}
		sent = r.Header.Clone()
		rec.Ask("back", sent)
		rec.Answered(status, "")
		w.WriteHeader(status)
	})
	r := httptest.NewRequest("GET", "/api/x?secret=hunter2", nil)
	for name, values := range header {
		r.Header[name] = values
	}
	if _, p := l.serve(r); p != nil {
		t.Fatal(p)
	}
	return sent, l
}

func TestSpans(t *testing.T) {
	c := mustCollector(t)
	t.Setenv("OTEL_SERVICE_NAME", "edge-7")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-the-collector")
	tracer, m := mustTracer(t, telemetry.TracerOptions{Version: "1"}), telemetry.NewMetrics(telemetry.Build{})
	sent, l := traced(t, tracer, m, http.Header{
		"Traceparent": {"00-" + parentTrace + "-" + parentSpan + "-01"}, "Tracestate": {"vendor=1"}, "Authorization": {"Bearer eyJhbGciOiJub25lIn0.e30."},
	}, 502)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.service != "edge-7" || c.auth != "Bearer of-the-collector" {
		t.Errorf("service %q, authorised by %q", c.service, c.auth)
	}
	byName := map[string]*otlp.Span{}
	for _, s := range c.spans {
		if got := fmt.Sprintf("%x", s.TraceId); got != parentTrace {
			t.Errorf("%s: trace %s", s.Name, got)
		}
		byName[s.Name] = s
	}
	server, upstream := byName["GET shop"], byName["upstream back"]
	if len(c.spans) != 4 || server == nil || upstream == nil || byName["authenticate"] == nil {
		t.Fatalf("spans: %v", c.spans)
	}
	if got := fmt.Sprintf("%x", server.ParentSpanId); got != parentSpan {
		t.Errorf("the request's parent is %s", got)
	}
	for _, s := range c.spans {
		if s != server && string(s.ParentSpanId) != string(server.SpanId) {
			t.Errorf("%s is no child of the request", s.Name)
		}
	}
	if got := attributes(server); got["url.path"] != "/api/x" || got["http.response.status_code"] != "502" || got["tollgate.decision"] != "allow" {
		t.Errorf("the request's attributes: %v", got)
	}
	if server.Status.GetCode() != otlp.Status_STATUS_CODE_ERROR || upstream.Status.GetCode() != otlp.Status_STATUS_CODE_ERROR {
		t.Error("a 502 is no error")
	}
	if got, want := sent.Get("Traceparent"), fmt.Sprintf("00-%s-%x-01", parentTrace, upstream.SpanId); got != want || sent.Get("Tracestate") != "vendor=1" {
		t.Errorf("the upstream got %q and %q, want %q", got, sent.Get("Tracestate"), want)
	}
	if got := l.access(t)["trace_id"]; got != parentTrace {
		t.Errorf("the access line has trace %v", got)
	}
	for _, secret := range []string{"hunter2", "eyJhbGciOiJub25lIn0", "Bearer"} {
		if strings.Contains(c.bodies.String(), secret) {
			t.Errorf("%q was sent to the collector", secret)
		}
	}
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	m.Handler().ServeHTTP(rec, r)
	if !strings.Contains(rec.Body.String(), `# {trace_id="`+parentTrace+`"}`) {
		t.Errorf("no exemplar in\n%s", rec.Body)
	}
}

// TestTraceparentIsNotTrusted: whatever a client writes there, the request is served,
// and the upstream gets one whole header of ours.
func TestTraceparentIsNotTrusted(t *testing.T) {
	mustCollector(t)
	tracer := mustTracer(t, telemetry.TracerOptions{})
	defer func() { _ = tracer.Close(context.Background()) }()
	for _, bad := range [][]string{
		{"00-" + parentTrace + "-0000000000000000-01"}, {"ff-" + parentTrace + "-" + parentSpan + "-01"}, {"x"}, {""},
		{strings.Repeat("a", 5000)}, {"00-" + strings.ToUpper(parentTrace) + "-" + parentSpan + "-01"},
	} {
		sent, _ := traced(t, tracer, nil, http.Header{"Traceparent": bad, "Tracestate": {"of=that"}}, 200)
		got := sent["Traceparent"]
		if len(got) != 1 || len(got[0]) != 55 || strings.Contains(got[0], parentTrace) || sent.Get("Tracestate") != "" {
			t.Errorf("%.60q became %q, tracestate %q", bad, got, sent["Tracestate"])
		}
	}
}

func TestSamplerIsHonoured(t *testing.T) {
	c := mustCollector(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	tracer, m := mustTracer(t, telemetry.TracerOptions{}), telemetry.NewMetrics(telemetry.Build{})
	sent, _ := traced(t, tracer, m, nil, 200)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) != 0 {
		t.Errorf("spans: %v", c.spans)
	}
	if got := sent.Get("Traceparent"); !strings.HasSuffix(got, "-00") {
		t.Errorf("the upstream got %q: it would record what we do not", got)
	}
}

func TestWithoutTracing(t *testing.T) {
	header := http.Header{"Traceparent": {"what the client sent"}, "Tracestate": {"too"}}
	sent, l := traced(t, nil, nil, header, 200)
	if sent.Get("Traceparent") != "what the client sent" || sent.Get("Tracestate") != "too" {
		t.Errorf("the upstream got %v", sent)
	}
	if _, there := l.access(t)["trace_id"]; there {
		t.Error("the access line has a trace")
	}
	var none *telemetry.Tracer
	if err := none.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTracingOffAllocatesNothing: what a request costs is the id, the writer and its
// header, tracing or not.
func TestTracingOffAllocatesNothing(t *testing.T) {
	h := telemetry.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := telemetry.From(w)
		rec.Route, rec.Decision = "shop", telemetry.Allow
		rec.Ask("back", r.Header)
		rec.Answered(200, "")
	}), telemetry.Options{Metrics: telemetry.NewMetrics(telemetry.Build{})})
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }); n > 2 {
		t.Errorf("%v allocations per request, there were 2", n)
	}
}

// TestCollectorAway: requests are served, and the log says so without the endpoint's
// secrets.
func TestCollectorAway(t *testing.T) {
	c := mustCollector(t)
	c.fail = true
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", strings.Replace(c.URL, "http://", "http://user:hunter2@", 1))
	l := newLogged(t, telemetry.Options{}, nil)
	log, err := telemetry.NewLogger(&l.buf, telemetry.LogOptions{Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	tracer := mustTracer(t, telemetry.TracerOptions{Log: log})
	traced(t, tracer, nil, nil, 200)
	_ = tracer.Close(t.Context())
	if lines := l.lines(t, "spans could not be sent"); len(lines) != 1 || strings.Contains(l.buf.String(), "hunter2") {
		t.Errorf("log:\n%s", l.buf.String())
	}
}
