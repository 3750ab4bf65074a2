package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Size of a chart in the units of its view box, and how many columns it has at most.
const (
	chartWidth  = 720.0
	chartHeight = 160.0
	maxColumns  = 60
)

// chart is requests and refusals over time, ready to be drawn.
type chart struct {
	Width, Height float64
	Columns       []column
	Peak          uint64
	Requests      uint64
	Refused       uint64
	Reasons       []reason
	From, To      time.Time
	Every         string // what one column stands for
}

// column is one bar: all requests, and in front of them those refused.
type column struct {
	X, W                 float64
	Y, H                 float64
	RefusedY, RefusedH   float64
	Label                string
	Requests, RefusedAll uint64
}

// reason is one line of refusals over time, on the time of the columns.
type reason struct {
	Name          string
	Count         uint64
	Most          uint64 // in one column
	Width, Height float64
	Columns       []column
}

// reasonHeight is that of such a line. All have one scale: what is longer is more.
const reasonHeight = 24.0

// chartOf draws samples; nil when there are none.
func chartOf(samples []sample) *chart {
	if len(samples) == 0 {
		return nil
	}
	per := (len(samples) + maxColumns - 1) / maxColumns
	c := &chart{Width: chartWidth, Height: chartHeight, To: samples[len(samples)-1].At, From: samples[0].At}
	if len(samples) > 2 { // the last one is not over yet
		step := samples[1].At.Sub(samples[0].At)
		c.Every = length(step * time.Duration(per))
		c.From = c.From.Add(-step)
	}
	reasons := map[string]*reason{}
	for chunk := range slices.Chunk(samples, per) {
		var one column
		for _, s := range chunk {
			one.Requests += s.Requests
			for name, n := range s.Denied {
				one.RefusedAll += n
				if reasons[name] == nil {
					reasons[name] = &reason{Name: name, Columns: make([]column, (len(samples)+per-1)/per)}
				}
				reasons[name].Columns[len(c.Columns)].Requests += n
			}
		}
		one.Label = fmt.Sprintf("%s: %s, %d refused", chunk[len(chunk)-1].At.UTC().Format("15:04:05 UTC"),
			plural(int(one.Requests), "request", "requests"), one.RefusedAll)
		c.Requests += one.Requests
		c.Refused += one.RefusedAll
		c.Peak = max(c.Peak, one.Requests, one.RefusedAll)
		c.Columns = append(c.Columns, one)
	}
	c.scale()
	c.rank(reasons)
	return c
}

// scale gives the columns their places. They stand at the right edge: now is there.
func (c *chart) scale() {
	for i := range c.Columns {
		one := &c.Columns[i]
		one.X, one.W = placeOf(i, len(c.Columns))
		if c.Peak > 0 {
			one.H = chartHeight * float64(one.Requests) / float64(c.Peak)
			one.RefusedH = chartHeight * float64(one.RefusedAll) / float64(c.Peak)
		}
		one.Y, one.RefusedY = chartHeight-one.H, chartHeight-one.RefusedH
	}
}

func placeOf(i, all int) (x, width float64) {
	const slot = chartWidth / maxColumns
	return chartWidth - float64(all-i)*slot + 1, slot - 2
}

// rank puts the reasons in order, the most frequent first, and draws each.
func (c *chart) rank(reasons map[string]*reason) {
	var most uint64
	for _, r := range reasons {
		for _, one := range r.Columns {
			r.Count += one.Requests
			r.Most = max(r.Most, one.Requests)
		}
		most = max(most, r.Most)
		c.Reasons = append(c.Reasons, *r)
	}
	slices.SortFunc(c.Reasons, func(a, b reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	for i := range c.Reasons {
		r := &c.Reasons[i]
		r.Width, r.Height = chartWidth, reasonHeight
		for j := range r.Columns {
			one := &r.Columns[j]
			if one.X, one.W = placeOf(j, len(r.Columns)); most > 0 {
				one.H = reasonHeight * float64(one.Requests) / float64(most)
			}
			one.Y = reasonHeight - one.H
			at, _, _ := strings.Cut(c.Columns[j].Label, ": ")
			one.Label = fmt.Sprintf("%s: %d %s", at, one.Requests, r.Name)
		}
	}
}
