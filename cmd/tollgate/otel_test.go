package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanCollector is an OpenTelemetry collector that keeps what it gets.
type spanCollector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	raw   strings.Builder
}

func mustSpanCollector(t *testing.T) *spanCollector {
	t.Helper()
	c := &spanCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var req collect.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, resource := range req.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// of returns the spans of one trace by name.
func (c *spanCollector) of(trace string) map[string]*otlp.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]*otlp.Span{}
	for _, s := range c.spans {
		if fmt.Sprintf("%x", s.TraceId) == trace {
			out[s.Name] = s
		}
	}
	return out
}

const clientSpan = "00f067aa0ba902b7"

func traceparent(trace string) []string {
	return []string{"Traceparent", "00-" + trace + "-" + clientSpan + "-01", "Tracestate", "vendor=7"}
}

func TestTracesOfTheSystem(t *testing.T) {
	t.Parallel()
	c := mustSpanCollector(t)
	s := mustSystem(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_SERVICE_NAME=edge", "OTEL_BSP_SCHEDULE_DELAY=50", "TOLLGATE_LOG_FORMAT=json")
	s.mustAddUser("alice", "correct-horse-battery")
	const password = "correct-horse-battery"
	access := s.mustLogin("alice", password).Access
	good, bad := strings.Repeat("a", 32), strings.Repeat("b", 32)
	if r := s.mustSend("GET", s.Public+"/x?key=hunter2", nil, append(bearer(access), traceparent(good)...)...); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if r := s.mustSend("GET", s.Public+"/x", nil, append(bearer(access+"x"), traceparent(bad)...)...); r.Status != 401 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	// By the other way through the proxy: a body of unknown length.
	chunked := strings.Repeat("c", 32)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Public+"/y", io.MultiReader(strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Traceparent", "00-"+chunked+"-"+clientSpan+"-01")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	s.eventually("exported the other way", 20*time.Second, func() bool { return len(c.of(chunked)) == 3 })
	for name, span := range c.of(chunked) {
		if got := s.last().Header.Get("Traceparent"); strings.HasPrefix(name, "upstream ") && got != fmt.Sprintf("00-%s-%x-01", chunked, span.SpanId) {
			t.Errorf("the back end got traceparent %q by the other way", got)
		}
	}
	var accepted, refused map[string]*otlp.Span
	s.eventually("exported", 20*time.Second, func() bool {
		accepted, refused = c.of(good), c.of(bad)
		return len(accepted) == 3 && len(refused) == 2
	})
	var server, upstream *otlp.Span
	for name, span := range accepted {
		switch {
		case strings.HasPrefix(name, "GET "):
			server = span
		case strings.HasPrefix(name, "upstream "):
			upstream = span
		}
	}
	if server == nil || upstream == nil || accepted["authenticate"] == nil {
		t.Fatalf("spans %v", accepted)
	}
	if fmt.Sprintf("%x", server.ParentSpanId) != clientSpan || string(upstream.ParentSpanId) != string(server.SpanId) {
		t.Error("the spans do not hang together")
	}
	if got, want := s.requests()[0].Header.Get("Traceparent"), fmt.Sprintf("00-%s-%x-01", good, upstream.SpanId); got != want {
		t.Errorf("the back end got traceparent %q, want %q", got, want)
	}
	reason := ""
	for _, a := range refused["authenticate"].Attributes {
		if a.Key == "tollgate.reason" {
			reason = a.Value.GetStringValue()
		}
	}
	if reason == "" {
		t.Errorf("no reason in %v", refused["authenticate"])
	}
	s.eventually("a line of the log has the trace", 20*time.Second, func() bool { return s.logs.Count(`"trace_id":"`+good+`"`) > 0 })
	c.mu.Lock()
	all := c.raw.String()
	c.mu.Unlock()
	if !strings.Contains(all, "/api/token/") {
		t.Error("the log-in has no span")
	}
	head, _, _ := strings.Cut(access, ".") // which every token begins with; "eyJ" alone may be in a random id
	for _, secret := range []string{"hunter2", head, password, rootToken} {
		if strings.Contains(all, secret) {
			t.Errorf("the collector got %q", secret)
		}
	}
	r := s.mustSend("GET", s.Ops+"/metrics", nil, "Accept", "application/openmetrics-text; version=1.0.0")
	if !strings.Contains(r.Body, `{trace_id="`) {
		t.Error("no exemplar in the metrics")
	}
}

// last is the request that reached the back end last.
func (s *system) last() *http.Request {
	seen := s.requests()
	return seen[len(seen)-1]
}

// TestTraceparentWithoutTracing: what a client sends goes on as it is, however odd.
func TestTraceparentWithoutTracing(t *testing.T) {
	t.Parallel()
	s := mustSystem(t, "OTEL_SERVICE_NAME=edge", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true")
	s.mustAddUser("alice", "correct-horse-battery")
	access := s.mustLogin("alice", "correct-horse-battery").Access
	header := append(bearer(access), "Traceparent", "cc-of-another-version", "Tracestate", "a=1,b=2")
	if r := s.mustSend("GET", s.Public+"/x", nil, header...); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	got := s.last().Header
	if got.Get("Traceparent") != "cc-of-another-version" || got.Get("Tracestate") != "a=1,b=2" {
		t.Errorf("the back end got %q and %q", got["Traceparent"], got["Tracestate"])
	}
	if strings.Contains(s.logs.String(), "trace_id") {
		t.Error("a trace in the log")
	}
}
