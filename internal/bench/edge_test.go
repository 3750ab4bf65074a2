//go:build bench

package bench

import (
	"strings"
	"testing"
)

// TestBenchEdge compares the edge with nginx that checks nothing and with HAProxy that
// checks tokens. It fails on a wrong answer, not on a figure: the machine is not ours
// alone.
func TestBenchEdge(t *testing.T) {
	s := mustSite(t, "haproxy")
	s.mustTokens()
	var all table
	for round := range *rounds {
		for _, alg := range strings.Split(*algs, ",") {
			for _, kind := range strings.Split(*only, ",") {
				for _, name := range []string{"nginx", "haproxy", "tollgate"} {
					tokens, long := s.warm[alg], *seconds
					if kind == "cold" {
						tokens, long = s.cold[alg], min(2, *seconds)
					}
					p := s.mustProxy(name, alg)
					s.mustWrk(p, s.warm[alg], *conns, 1)
					f := s.mustLoad(p, tokens, *conns, long)
					p.stop()
					if kind == "cold" && name == "tollgate" && f.Requests > *colds {
						t.Errorf("%s was asked for %d requests with %d tokens: give more by -bench.colds", name, f.Requests, *colds)
					}
					all.add(alg+" "+kind+" "+name, f)
					t.Logf("round %d %s %s %-8s %s", round+1, alg, kind, name, f)
				}
			}
		}
	}
	for _, row := range all.rows {
		median, least, most := all.median(row)
		run := row[:strings.LastIndexByte(row, ' ')]
		plain, _, _ := all.median(run + " nginx")
		check, _, _ := all.median(run + " haproxy")
		t.Logf("%-20s %6.1f us/req (%.1f to %.1f)   %5.2f x nginx   %5.2f x haproxy", row, median, least, most, median/plain, median/check)
	}
	all.mustSave(s, "edge")
}
