package telemetry

import "net/http"

// The decisions of a [Record].
const (
	Allow = "allow" // let through
	Deny  = "deny"  // refused, with a reason
	Error = "error" // not answered as it should have been, by our fault or the upstream's
	// Report is let through on a route that only reports what it would refuse.
	Report = "report"
)

// Record is what one request turned out to be. The handlers fill it while they
// work; the access line and the metrics are made of it when they are done. It
// belongs to the goroutine that serves the request.
//
// No field ever holds a token, a password, a cookie or a query string.
type Record struct {
	// Route is the name of the route or endpoint: from the configuration or a
	// constant, never made from the request, for it is a metric label. Empty is
	// shown as "none".
	Route string
	// Decision is Allow, Deny or Error; empty where nothing was to be decided,
	// shown as "none".
	Decision string
	// Reason is why: one of the refusal reasons, or a word of the endpoint's own.
	Reason string
	// Subject, JTI, KeyID and Actor are those of the verified token; never what an
	// unverified one claims.
	Subject string
	JTI     string
	KeyID   string
	// Actor is who acts in the subject's name, where somebody does.
	Actor string
	// RequestID is ours: 32 hex digits. Only the middleware sets it.
	RequestID string
	// ClientRequestID is the client's own, if it sent a harmless one. Only the
	// middleware sets it.
	ClientRequestID string
	// Remote is the client's address without port. The middleware sets it; a
	// handler that knows better may change it.
	Remote string
	// Upstream is the name of the upstream that was asked.
	Upstream string
	// Error is what went wrong, for the operator. It passes through [Scrub].
	Error string

	trace *requestTrace // nil without tracing
	id    [1]string     // RequestID once more, as headers have it; only the middleware sets it
}

// RequestIDHeader is the request id as the value of a header. It is made once for the
// answer and the request to an upstream: do not change it.
func (r *Record) RequestIDHeader() []string {
	if r.id[0] != r.RequestID { // a record without the middleware
		return []string{r.RequestID}
	}
	return r.id[:]
}

// From returns the record of the request that w answers, looking through every
// wrapper that has an Unwrap method (the rule of [http.ResponseController]). It
// is never nil: outside of [Handler] it is a record that nobody reads.
func From(w http.ResponseWriter) *Record {
	for {
		switch v := w.(type) {
		case *Writer:
			return &v.record
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return &Record{}
		}
	}
}
