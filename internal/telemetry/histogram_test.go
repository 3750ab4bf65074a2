package telemetry

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"
)

var testBounds = []float64{.0005, .001, .01, .1, 1, 10}

// theirs is the library's own histogram of the same shape.
func theirs() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "x", Help: "x", Buckets: testBounds, NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: zeroThreshold,
	})
}

func written(t *testing.T, h *histogram) *dto.Metric {
	t.Helper()
	var out dto.Metric
	h.write(&out)
	return &out
}

// buckets returns the native counts by their index.
func buckets(h *dto.Histogram) map[int32]int64 {
	out := map[int32]int64{}
	key, count, at := int32(0), int64(0), 0
	for _, span := range h.PositiveSpan {
		key += span.GetOffset()
		for range span.GetLength() {
			if count += h.PositiveDelta[at]; count != 0 {
				out[key] = count
			}
			key++
			at++
		}
	}
	return out
}

// TestHistogramIsTheLibrarys: the same observations give the same buckets, of both
// kinds, the bounds of buckets included.
func TestHistogramIsTheLibrarys(t *testing.T) {
	var values []time.Duration
	for at := -30; at < 36; at++ { // each doubling from 1 ns, and what is beside it
		edge := time.Duration(math.Ldexp(1, at) * float64(time.Second))
		if edge < 24*time.Hour {
			values = append(values, edge-1, edge, edge+1)
		}
	}
	for _, bound := range testBounds {
		edge := time.Duration(bound * float64(time.Second))
		values = append(values, edge-1, edge, edge+1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		values = append(values, time.Duration(math.Exp(random.NormFloat64()*4-6)*float64(time.Second)))
	}
	ours, library := newHistogram(testBounds), theirs()
	for _, v := range values {
		v = min(max(v, 0), 24*time.Hour)
		ours.observe(v, "")
		library.Observe(v.Seconds())
	}
	var want dto.Metric
	if err := library.Write(&want); err != nil {
		t.Fatal(err)
	}
	got := written(t, ours)
	opts := []cmp.Option{
		protocmp.Transform(), protocmp.IgnoreFields(&dto.Histogram{}, "created_timestamp", "sample_sum", "positive_span", "positive_delta"),
	}
	if d := cmp.Diff(&want, got, opts...); d != "" {
		t.Errorf("not what the library counts (-library +ours):\n%s", d)
	}
	// Runs of buckets may be cut differently: the library bridges short gaps.
	if d := cmp.Diff(buckets(want.Histogram), buckets(got.Histogram)); d != "" {
		t.Errorf("not the library's native buckets (-library +ours):\n%s", d)
	}
	if got, want := got.Histogram.GetSampleSum(), want.Histogram.GetSampleSum(); math.Abs(got-want) > 1e-6*want {
		t.Errorf("sum %v, the library's %v", got, want)
	}
}

func TestHistogramEnds(t *testing.T) {
	h := newHistogram(testBounds)
	if m := written(t, h).Histogram; m.GetSampleCount() != 0 || len(m.PositiveSpan) != 1 {
		t.Errorf("empty: %v", m)
	}
	h.observe(-time.Second, "")        // a clock that was set back
	h.observe(math.MaxInt64, "")       // 292 years
	h.observe(40*24*time.Hour, "")     // a WebSocket
	h.observe(3*time.Millisecond, "t") // the only one with a trace
	m := written(t, h).Histogram
	if m.GetSampleCount() != 4 || m.GetZeroCount() != 1 {
		t.Errorf("count %d, zero %d", m.GetSampleCount(), m.GetZeroCount())
	}
	var traces []string
	for _, b := range m.Bucket {
		if b.Exemplar != nil {
			traces = append(traces, b.Exemplar.Label[0].GetValue())
		}
	}
	if len(traces) != 1 || traces[0] != "t" {
		t.Errorf("exemplars %v", traces)
	}
}

// TestHistogramUnderScrapes: whatever the moment, the parts fit together, or
// Prometheus rejects the whole scrape.
func TestHistogramUnderScrapes(t *testing.T) {
	h := newHistogram(testBounds)
	const writers, each = 4, 5000
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range each {
				h.observe(time.Duration(i)*time.Microsecond, "")
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		m := written(t, h).Histogram
		sum, last := m.GetZeroCount(), int64(0)
		for _, d := range m.PositiveDelta {
			last += d
			sum += uint64(last)
		}
		if sum != m.GetSampleCount() {
			t.Fatalf("native buckets hold %d of %d", sum, m.GetSampleCount())
		}
		if most := m.Bucket[len(m.Bucket)-1].GetCumulativeCount(); most > m.GetSampleCount() {
			t.Fatalf("classic buckets hold %d of %d", most, m.GetSampleCount())
		}
	}
	if n := written(t, h).Histogram.GetSampleCount(); n != writers*each {
		t.Errorf("%d observations, want %d", n, writers*each)
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	h := newHistogram(testBounds)
	h.observe(3*time.Millisecond, "")
	if n := testing.AllocsPerRun(100, func() { h.observe(3*time.Millisecond, "") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	h := newHistogram(testBounds)
	classic := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", Help: "x", Buckets: testBounds})
	both := theirs()
	for name, observe := range map[string]func(time.Duration){
		"ours":    func(d time.Duration) { h.observe(d, "") },
		"classic": func(d time.Duration) { classic.Observe(d.Seconds()) },
		"library": func(d time.Duration) { both.Observe(d.Seconds()) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				observe(3 * time.Millisecond)
			}
		})
	}
}
