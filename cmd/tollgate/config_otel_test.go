package main

import (
	"maps"
	"strings"
	"testing"
)

func TestTracingSettings(t *testing.T) {
	const endpoint = "http://user:hunter2@127.0.0.1:4318"
	on := func(more map[string]string) map[string]string {
		env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
		maps.Copy(env, more)
		return env
	}
	for _, tt := range []struct {
		name    string
		env     map[string]string
		on      bool
		faults  []string // what each begins with
		warning bool
	}{
		{"nothing", nil, false, nil, false},
		{"a name alone", map[string]string{"OTEL_SERVICE_NAME": "edge", "OTEL_TRACES_SAMPLER": "strange"}, false, nil, false},
		{"an endpoint", on(nil), true, nil, false},
		{"one of traces", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://otel.example/v1/traces"}, true, nil, false},
		{"disabled", on(map[string]string{"OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}), false, nil, false},
		{"no exporter", on(map[string]string{"OTEL_TRACES_EXPORTER": "none"}), false, nil, false},
		{"otlp", on(map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}), true, nil, false},
		{"another exporter", on(map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}), true, []string{"OTEL_TRACES_EXPORTER is neither"}, false},
		{"grpc", on(map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}), true, []string{"OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which is not supported"}, false},
		{"grpc for others", on(map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}), true, nil, false},
		{"a protocol of no kind", on(map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}), true, []string{"OTEL_EXPORTER_OTLP_PROTOCOL is neither"}, false},
		{"no scheme", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "hunter2:4318"}, true, []string{"OTEL_EXPORTER_OTLP_ENDPOINT is no http(s) URL"}, false},
		{"headers", on(map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hunter2,x=1"}), true, nil, false},
		{"no headers", on(map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "hunter2"}), true, []string{"OTEL_EXPORTER_OTLP_HEADERS is no list"}, false},
		{"a bad escape", on(map[string]string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=hunter2%zz"}), true, []string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS is no list"}, false},
		{"a sampler", on(map[string]string{"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}), true, nil, false},
		{"an unknown one", on(map[string]string{"OTEL_TRACES_SAMPLER": "xray"}), true, []string{"OTEL_TRACES_SAMPLER is none of"}, false},
		{"too much of it", on(map[string]string{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}), true, []string{"OTEL_TRACES_SAMPLER_ARG is no number"}, false},
		{"not a number", on(map[string]string{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "NaN"}), true, []string{"OTEL_TRACES_SAMPLER_ARG is no number"}, false},
		{"other propagators", on(map[string]string{"OTEL_PROPAGATORS": "b3"}), true, nil, true},
		{"the usual ones", on(map[string]string{"OTEL_PROPAGATORS": "tracecontext,baggage"}), true, nil, false},
		{"two faults", on(map[string]string{"OTEL_TRACES_SAMPLER": "xray", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}), true,
			[]string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Config{}
			faults := c.tracing(func(name string) string { return tt.env[name] })
			if c.Tracing != tt.on || len(c.Warnings) > 0 != tt.warning {
				t.Errorf("on: %v, warnings %q", c.Tracing, c.Warnings)
			}
			if len(faults) != len(tt.faults) {
				t.Fatalf("faults %v, want %q", faults, tt.faults)
			}
			for i, f := range faults {
				if text := f.Name + " " + f.Problem; !strings.HasPrefix(text, tt.faults[i]) || strings.Contains(text, "hunter2") {
					t.Errorf("fault %q, want %q", text, tt.faults[i])
				}
			}
		})
	}
}

// TestTracingFaultIsTold: the fault ends the start with the others.
func TestTracingFaultIsTold(t *testing.T) {
	env := working()
	env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http://127.0.0.1:4317", "grpc"
	if faults := faultsOf(t, env); len(faults) != 1 || !strings.Contains(faults[0], "not supported") {
		t.Errorf("faults %q", faults)
	}
}
