package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"tollgate/keys/token"
)

// authenticate checks the token of the exchange. The stages are timed only for requests
// that are sampled for measuring; for all others this costs one comparison.
func (g *Gateway) authenticate(r *http.Request, x *exchange) (*token.Identity, error) {
	if !x.record.Measured() {
		return g.verifier.Authenticate(r.Context(), x.credential.raw, &x.route.Policy, g.revocations)
	}
	if !x.record.Traced() {
		return g.verifier.AuthenticateTimed(r.Context(), x.credential.raw, &x.route.Policy, g.revocations, g.metrics.AuthStage)
	}
	done := x.record.Check()
	id, err := g.verifier.AuthenticateTimed(r.Context(), x.credential.raw, &x.route.Policy, g.revocations, g.metrics.AuthStage)
	done(reasonOf(err))
	return id, err
}

// reasonOf is why a token was refused; empty when it was not.
func reasonOf(err error) string {
	var refused *token.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return string(refused.Reason)
	}
	return string(token.ReasonUnavailable)
}

// asking is when the upstream was asked; zero for requests that are not measured.
func (x *exchange) asking() time.Time {
	if !x.record.Measured() {
		return time.Time{}
	}
	return time.Now()
}

// answeredBy notes that the head of the upstream's answer is there.
func (x *exchange) answeredBy(asked time.Time, status int) {
	if asked.IsZero() {
		return
	}
	x.gateway.metrics.UpstreamAnswered(x.route.Upstream.Name(), time.Since(asked))
	x.record.Answered(status, "")
}

// unanswered notes that there was no answer.
func (x *exchange) unanswered(asked time.Time, r *http.Request, err error) {
	if !asked.IsZero() {
		x.record.Answered(0, classify(r, err).class)
	}
}

// log is the gateway's, with the trace of the exchange where there is one.
func (x *exchange) log() *slog.Logger {
	if id := x.record.TraceID(); id != "" {
		return x.gateway.log.With("trace_id", id)
	}
	return x.gateway.log
}
