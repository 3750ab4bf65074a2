package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// requestTrace is a request's place in a trace. It belongs to the goroutine that
// serves the request. A nil one is that of a request without tracing.
type requestTrace struct {
	tracer   *Tracer
	ctx      context.Context // holds span
	span     trace.Span      // of the whole request
	upstream trace.Span      // nil but while an upstream is asked
}

// begin opens the span of a request. What the client says of its own trace
// (W3C traceparent) is its parent; the sampler decides whether its wish to be recorded
// counts.
func (t *Tracer) begin(w *Writer, r *http.Request) *http.Request {
	ctx := t.carrier.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, foldMethod(r.Method), trace.WithSpanKind(trace.SpanKindServer))
	w.record.trace = &requestTrace{tracer: t, ctx: ctx, span: span}
	return r.WithContext(ctx)
}

// end closes the span of a request with what became of it. Attributes hold what the
// access line holds, and no more: no query, no header, nothing of a token but its key.
func (t *requestTrace) end(rec *Record, req request, status int, aborted bool) {
	t.answered(0, "aborted") // an upstream that was still being asked
	if !t.span.IsRecording() {
		t.span.End()
		return
	}
	t.span.SetName(foldMethod(req.method) + " " + valid(orNone(rec.Route)))
	attrs := []attribute.KeyValue{
		attribute.String("http.request.method", foldMethod(req.method)),
		attribute.String("url.path", shownPath(req.path)),
		attribute.Int("http.response.status_code", status),
		attribute.String("tollgate.route", valid(orNone(rec.Route))),
		attribute.String("tollgate.decision", foldDecision(rec.Decision)),
		attribute.String("tollgate.request_id", rec.RequestID),
	}
	if rec.Reason != "" {
		attrs = append(attrs, attribute.String("tollgate.reason", cut(escapeControl(rec.Reason), maxLoggedPath)))
	}
	if rec.Decision == Error || status >= http.StatusInternalServerError || aborted {
		t.span.SetStatus(codes.Error, "")
	}
	t.span.SetAttributes(attrs...)
	t.span.End()
}

func (t *requestTrace) answered(status int, class string) {
	span := t.upstream
	if span == nil {
		return
	}
	t.upstream = nil
	if status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if class != "" {
		span.SetAttributes(attribute.String("error.type", class))
	}
	if class != "" || status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// TraceID returns the id of the request's trace, empty without tracing.
func (r *Record) TraceID() string {
	if r.trace == nil {
		return ""
	}
	return r.trace.span.SpanContext().TraceID().String()
}

// sampledTrace is the id of a trace that is recorded: what an exemplar can lead to.
func (r *Record) sampledTrace() string {
	if r.trace == nil || !r.trace.span.SpanContext().IsSampled() {
		return ""
	}
	return r.TraceID()
}

// Measured reports whether this request's stages are to be timed: one in 64, and those
// of which spans are made. The id is random, so this costs no count and no clock.
func (r *Record) Measured() bool {
	return len(r.RequestID) > 1 && r.RequestID[0] == '0' && r.RequestID[1] < '4' || r.Traced()
}

// Traced reports whether spans are made of this request.
func (r *Record) Traced() bool { return r.trace != nil }

// Check opens the span of a token's check; what it returns closes it, with the reason
// of a refusal or nothing. Only for requests that are Traced.
func (r *Record) Check() (done func(reason string)) {
	_, span := r.trace.tracer.tracer.Start(r.trace.ctx, "authenticate")
	return func(reason string) {
		verdict := Allow
		if reason != "" {
			verdict = Deny
			span.SetAttributes(attribute.String("tollgate.reason", fold(reasons(), reason)))
		}
		span.SetAttributes(attribute.String("tollgate.verdict", verdict))
		span.End()
	}
}

// Ask opens the span of the request to an upstream and names it in the header that the
// upstream gets, as the parent of whatever it does (W3C traceparent and tracestate).
// Without tracing the header stays as it is: what the client sent goes on.
func (r *Record) Ask(upstream string, h http.Header) {
	t := r.trace
	if t == nil {
		return
	}
	ctx, span := t.tracer.tracer.Start(t.ctx, "upstream "+valid(upstream), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("tollgate.upstream", valid(upstream))))
	t.upstream = span
	h.Del("Tracestate") // that of a client whose traceparent was no good goes with it (W3C Trace Context section 3.3)
	t.tracer.carrier.Inject(ctx, propagation.HeaderCarrier(h))
}

// Answered closes the span that Ask opened: with the status of the answer, or with the
// class of what went wrong (UpstreamConnect and so on).
func (r *Record) Answered(status int, class string) {
	if r.trace != nil {
		r.trace.answered(status, class)
	}
}
