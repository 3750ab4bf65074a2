//go:build bench

package bench

import (
	"cmp"
	"flag"
	"testing"
	"time"
)

var part = flag.Float64("bench.part", 0.25, "of the rate that the edge serves on its core, in the latency bench")

// TestBenchLatency asks at a part of the rate that a core serves, each client at its own
// times, and shows how long answers take from the back end itself, through nginx and
// the edge. The clients and the back end have the other core, which is full at half of
// that rate.
func TestBenchLatency(t *testing.T) {
	s := mustSite(t)
	s.warm["ES256"] = s.minters["ES256"].mustMint(t, s.dir, "warm", 1000)
	var rate float64
	for _, name := range []string{"tollgate", "nginx", ""} {
		addr := s.backend
		if name != "" {
			p := s.mustProxy(name, "ES256")
			if addr = p.addr; rate == 0 {
				rate = s.mustLoad(p, s.warm["ES256"], *conns, *seconds).Rate * *part
			}
			defer p.stop()
		}
		for range *rounds {
			times := s.mustPace(addr, rate)
			t.Logf("%.0f/s %-8s p50 %s, p90 %s, p99 %s, p99.9 %s", rate, cmp.Or(name, "direct"),
				share(times, 0.5), share(times, 0.9), share(times, 0.99), share(times, 0.999))
		}
	}
}

// share is the time within which that part of the answers came, which are in order.
func share(times []time.Duration, part float64) time.Duration {
	return times[int(float64(len(times)-1)*part)].Round(time.Microsecond)
}
