//go:build nightly

package revocationsim

import (
	"fmt"
	"testing"
	"time"
)

// TestSimulationOf300 is the full simulation, and smaller ones beside it, which show how
// the cost grows. docs/scale.md has the figures.
func TestSimulationOf300(t *testing.T) {
	for _, edges := range []int{30, 100, 300} {
		t.Run(fmt.Sprint(edges), func(t *testing.T) {
			simulate(t, plan{edges: edges, rate: 50, calm: 20 * time.Second, faults: 30 * time.Second, each: 200 * time.Millisecond, most: 8 * time.Second})
		})
	}
}
