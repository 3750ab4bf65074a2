//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tollgate/internal/testkit"
)

// figures are what came of one load.
type figures struct {
	Requests   int     `json:"requests"`
	Micros     float64 `json:"cpu_us_per_request"`
	Rate       float64 `json:"requests_per_second"`
	P50        string  `json:"p50"`
	P99        string  `json:"p99"`
	P999       string  `json:"p99_9"`
	Resident   int     `json:"rss_mib"`
	Not2xx     int     `json:"not_2xx"`
	SocketErrs string  `json:"socket_errors,omitempty"`
}

var (
	requestsIn = regexp.MustCompile(`(\d+) requests in`)
	perSecond  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	notGood    = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	socketErrs = regexp.MustCompile(`Socket errors: (.*)`)
)

// mustLoad lets wrk ask for so long, and returns what that cost the proxy.
func (s *site) mustLoad(p *proxy, tokens string, clients, seconds int) figures {
	s.t.Helper()
	before := testkit.MustProcessorTime(s.t, p.pid())
	text := s.mustWrk(p, tokens, clients, seconds)
	took := testkit.MustProcessorTime(s.t, p.pid()) - before
	percentile := func(share string) string {
		m := regexp.MustCompile(`(?m)^\s+` + share + `%\s+(\S+)`).FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		return m[1]
	}
	number := func(re *regexp.Regexp) float64 {
		m := re.FindStringSubmatch(text)
		if m == nil {
			return 0
		}
		n, _ := strconv.ParseFloat(m[1], 64) // the expression has digits alone
		return n
	}
	f := figures{
		Requests: int(number(requestsIn)), Rate: number(perSecond), Not2xx: int(number(notGood)),
		P50: percentile("50"), P99: percentile("99"), P999: percentile(`99\.9`), Resident: testkit.MustResident(s.t, p.pid()) >> 20,
	}
	if m := socketErrs.FindStringSubmatch(text); m != nil {
		f.SocketErrs = m[1]
	}
	if f.Requests == 0 {
		s.t.Fatalf("wrk counted no requests:\n%s", text)
	}
	f.Micros = float64(took.Microseconds()) / float64(f.Requests)
	if f.Not2xx > 0 {
		s.t.Errorf("%s: %d answers were not 2xx", p.name, f.Not2xx)
	}
	return f
}

// mustWrk returns what wrk prints. With the percentiles it has there is no 99.9, so the
// script's own end adds it.
func (s *site) mustWrk(p *proxy, tokens string, clients, seconds int) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "taskset", "-c", "1", "wrk", "-t1", fmt.Sprintf("-c%d", clients), fmt.Sprintf("-d%ds", seconds), "--latency",
		"-s", filepath.Join(s.dir, "tokens.lua"), "http://"+p.addr)
	cmd.Env = append(os.Environ(), "TOKENS="+tokens)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("wrk: %v\n%s", err, out)
	}
	return string(out)
}

func (f figures) String() string {
	return fmt.Sprintf("%6.1f us/req  %6.0f req/s  p50 %8s  p99 %8s  p99.9 %8s  %4d MiB  not-2xx %d %s", f.Micros, f.Rate, f.P50, f.P99, f.P999, f.Resident, f.Not2xx, f.SocketErrs)
}

// table holds the figures of all rounds, by row.
type table struct {
	rows []string
	runs map[string][]figures
}

func (tb *table) add(row string, f figures) {
	if tb.runs == nil {
		tb.runs = map[string][]figures{}
	}
	if tb.runs[row] == nil {
		tb.rows = append(tb.rows, row)
	}
	tb.runs[row] = append(tb.runs[row], f)
}

// median of a row's processor times, and the least and the greatest; 0 where the row
// was not measured.
func (tb *table) median(row string) (median, least, most float64) {
	var all []float64
	for _, f := range tb.runs[row] {
		all = append(all, f.Micros)
	}
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, all[0], all[len(all)-1]
}

// mustSave writes all runs where -bench.json says.
func (tb *table) mustSave(s *site, name string) {
	s.t.Helper()
	if *record == "" {
		return
	}
	text, err := json.MarshalIndent(map[string]any{"bench": name, "runs": tb.runs}, "", " ")
	if err == nil {
		err = os.WriteFile(strings.ReplaceAll(*record, "*", name), append(text, '\n'), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
