//go:build bench

package bench

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

var soakFor = flag.Int("bench.soak", 60, "seconds of full load")

// TestBenchSoak keeps the edge at full load and looks at what grows: memory and
// goroutines, and what the garbage collector takes. It fails when goroutines are left
// behind, or memory grows by a half from the tenth part of the load to its end.
func TestBenchSoak(t *testing.T) {
	s := mustSite(t)
	s.warm["ES256"] = s.minters["ES256"].mustMint(t, s.dir, "warm", 1000)
	p := s.mustProxy("tollgate", "ES256", "GODEBUG=gctrace=1")
	s.mustWrk(p, s.warm["ES256"], *conns, max(1, *soakFor/10))
	early, goroutines := testkit.MustResident(t, p.pid()), s.goroutines(p)
	f := s.mustLoad(p, s.warm["ES256"], *conns, *soakFor)
	late := testkit.MustResident(t, p.pid())
	var all table
	all.add("soak", f)
	left := s.goroutines(p)
	for end := time.Now().Add(30 * time.Second); left > goroutines+10 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		left = s.goroutines(p) // those of connections that have just been closed
	}
	t.Logf("%d s, %d connections: %s", *soakFor, *conns, f)
	t.Logf("resident %d MiB after a tenth, %d MiB at the end; goroutines %d before, %d after", early>>20, late>>20, goroutines, left)
	t.Log(collections(p.output()))
	if left > goroutines+10 {
		t.Errorf("%d goroutines became %d", goroutines, left)
	}
	if late > early+early/2 {
		t.Errorf("%d MiB became %d", early>>20, late>>20)
	}
	p.stop()
	all.mustSave(s, "soak")
}

var gcLine = regexp.MustCompile(`(?m)^gc (\d+) @[\d.]+s (\d+)%: .* (\d+)->(\d+)->(\d+) MB`)

// collections sums GODEBUG=gctrace=1 up.
func collections(log string) string {
	lines := gcLine.FindAllStringSubmatch(log, -1)
	if len(lines) == 0 {
		return "no collections were traced"
	}
	most := 0
	for _, l := range lines {
		n, _ := strconv.Atoi(l[4]) // the expression has digits alone
		most = max(most, n)
	}
	last := lines[len(lines)-1]
	return fmt.Sprintf("%s collections, %s %% of the processor time since the start, the heap at most %d MB, %s MB live at the end (%s)", last[1], last[2], most, last[5], runtime.Version())
}

// goroutines is how many the edge has by its own profile.
func (s *site) goroutines(p *proxy) int {
	s.t.Helper()
	file := filepath.Join(s.dir, "goroutines")
	if err := fetch("http://"+p.ops+"/debug/pprof/goroutine?debug=1", file); err != nil {
		s.t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "total ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		s.t.Fatalf("goroutine profile: %.80s", text)
	}
	return n
}
