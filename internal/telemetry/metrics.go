package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build says which program is running.
type Build struct {
	Version  string
	Revision string
}

// Metrics is tollgate's own Prometheus registry and what is counted in it. Every
// method may be called by any goroutine and on a nil *Metrics, which counts
// nothing.
type Metrics struct {
	registry *prometheus.Registry

	requests    *family[requestKey, series]
	denied      *family[[2]string, prometheus.Counter] // route, reason
	failOpen    *family[[2]string, prometheus.Counter] // route, mode
	reloads     *family[string, prometheus.Counter]
	lastReload  prometheus.Gauge
	wouldDeny   *family[[2]string, prometheus.Counter] // route, reason
	issued      *family[[2]string, prometheus.Counter] // kind, grant
	logins      *family[string, prometheus.Counter]
	refreshes   *family[string, prometheus.Counter]
	revocations *family[[2]string, prometheus.Counter] // kind, source
	upstreams   *family[[2]string, prometheus.Counter] // upstream, reason
	redis       *family[string, prometheus.Counter]
	spent       *family[string, prometheus.Counter] // spent refresh tokens that came back, by result
	admin       *family[adminKey, prometheus.Counter]
	timings     timings
	lastSuccess prometheus.Gauge
	adminDenied *family[string, prometheus.Counter]
	auditLost   prometheus.Counter
}

// adminKey holds the label values of a request to the admin API.
type adminKey struct {
	endpoint, role string
	code           int
}

// requestKey holds the label values of a request, already folded.
type requestKey struct {
	route, method, decision string
	code                    int
}

// series is what one request adds to.
type series struct {
	count    prometheus.Counter
	duration *histogram
}

// NewMetrics returns metrics with a registry of their own, the Go runtime's and
// the process's collectors included.
func NewMetrics(b Build) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.buildInfo(b)
	m.timings = newTimings()
	m.registry.MustRegister(m.timings.requests, m.timings.auth, m.timings.upstream, m.timings.redis)
	m.requests = m.requestFamily()
	m.failOpen = m.pairs("tollgate_revocation_fail_mode_total",
		"Requests whose token nobody could say to be revoked or not, by route and by what was done with them.", "route", "mode")
	m.reloads = m.single("tollgate_config_reloads_total", "Times that routes and trusted issuers were read anew, by result.",
		"result", []string{"success", "failure"})
	m.lastReload = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tollgate_config_last_reload_successful", Help: "1 when the last reading of routes and trusted issuers succeeded.",
	})
	m.lastReload.Set(1) // a start without success ends at once
	m.lastSuccess = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tollgate_config_last_reload_success_timestamp_seconds", Help: "When routes and trusted issuers were last read with success.",
	})
	m.lastSuccess.SetToCurrentTime()
	m.registry.MustRegister(m.lastReload, m.lastSuccess)
	m.wouldDeny = m.pairs("tollgate_auth_would_deny_total",
		"Requests that a report-only route let through although their credential is refused elsewhere, by route and reason.", "route", "reason")
	m.denied = m.pairs("tollgate_auth_denied_total",
		"Requests refused for their credential, by route and reason.", "route", "reason")
	m.issued = m.pairs("tollgate_tokens_issued_total", "Tokens signed.", "kind", "grant")
	m.logins = m.single("tollgate_login_attempts_total", "Attempts to log in.", "result", loginResults())
	m.refreshes = m.single("tollgate_refresh_total", "Attempts to refresh.", "result", refreshResults())
	m.spent = m.single("tollgate_refresh_reuse_total", "Spent refresh tokens that came back: answered once more within the grace, or denied and the session ended.",
		"result", []string{"grace", "denied"})
	m.admin = m.adminFamily()
	m.revocations = m.pairs("tollgate_revocations_total", "Revocations made here.", "kind", "source")
	m.upstreams = m.pairs("tollgate_upstream_errors_total",
		"Requests that an upstream did not answer as it should.", "upstream", "reason")
	m.redis = m.single("tollgate_redis_errors_total",
		"Redis commands that failed, by command; dial counts connections.", "op", []string{"dial", "evalsha"})
	m.adminCounters()
	return m
}

// Register adds a collector, such as the gauges of another package.
func (m *Metrics) Register(c ...prometheus.Collector) error {
	if m == nil {
		return nil
	}
	for _, one := range c {
		if err := m.registry.Register(one); err != nil {
			return err
		}
	}
	return nil
}

// Registry is where all of it is registered; nil for a nil *Metrics.
func (m *Metrics) Registry() *prometheus.Registry {
	if m == nil {
		return nil
	}
	return m.registry
}

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry: m.registry, MaxRequestsInFlight: 4, EnableOpenMetrics: true,
	})
}

// Denied counts a refusal. [Handler] does it for every Record whose Decision is
// Deny.
func (m *Metrics) Denied(route, reason string) {
	if m != nil {
		m.denied.get([2]string{orNone(route), fold(reasons(), reason)}).Inc()
	}
}

// FailedOpen counts a request that a route with on_unavailable: allow let through.
func (m *Metrics) FailedOpen(route string) {
	if m != nil {
		m.failOpen.get([2]string{orNone(route), "allow"}).Inc()
	}
}

// Reloaded notes that the configuration was read anew, with or without success.
func (m *Metrics) Reloaded(ok bool) {
	if m == nil {
		return
	}
	result, value := "success", 1.0
	if !ok {
		result, value = "failure", 0
	}
	m.reloads.get(result).Inc()
	m.lastReload.Set(value)
	if ok {
		m.lastSuccess.SetToCurrentTime()
	}
}

// Issued counts a token that was signed: TokenAccess, GrantPassword and so on.
func (m *Metrics) Issued(kind, grant string) {
	if m != nil {
		m.issued.get([2]string{fold(tokenKinds(), kind), fold(grants(), grant)}).Inc()
	}
}

// Login counts an attempt to log in: LoginSuccess and so on.
func (m *Metrics) Login(result string) {
	if m != nil {
		m.logins.get(fold(loginResults(), result)).Inc()
	}
}

// Refresh counts an attempt to refresh: RefreshRotated and so on.
func (m *Metrics) Refresh(result string) {
	if m != nil {
		m.refreshes.get(fold(refreshResults(), result)).Inc()
		switch result {
		case RefreshReplayed:
			m.spent.get("grace").Inc()
		case RefreshReuse:
			m.spent.get("denied").Inc()
		}
	}
}

// AdminRequest counts a request to the admin API: the path of its row as the row is
// written, the role of who asked (none where nobody could be told), the status.
func (m *Metrics) AdminRequest(endpoint, role string, status int) {
	if m != nil {
		m.admin.get(adminKey{orNone(endpoint), fold(roles(), role), status}).Inc()
	}
}

// Revoked counts a revocation: a kind of the interface, SourceAPI and so on.
func (m *Metrics) Revoked(kind, source string) {
	if m != nil {
		m.revocations.get([2]string{fold(revocationKinds(), kind), fold(revocationSources(), source)}).Inc()
	}
}

// UpstreamError counts a request that an upstream failed: UpstreamConnect and so
// on. The upstream's name is that of the configuration.
func (m *Metrics) UpstreamError(upstream, reason string) {
	if m != nil {
		m.upstreams.get([2]string{orNone(upstream), fold(upstreamReasons(), reason)}).Inc()
	}
}

// RedisError counts a command that failed, by its name in lower case, or "dial"
// or "pipeline".
func (m *Metrics) RedisError(op string) {
	if m != nil {
		m.redis.get(fold(redisOps(), op)).Inc()
	}
}

// request counts one finished request.
func (m *Metrics) request(rec *Record, method string, status int, took time.Duration) {
	if m == nil {
		return
	}
	s := m.requests.get(requestKey{
		route: orNone(rec.Route), method: foldMethod(method), code: status,
		decision: foldDecision(rec.Decision),
	})
	s.count.Inc()
	s.duration.observe(took, rec.sampledTrace())
	switch {
	case rec.Reason == "":
	case rec.Decision == Deny:
		m.Denied(rec.Route, rec.Reason)
		if rec.Reason == reasonUnavailable {
			m.failOpen.get([2]string{orNone(rec.Route), "deny"}).Inc()
		}
	case rec.Decision == Report:
		m.wouldDeny.get([2]string{orNone(rec.Route), fold(reasons(), rec.Reason)}).Inc()
	}
}

func (m *Metrics) buildInfo(b Build) {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tollgate_build_info", Help: "The running program; the value is always 1.",
		ConstLabels: prometheus.Labels{
			"version": b.Version, "revision": b.Revision, "go_version": runtime.Version(),
		},
	})
	info.Set(1)
	m.registry.MustRegister(info)
}

// requestFamily counts requests; each series holds its histogram at hand.
func (m *Metrics) requestFamily() *family[requestKey, series] {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tollgate_requests_total", Help: "Requests answered, by the route's name.",
	}, []string{"route", "method", "code", "decision"})
	m.registry.MustRegister(count)
	return newFamily(func(k requestKey) series {
		return series{
			count:    count.WithLabelValues(valid(k.route), k.method, strconv.Itoa(k.code), k.decision),
			duration: m.timings.requests.children.get([2]string{k.route, k.method}),
		}
	})
}

// adminFamily counts what the admin API was asked.
func (m *Metrics) adminFamily() *family[adminKey, prometheus.Counter] {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tollgate_admin_requests_total", Help: "Requests to the admin API, by endpoint and by the role of who asked.",
	}, []string{"endpoint", "role", "code"})
	m.registry.MustRegister(vec)
	return newFamily(func(k adminKey) prometheus.Counter {
		return vec.WithLabelValues(valid(k.endpoint), k.role, strconv.Itoa(k.code))
	})
}

// pairs registers a counter with two labels.
func (m *Metrics) pairs(name, help, first, second string) *family[[2]string, prometheus.Counter] {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{first, second})
	m.registry.MustRegister(vec)
	return newFamily(func(k [2]string) prometheus.Counter {
		return vec.WithLabelValues(valid(k[0]), k[1])
	})
}

// single registers a counter with one label and shows the given values from the
// start, at 0: a rate needs a first sample.
func (m *Metrics) single(name, help, label string, values []string) *family[string, prometheus.Counter] {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	m.registry.MustRegister(vec)
	f := newFamily(func(v string) prometheus.Counter { return vec.WithLabelValues(v) })
	for _, v := range values {
		f.get(v)
	}
	return f
}
