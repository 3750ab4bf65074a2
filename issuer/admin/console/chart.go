package console

import (
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

type reason struct {
	Name  string
	Count uint64
	Share float64 // of the longest bar, 0 to 100
}

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
	counts := map[string]uint64{}
	for chunk := range slices.Chunk(samples, per) {
		var one column
		for _, s := range chunk {
			one.Requests += s.Requests
			for name, n := range s.Denied {
				one.RefusedAll += n
				counts[name] += n
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
	c.rank(counts)
	return c
}

// scale gives the columns their places. They stand at the right edge: now is there.
func (c *chart) scale() {
	slot := chartWidth / maxColumns
	for i := range c.Columns {
		one := &c.Columns[i]
		one.W = slot - 2
		one.X = chartWidth - float64(len(c.Columns)-i)*slot + 1
		if c.Peak > 0 {
			one.H = chartHeight * float64(one.Requests) / float64(c.Peak)
			one.RefusedH = chartHeight * float64(one.RefusedAll) / float64(c.Peak)
		}
		one.Y, one.RefusedY = chartHeight-one.H, chartHeight-one.RefusedH
	}
}

func (c *chart) rank(counts map[string]uint64) {
	for name, n := range counts {
		c.Reasons = append(c.Reasons, reason{Name: name, Count: n})
	}
	slices.SortFunc(c.Reasons, func(a, b reason) int {
		if a.Count != b.Count {
			return int(b.Count) - int(a.Count)
		}
		return strings.Compare(a.Name, b.Name)
	})
	for i := range c.Reasons {
		c.Reasons[i].Share = 100 * float64(c.Reasons[i].Count) / float64(c.Reasons[0].Count)
	}
}
