package telemetry

import (
	"math"
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The native half of a histogram: eight buckets to each doubling (schema 3, an error
// of at most 4.5%), from 8 µs to a day and a half. What is shorter is in the zero
// bucket, what is longer in the last.
const (
	nativeSchema = 3
	perOctave    = 1 << nativeSchema
	leastOctave  = -16 // its buckets end at 2^-17 to 2^-16 s
	mostOctave   = 17
	octaves      = mostOctave - leastOctave + 1
)

var zeroThreshold = math.Ldexp(1, leastOctave-1)

// octaveBounds are the upper bounds of the buckets of [0.5, 1), the lowest of which
// ends at 0.5 itself.
var octaveBounds = func() (out [perOctave]float64) {
	for i := range out {
		out[i] = math.Exp2(float64(i)/perOctave - 1)
	}
	return out
}()

// octave holds the counts of one doubling.
type octave [perOctave]atomic.Uint64

// histogram counts durations in classic and in native buckets at once. It stands in the
// path of every request: the library's own takes twice as long for both, this is three
// atomic additions without a lock, less than the library's classic half alone. Memory
// comes with the doublings that are met.
type histogram struct {
	bounds  []float64 // upper, in seconds, rising
	classic []atomic.Uint64
	zero    atomic.Uint64
	native  [octaves]atomic.Pointer[octave]
	sum     atomic.Int64 // nanoseconds
	// exemplars stand beside the classic buckets; nil without tracing, in whose
	// absence there are none.
	exemplars []atomic.Pointer[exemplar]
	since     time.Time
}

// exemplar is one observation with the trace that it belongs to.
type exemplar struct {
	trace string
	value float64
	at    time.Time
}

func newHistogram(bounds []float64) *histogram {
	return &histogram{
		bounds: bounds, classic: make([]atomic.Uint64, len(bounds)+1), since: time.Now(),
		exemplars: make([]atomic.Pointer[exemplar], len(bounds)+1),
	}
}

// observe counts one duration. Trace is the id of its trace, empty for none.
func (h *histogram) observe(took time.Duration, trace string) {
	took = max(took, 0)
	v := took.Seconds()
	h.sum.Add(int64(took))
	// The native half first, as it is read last: a scrape in between finds no classic
	// count that the total lacks.
	if v <= zeroThreshold {
		h.zero.Add(1)
	} else {
		frac, exp := math.Frexp(v)
		i := 0
		for i < perOctave && octaveBounds[i] < frac {
			i++
		}
		if i == perOctave { // the first bucket of the next doubling ends at its beginning
			i, exp = 0, exp+1
		}
		at := exp - leastOctave
		if at >= octaves {
			at, i = octaves-1, perOctave-1
		}
		h.octave(at)[i].Add(1)
	}
	at := 0
	for at < len(h.bounds) && h.bounds[at] < v {
		at++
	}
	h.classic[at].Add(1)
	if trace != "" {
		h.exemplars[at].Store(&exemplar{trace: trace, value: v, at: time.Now()})
	}
}

func (h *histogram) octave(at int) *octave {
	if o := h.native[at].Load(); o != nil {
		return o
	}
	h.native[at].CompareAndSwap(nil, &octave{}) // whoever was first
	return h.native[at].Load()
}

// write puts the counts into the library's form.
func (h *histogram) write(out *dto.Metric) {
	cumulative, counts := uint64(0), make([]uint64, len(h.bounds))
	for i := range h.bounds {
		cumulative += h.classic[i].Load()
		counts[i] = cumulative
	}
	zero := h.zero.Load()
	spans, deltas, total := h.spans()
	total += zero
	metric := &dto.Histogram{
		SampleCount: proto.Uint64(total), SampleSum: proto.Float64(time.Duration(h.sum.Load()).Seconds()),
		Schema: proto.Int32(nativeSchema), ZeroThreshold: proto.Float64(zeroThreshold), ZeroCount: proto.Uint64(zero),
		PositiveSpan: spans, PositiveDelta: deltas, CreatedTimestamp: timestamppb.New(h.since),
	}
	if len(spans) == 0 && zero == 0 { // says that there is a native half although it is empty
		metric.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	for i, bound := range h.bounds {
		metric.Bucket = append(metric.Bucket, &dto.Bucket{
			UpperBound: proto.Float64(bound), CumulativeCount: proto.Uint64(min(counts[i], total)), Exemplar: h.exemplar(i),
		})
	}
	if last := h.exemplar(len(h.bounds)); last != nil {
		metric.Bucket = append(metric.Bucket, &dto.Bucket{UpperBound: proto.Float64(math.Inf(1)), CumulativeCount: proto.Uint64(total), Exemplar: last})
	}
	out.Histogram = metric
}

func (h *histogram) exemplar(at int) *dto.Exemplar {
	e := h.exemplars[at].Load()
	if e == nil {
		return nil
	}
	return &dto.Exemplar{
		Label: []*dto.LabelPair{{Name: proto.String("trace_id"), Value: proto.String(e.trace)}},
		Value: proto.Float64(e.value), Timestamp: timestamppb.New(e.at),
	}
}

// spans returns the native buckets that have counts: runs of them, and each count as
// its difference from the one before.
func (h *histogram) spans() (spans []*dto.BucketSpan, deltas []int64, total uint64) {
	next, before := int32(0), uint64(0)
	for at := range h.native {
		o := h.native[at].Load()
		if o == nil {
			continue
		}
		for i := range o {
			n := o[i].Load()
			if n == 0 {
				continue
			}
			key := int32((at+leastOctave-1)*perOctave + i)
			if len(spans) == 0 || key != next {
				spans = append(spans, &dto.BucketSpan{Offset: proto.Int32(key - next), Length: proto.Uint32(0)})
			}
			*spans[len(spans)-1].Length++
			deltas = append(deltas, int64(n)-int64(before))
			next, before, total = key+1, n, total+n
		}
	}
	return spans, deltas, total
}
