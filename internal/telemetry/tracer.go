package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TracerOptions of a [Tracer]. Everything else is OpenTelemetry's own: its library
// reads endpoint, headers, certificates, sampler and batches from the standard OTEL_*
// variables, which whoever makes a Tracer has checked.
type TracerOptions struct {
	Version  string
	Instance string // the name of this process
	// Log takes what the exporter has to say, at most once in ten seconds.
	Log *slog.Logger
}

// Tracer makes spans of requests and sends them by OTLP over HTTP. A nil *Tracer makes
// none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	carrier  propagation.TraceContext
}

// NewTracer returns a tracer that exports. It connects to nobody: a collector that is
// away costs spans, and a line in the log.
func NewTracer(ctx context.Context, o TracerOptions) (*Tracer, error) {
	quiet(o.Log)
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, errors.New("the exporter of spans could not be made of the OTEL_EXPORTER_OTLP_* variables") // its text may show them
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", "tollgate"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Instance)),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
	)
	if err != nil {
		return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES is no list of key=value")
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	return &Tracer{provider: provider, tracer: provider.Tracer("tollgate", trace.WithInstrumentationVersion(o.Version))}, nil
}

// Close sends what is left, until ctx ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans: %s", Scrub(err.Error()))
	}
	return nil
}

// quiet keeps OpenTelemetry's library from printing by itself: to stderr, past the log,
// and with the variables that it could not read. Like the library's own, these two
// settings are the process's.
func quiet(log *slog.Logger) {
	otel.SetLogger(logr.Discard())
	var last atomic.Int64
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		now := time.Now().Unix()
		if before := last.Load(); log == nil || now-before < 10 || !last.CompareAndSwap(before, now) {
			return
		}
		log.Warn("spans could not be sent", "error", Scrub(err.Error()))
	}))
}
