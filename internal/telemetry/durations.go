package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// durations is a family of histograms, and their collector.
type durations[K comparable] struct {
	desc     *prometheus.Desc
	children *family[K, *histogram]
	labels   func(K) []*dto.LabelPair // sorted by name
}

func newDurations[K comparable](name, help string, bounds []float64, labels func(K) []*dto.LabelPair, names ...string) *durations[K] {
	return &durations[K]{
		desc: prometheus.NewDesc(name, help, names, nil), labels: labels,
		children: newFamily(func(K) *histogram { return newHistogram(bounds) }),
	}
}

// Describe implements prometheus.Collector.
func (d *durations[K]) Describe(out chan<- *prometheus.Desc) { out <- d.desc }

// Collect implements prometheus.Collector.
func (d *durations[K]) Collect(out chan<- prometheus.Metric) {
	for k, h := range d.children.all() {
		out <- durationMetric{d.desc, d.labels(k), h}
	}
}

// durationMetric is one histogram with its labels.
type durationMetric struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	of     *histogram
}

// Desc implements prometheus.Metric.
func (m durationMetric) Desc() *prometheus.Desc { return m.desc }

// Write implements prometheus.Metric.
func (m durationMetric) Write(out *dto.Metric) error {
	out.Label = m.labels
	m.of.write(out)
	return nil
}

// pair is a label with its value.
func pair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: proto.String(name), Value: proto.String(valid(value))}
}

// The stages of a check of a token, for [Metrics.AuthStage].
const (
	StageMemory     = "memory"     // found among the remembered ones
	StageParse      = "parse"      // strict form, header, claims, issuer
	StageKey        = "key"        // its key found, its algorithm fit
	StageSignature  = "signature"  // checked
	StageClaims     = "claims"     // times, audience, type, scopes
	StageRevocation = "revocation" // asked about
)

func stages() []string {
	return []string{StageMemory, StageParse, StageKey, StageSignature, StageClaims, StageRevocation}
}

// timings are the histograms.
type timings struct {
	requests *durations[[2]string] // route, method
	auth     *durations[string]    // stage
	upstream *durations[string]    // upstream
	redis    *durations[string]    // op
}

func newTimings() timings {
	one := func(label string) func(string) []*dto.LabelPair {
		return func(v string) []*dto.LabelPair { return []*dto.LabelPair{pair(label, v)} }
	}
	wide := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	return timings{
		requests: newDurations("tollgate_request_duration_seconds", "Time from header read to answer written.", wide,
			func(k [2]string) []*dto.LabelPair { return []*dto.LabelPair{pair("method", k[1]), pair("route", k[0])} }, "route", "method"),
		auth: newDurations("tollgate_auth_duration_seconds", "Time of each stage of a token's check, of one request in 64.",
			[]float64{.000001, .0000025, .000005, .00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .1}, one("stage"), "stage"),
		upstream: newDurations("tollgate_upstream_duration_seconds", "Time until the head of an upstream's answer, of one request in 64 and of those that are traced.",
			wide, one("upstream"), "upstream"),
		redis: newDurations("tollgate_redis_duration_seconds", "Time of Redis commands, by command; those that wait for records are left out.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}, one("op"), "op"),
	}
}

// AuthStage notes how long a stage of a token's check took: StageParse and so on.
func (m *Metrics) AuthStage(stage string, took time.Duration) {
	if m != nil {
		m.timings.auth.children.get(fold(stages(), stage)).observe(took, "")
	}
}

// UpstreamAnswered notes how long an upstream took to begin its answer. The name is
// that of the configuration.
func (m *Metrics) UpstreamAnswered(upstream string, took time.Duration) {
	if m != nil {
		m.timings.upstream.children.get(orNone(upstream)).observe(took, "")
	}
}

// RedisTook notes how long a command took, by its name in lower case, or "dial" or
// "pipeline". A blocking read is as long as nothing happens, and is left out.
func (m *Metrics) RedisTook(op string, took time.Duration) {
	if m != nil && op != "xread" {
		m.timings.redis.children.get(fold(redisOps(), op)).observe(took, "")
	}
}
