package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/ratelimit"
	"tollgate/internal/telemetry"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// Config of a Gateway. Verifier, Revocations and Routes are required.
type Config struct {
	Verifier    *token.Verifier
	Revocations token.Checker
	Routes      *Table
	// Schemes of the Authorization header; default Bearer.
	Schemes []string
	// Profile whose statuses and bodies refusals have, and whose reading of the
	// Authorization header holds; default SimpleJWT.
	Profile problem.Profile
	// TrustedProxies whose X-Forwarded-* are believed; default nobody.
	TrustedProxies TrustedProxies
	// Limiter counts requests of routes with a rate; without it there are no rates.
	Limiter *ratelimit.Limiter
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// Gateway answers every request that no row of the issuer takes. It is an
// http.Handler and safe for concurrent use.
type Gateway struct {
	verifier    *token.Verifier
	revocations token.Checker
	schemes     []string
	profile     problem.Profile
	trusted     TrustedProxies
	limiter     *ratelimit.Limiter
	log         *slog.Logger
	metrics     *telemetry.Metrics
	streams     *streams
	pools       *pools
	reverse     *httputil.ReverseProxy
	patience    time.Duration // with a client that takes nothing of its answer
	// table is an immutable snapshot; Swap replaces it. Requests that are being
	// served keep the one they began with.
	table atomic.Pointer[Table]
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
		verifier: c.Verifier, revocations: c.Revocations, schemes: c.Schemes, profile: c.Profile, trusted: c.TrustedProxies, limiter: c.Limiter,
		log: c.Log, metrics: c.Metrics, streams: newStreams(c.Verifier, c.Revocations), pools: newPools(c.Log),
		patience: answerIdle,
	}
	g.reverse = g.newProxy()
	g.Swap(c.Routes)
	return g, nil
}

// Swap replaces the routing table. Upstreams whose settings did not change keep
// their connections and what is known of their health.
func (g *Gateway) Swap(t *Table) {
	g.pools.adopt(t)
	for _, r := range t.routes {
		if r.Policy.OnUnavailable == token.Allow {
			g.log.Warn("this route lets tokens through while Redis cannot be reached, revoked ones that are not known here included (revocation.on_unavailable: allow)", "route", r.Name)
			r.Policy.Uncertain = g.uncertain(r.Name)
		}
	}
	g.table.Store(t)
}

// uncertain counts what a route lets through without knowing, and says so in the
// log, though no more often than once a second.
func (g *Gateway) uncertain(route string) func(revocation.Verdict) {
	var last atomic.Int64
	return func(v revocation.Verdict) {
		g.metrics.FailedOpen(route)
		if now := time.Now().Unix(); last.Swap(now) != now {
			g.log.Warn("a token was let through although nobody can say whether it is revoked", "route", route, "error", v.Err)
		}
	}
}

// Table is the present routing table.
func (g *Gateway) Table() *Table { return g.table.Load() }

// Run checks the upstreams' health until ctx ends.
func (g *Gateway) Run(ctx context.Context) error { return g.pools.run(ctx) }

// Close gives up the idle connections to the back ends.
func (g *Gateway) Close() { g.pools.close() }

// Apply ends the open streams that records of the revocation feed name.
func (g *Gateway) Apply(records []revocation.Record) { g.streams.apply(records) }

// Recheck has every open stream asked about anew: the feed had a gap, or issuers
// or keys were replaced. It does not wait; [Gateway.RunStreams] does the asking.
// Requests that come while one is under way make one more after it.
func (g *Gateway) Recheck() { g.streams.ask() }

// RunStreams does what Recheck asks for, until ctx ends; then it returns nil. It is
// run once, and for as long as streams may be open: while the process drains, too.
func (g *Gateway) RunStreams(ctx context.Context) error { return g.streams.run(ctx) }

// OpenStreams returns how many WebSockets, event streams, gRPC calls and uploads of
// unknown length with a token are open.
func (g *Gateway) OpenStreams() int { return g.streams.count() }

// ServeHTTP takes one request from its route to the back end or to a refusal.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refusedMethod(r.Method) { // of a row that is not on this host
		g.table.Load().cors.apply(w.Header(), r)
		nobodysMethod(w, r)
		return
	}
	at, err := readTarget(r)
	if err != nil && !isForwardAuth(r.URL.Path) {
		g.table.Load().cors.apply(w.Header(), r)
		badTarget(w, err)
		return
	}
	g.serve(w, r, at)
}

// serve is ServeHTTP for a request whose target was read.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, at target) {
	record := telemetry.From(w)
	table := g.table.Load()
	if isForwardAuth(r.URL.Path) {
		g.forwardAuth(w, r)
		return
	}
	at.forward(r.URL)
	route, allow := table.Match(r.Host, at.path, r.Method)
	if isPreflight(r) && g.preflight(w, r, table, at) {
		return
	}
	if route == nil {
		table.cors.apply(w.Header(), r)
		noRoute(w, r, record, allow)
		return
	}
	record.Route, record.Upstream = route.Name, route.Upstream.Name()
	route.CORS.apply(w.Header(), r)
	if !table.permits(route, r.Host, at, r.Method) {
		badTarget(w, errPath)
		return
	}
	if !route.takesOverride(r.Header) {
		noRoute(w, r, record, route.Methods)
		return
	}
	if isWebSocket(r.Header) && route.WebSocket {
		if status, detail := checkWebSocket(r); status != 0 {
			record.Decision, record.Error = telemetry.Deny, "handshake"
			refuseUpgrade(w, status, detail)
			return
		}
	}
	if status, detail := route.Limits.within(w, r); status != 0 {
		malformed(w, status, "limit", detail)
		return
	}
	x := &exchange{route: route, table: table, record: record, gateway: g}
	if refusal := g.admit(r, x); refusal != nil {
		g.refuse(w, record, refusal)
		return
	}
	g.proxy(w, r, x)
}

// preflight answers for the route of the method that is asked about.
func (g *Gateway) preflight(w http.ResponseWriter, r *http.Request, table *Table, at target) bool {
	route, _ := table.Match(r.Host, at.path, r.Header.Get("Access-Control-Request-Method"))
	if route == nil {
		return false
	}
	telemetry.From(w).Route = route.Name
	return route.CORS.preflight(w, r, route.takes())
}

// admit decides whether a request may go on, and who calls: route, credential,
// token, origin, rate. On a report-only route it lets through what it would have
// refused for its credential, says so, and sets no identity. The rate holds there
// too: it guards the back end, which a trial of credentials must not lay open.
func (g *Gateway) admit(r *http.Request, x *exchange) *problem.Refusal {
	refusal := g.identify(r, x)
	if refusal != nil && x.route.ReportOnly {
		x.identity = nil
		x.record.Decision, x.record.Reason, x.record.Error = telemetry.Report, string(refusal.Reason), string(refusal.Fault)
		refusal = nil
	} else if refusal == nil {
		x.record.Decision = telemetry.Allow
	}
	if refusal != nil {
		return refusal
	}
	return g.throttle(r, x.route, x.identity)
}

// identify answers who calls.
func (g *Gateway) identify(r *http.Request, x *exchange) *problem.Refusal {
	route := x.route
	if route.Mode == None {
		return nil
	}
	cred, refusal := g.take(r, route.Carriers)
	if refusal != nil {
		return refusal
	}
	if cred.raw == "" {
		if route.Mode == Optional {
			return nil
		}
		return problem.Missing()
	}
	x.credential = cred
	if cred.from.kind == inCookie && !route.Origins.allows(r, x.opens(r), g.trusted.secure(r)) {
		return problem.ForeignOrigin()
	}
	id, err := g.authenticate(r, x)
	if err != nil {
		return g.refusal(err, x)
	}
	x.identify(id)
	if identityValues(route.Identity, id).nameless {
		// A back end that is told nothing could take the caller for nobody.
		return g.refusal(&token.Refusal{Reason: token.ReasonMalformed, Fault: "the caller's id cannot be written into a header", Token: id}, x)
	}
	return nil
}

// refusal translates an error of the verifier.
func (g *Gateway) refusal(err error, x *exchange) *problem.Refusal {
	var refused *token.Refusal
	if !errors.As(err, &refused) {
		refused = &token.Refusal{Reason: token.ReasonUnavailable, Fault: "the token could not be checked", Err: err}
	}
	if refused.Err != nil {
		x.log().Warn("a token could not be checked", "route", x.route.Name, "fault", refused.Fault, "error", refused.Err)
	}
	if refused.Token != nil { // its signature was good
		x.note(refused.Token)
	}
	return g.profile.OfToken(refused, x.route.Policy.TokenTypes, x.route.Policy.Scopes)
}

func (g *Gateway) refuse(w http.ResponseWriter, record *telemetry.Record, refusal *problem.Refusal) {
	record.Decision, record.Reason = telemetry.Deny, string(refusal.Reason)
	record.Error = string(refusal.Fault)
	refusal.Scheme = g.schemes[0]
	refusal.Write(w)
}
