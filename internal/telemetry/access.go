package telemetry

import (
	"log/slog"
	"time"
)

// none stands in logs and metrics for a route or decision that there was not.
const none = "none"

// logAccess writes the line of one request. The fields up to remote are always
// there; the others only when they have a value.
func (h *handler) logAccess(w *Writer, req request, took time.Duration, aborted bool) {
	rec := &w.record
	attrs := make([]slog.Attr, 0, 20) // stays on the stack
	attrs = append(attrs,
		slog.String("route", orNone(rec.Route)),
		slog.String("method", cut(escapeControl(req.method), 32)),
		slog.String("path", shownPath(req.path)),
		slog.Int("status", w.status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.Int64("bytes", w.bytes),
		slog.String("decision", orNone(rec.Decision)),
		slog.String("request_id", rec.RequestID),
		slog.String("remote", escapeControl(rec.Remote)),
	)
	for _, a := range [...]struct{ key, value string }{
		{"reason", rec.Reason},
		{"trace_id", rec.TraceID()},
		{"client_request_id", rec.ClientRequestID},
		{"sub", rec.Subject},
		{"act", rec.Actor},
		{"jti", rec.JTI},
		{"kid", rec.KeyID},
		{"upstream", rec.Upstream},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, cut(escapeControl(a.value), maxLoggedPath)))
		}
	}
	if rec.Error != "" {
		attrs = append(attrs, slog.String("error", Scrub(rec.Error)))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	h.Log.LogAttrs(req.ctx, slog.LevelInfo, "request", attrs...)
}

// shownPath is a path as it may be shown: without what looks like a token.
func shownPath(path string) string { return cut(escapeControl(maskTokens(path)), maxLoggedPath) }

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}
