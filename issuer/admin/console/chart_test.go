package console

import (
	"testing"
	"time"
)

// TestChart: every column has its place, refusals are drawn by reason on one scale, and
// what was counted is counted once.
func TestChart(t *testing.T) {
	if chartOf(nil) != nil {
		t.Error("nothing was counted, and it is drawn")
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, n := range []int{1, 2, 59, 60, 61, 360} {
		var samples []sample
		var expired uint64
		for i := range n {
			s := sample{At: at.Add(time.Duration(i) * 10 * time.Second), Requests: 10, Denied: map[string]uint64{"expired": uint64(i % 4)}}
			if i == n-1 {
				s.Denied["revoked"] = 1
			}
			expired += uint64(i % 4)
			samples = append(samples, s)
		}
		c := chartOf(samples)
		if len(c.Columns) > maxColumns || c.Requests != uint64(10*n) || c.Refused != expired+1 || len(c.Reasons) != 2 {
			t.Fatalf("%d samples: %+v", n, c)
		}
		sums := map[string]uint64{}
		for _, r := range c.Reasons {
			for i, one := range r.Columns {
				if one.X != c.Columns[i].X || one.H < 0 || one.H > reasonHeight || one.Y < 0 || one.X < 0 || one.X+one.W > chartWidth {
					t.Errorf("%d samples, %s, column %d: %+v", n, r.Name, i, one)
				}
				sums[r.Name] += one.Requests
			}
			if sums[r.Name] != r.Count {
				t.Errorf("%d samples: %s is %d in all, its columns %d", n, r.Name, r.Count, sums[r.Name])
			}
		}
		if sums["expired"] != expired || sums["revoked"] != 1 || n > 4 && c.Reasons[0].Name != "expired" {
			t.Errorf("%d samples: %v, %s first", n, sums, c.Reasons[0].Name)
		}
	}
}

// TestLag: how near an edge is to closing its routes.
func TestLag(t *testing.T) {
	for _, c := range []struct {
		stale, closes string
		share         float64
		late          bool
	}{{"1s", "5s", 20, false}, {"0s", "5s", 1, false}, {"5s", "5s", 100, true}, {"9h0m0s", "5s", 100, true}} {
		if got := (edge{Stale: c.stale, ClosesAfter: c.closes}).Drawn(); got == nil || got.Share != c.share || got.Late != c.late {
			t.Errorf("%s of %s: %+v", c.stale, c.closes, got)
		}
	}
	for _, e := range []edge{{}, {Stale: "x", ClosesAfter: "5s"}, {Stale: "1s", ClosesAfter: "0s"}, {Stale: "-1s", ClosesAfter: "5s"}} {
		if got := e.Drawn(); got != nil {
			t.Errorf("%+v: %+v", e, got)
		}
	}
}
