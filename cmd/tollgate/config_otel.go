package main

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The standard variables that decide whether spans are sent. The library reads them,
// and others of the same family, by itself; here they are checked, since it would go
// on with a default in place of what it cannot read.
const (
	otelDisabled         = "OTEL_SDK_DISABLED"
	otelExporter         = "OTEL_TRACES_EXPORTER"
	otelEndpoint         = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otelTracesEndpoint   = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	otelProtocol         = "OTEL_EXPORTER_OTLP_PROTOCOL"
	otelTracesProtocol   = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	otelHeaders          = "OTEL_EXPORTER_OTLP_HEADERS"
	otelTracesHeaders    = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
	otelSampler          = "OTEL_TRACES_SAMPLER"
	otelSamplerArg       = "OTEL_TRACES_SAMPLER_ARG"
	otelPropagators      = "OTEL_PROPAGATORS"
	tracesOverHTTP       = "http/protobuf"
	tracesOverHTTPAsJSON = "http/json"
)

// tracing decides whether spans are sent: only where an endpoint is named, so that
// nobody sends to a default address unasked. Values never stand in a fault: endpoints
// and headers may hold a secret.
func (c *Config) tracing(getenv func(string) string) []configFault {
	if strings.EqualFold(strings.TrimSpace(getenv(otelDisabled)), "true") || getenv(otelExporter) == "none" {
		return nil
	}
	first := func(names ...string) (name, value string) {
		for _, name = range names {
			if value = strings.TrimSpace(getenv(name)); value != "" {
				return name, value
			}
		}
		return name, ""
	}
	endpoint, address := first(otelTracesEndpoint, otelEndpoint)
	if address == "" {
		return nil
	}
	c.Tracing = true
	var faults []configFault
	fault := func(name, problem string) { faults = append(faults, configFault{name, problem}) }
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		fault(endpoint, "is no http(s) URL, such as http://127.0.0.1:4318")
	}
	if exporter := getenv(otelExporter); exporter != "" && exporter != "otlp" {
		fault(otelExporter, "is neither otlp nor none: there is no other exporter")
	}
	switch name, protocol := first(otelTracesProtocol, otelProtocol); protocol {
	case "", tracesOverHTTP, tracesOverHTTPAsJSON:
	case "grpc":
		fault(name, "is grpc, which is not supported: set it to "+tracesOverHTTP+", and the endpoint to the collector's port for HTTP (4318)")
	default:
		fault(name, "is neither "+tracesOverHTTP+" nor "+tracesOverHTTPAsJSON)
	}
	for _, name := range []string{otelHeaders, otelTracesHeaders} {
		if !isHeaderList(getenv(name)) {
			fault(name, "is no list of name=value, comma separated, its values percent-encoded")
		}
	}
	faults = append(faults, samplerFaults(getenv)...)
	if list := getenv(otelPropagators); list != "" && !slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), "tracecontext") {
		c.Warnings = append(c.Warnings, otelPropagators+" has no effect: traces are passed on by traceparent and tracestate (tracecontext)")
	}
	return faults
}

// samplerFaults looks at which requests spans are to be sent of.
func samplerFaults(getenv func(string) string) []configFault {
	sampler := strings.ToLower(strings.TrimSpace(getenv(otelSampler)))
	known := []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}
	if sampler == "" {
		return nil
	}
	if !slices.Contains(known, sampler) {
		return []configFault{{otelSampler, "is none of " + strings.Join(known, " ")}}
	}
	arg := strings.TrimSpace(getenv(otelSamplerArg))
	if !strings.HasSuffix(sampler, "traceidratio") || arg == "" {
		return nil
	}
	if ratio, err := strconv.ParseFloat(arg, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
		return []configFault{{otelSamplerArg, "is no number from 0 to 1"}}
	}
	return nil
}

// isHeaderList reports whether the library can read a list of headers.
func isHeaderList(list string) bool {
	if strings.TrimSpace(list) == "" {
		return true
	}
	for entry := range strings.SplitSeq(list, ",") {
		name, value, found := strings.Cut(entry, "=")
		if _, err := url.PathUnescape(strings.TrimSpace(value)); !found || strings.TrimSpace(name) == "" || err != nil {
			return false
		}
	}
	return true
}
