//go:build bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBenchLatency asks at half the rate that a core serves, each client at its own
// times whether or not the answer before has come, and compares how long answers take
// with asking the back end itself.
func TestBenchLatency(t *testing.T) {
	s := mustSite(t)
	s.warm["ES256"] = s.minters["ES256"].mustMint(t, s.dir, "warm", 1000)
	p := s.mustProxy("tollgate", "ES256")
	defer p.stop()
	rate := s.mustLoad(p, s.warm["ES256"], *conns, *seconds).Rate / 2
	for range *rounds {
		direct := s.mustPace(s.backend, rate)
		through := s.mustPace(p.addr, rate)
		t.Logf("%.0f/s: p50 %s and %s, p90 %s and %s, p99 %s and %s, p99.9 %s and %s", rate,
			share(direct, 0.5), share(through, 0.5), share(direct, 0.9), share(through, 0.9), share(direct, 0.99), share(through, 0.99), share(direct, 0.999), share(through, 0.999))
	}
}

// share is the time within which that part of the answers came, which are in order.
func share(times []time.Duration, part float64) time.Duration {
	return times[int(float64(len(times)-1)*part)]
}

// mustPace asks at that rate for ten seconds, and returns how long answers took, in order.
func (s *site) mustPace(addr string, rate float64) []time.Duration {
	s.t.Helper()
	log := filepath.Join(s.dir, "paced.log")
	_ = os.Remove(log) // it is appended to
	out, err := exec.CommandContext(s.t.Context(), "taskset", "-c", "1", "h2load", "--h1", "-c", strconv.Itoa(*conns), "-t", "1", "-D", "10",
		"--rps", fmt.Sprintf("%.0f", rate/float64(*conns)), "--log-file", log,
		"-H", "Authorization: Bearer "+s.first(s.warm["ES256"]), "http://"+addr+"/").CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 4xx, 0 5xx") {
		s.t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		s.t.Fatal(err)
	}
	var times []time.Duration
	for line := range strings.Lines(string(text)) { // begun (µs), status, took (µs)
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[1] != "200" {
			s.t.Fatalf("%q", line)
		}
		us, err := strconv.Atoi(fields[2])
		if err != nil {
			s.t.Fatal(err)
		}
		times = append(times, time.Duration(us)*time.Microsecond)
	}
	if want := int(rate * 10 * 0.9); len(times) < want {
		s.t.Fatalf("%d answers, less than %d: the load was not reached", len(times), want)
	}
	slices.Sort(times)
	return times
}
