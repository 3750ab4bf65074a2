package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync/atomic"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// Config of a Gateway. Verifier, Revocations and Routes are required.
type Config struct {
	Verifier    *token.Verifier
	Revocations token.Checker
	Routes      *Table
	// Schemes of the Authorization header; default Bearer.
	Schemes []string
	// Builtin identity headers: their names are stripped on every route.
	Builtin []IdentityHeader
	// TrustedProxies whose X-Forwarded-* are believed; default nobody.
	TrustedProxies TrustedProxies
	Log            *slog.Logger
	Metrics        *telemetry.Metrics
}

// Gateway answers every request that no row of the issuer takes. It is an
// http.Handler and safe for concurrent use.
type Gateway struct {
	verifier    *token.Verifier
	revocations token.Checker
	schemes     []string
	trusted     TrustedProxies
	log         *slog.Logger
	metrics     *telemetry.Metrics
	strip       stripSet
	table       atomic.Pointer[Table]
	transport   *http.Transport
	reverse     *httputil.ReverseProxy
}

// New returns a Gateway.
func New(c Config) (*Gateway, error) {
	if c.Verifier == nil || c.Revocations == nil || c.Routes == nil {
		return nil, errors.New("gateway: a verifier, revocations and routes are required")
	}
	if len(c.Schemes) == 0 {
		c.Schemes = []string{"Bearer"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		verifier: c.Verifier, revocations: c.Revocations, schemes: c.Schemes, trusted: c.TrustedProxies,
		log: c.Log, metrics: c.Metrics, strip: newStripSet(c.Routes.Routes(), c.Builtin), transport: newTransport(),
	}
	g.table.Store(c.Routes)
	g.reverse = g.newProxy()
	return g, nil
}

// Close gives up the idle connections to the back ends.
func (g *Gateway) Close() { g.transport.CloseIdleConnections() }

// ServeHTTP takes one request from its route to the back end or to a refusal.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	record := telemetry.From(w)
	route, allow := g.table.Load().Match(r.Host, r.URL.Path, r.Method)
	if route == nil {
		g.noRoute(w, r, record, allow)
		return
	}
	record.Route, record.Upstream = route.Name, route.Upstream.Name
	id, refusal := g.admit(r, route)
	if id != nil {
		record.Subject, record.JTI, record.KeyID = id.Subject, id.JTI, id.KeyID
	}
	if refusal != nil {
		g.refuse(w, record, refusal)
		return
	}
	record.Decision = "allow"
	g.proxy(w, r, &exchange{route: route, identity: id, record: record})
}

// admit answers who calls. On a refusal the identity is that of a token whose
// signature was good, for the log line alone.
func (g *Gateway) admit(r *http.Request, route *Route) (*token.Identity, *problem.Refusal) {
	if route.Mode == None {
		return nil, nil
	}
	raw, refusal := problem.Bearer(r.Header, g.schemes)
	if refusal != nil {
		return nil, refusal
	}
	if raw == "" {
		if route.Mode == Optional {
			return nil, nil
		}
		return nil, problem.Missing()
	}
	id, err := g.verifier.Authenticate(r.Context(), raw, &route.Policy, g.revocations)
	if err == nil {
		return id, nil
	}
	var refused *token.Refusal
	if !errors.As(err, &refused) {
		refused = &token.Refusal{Reason: token.ReasonUnavailable, Fault: "the token could not be checked", Err: err}
	}
	if refused.Err != nil {
		g.log.Warn("a token could not be checked", "route", route.Name, "fault", refused.Fault, "error", refused.Err)
	}
	return refused.Token, problem.OfToken(refused, route.Policy.TokenTypes, route.Policy.Scopes)
}

func (g *Gateway) refuse(w http.ResponseWriter, record *telemetry.Record, refusal *problem.Refusal) {
	record.Decision, record.Reason = "deny", string(refusal.Reason)
	record.Error = string(refusal.Fault)
	refusal.Write(w)
}
