package main

import (
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// findsSoon waits until the doctor's findings have one that begins so: servers need a
// while to notice what happened to others.
func findsSoon(t *testing.T, d *redisDoctor, want string) []finding {
	t.Helper()
	var got []finding
	testkit.MustAwaitWithin(t, 30*time.Second, want, func() bool {
		got = d.examine(t.Context())
		return strings.Contains("\n"+brief(got), "\n"+want)
	}, func() string { return brief(got) })
	return got
}

func TestRedisDoctorOnSentinels(t *testing.T) {
	s := testkit.MustStartSentinel(t)
	d := mustRedisDoctor(t, s.URL(), nil)
	got := findsSoon(t, d, "info redis.sentinel: the primary mymaster is seen by 3 of 3")
	for _, f := range got {
		if f.Level == levelError {
			t.Errorf("%s: %s", f.Check, f.Found)
		}
	}
	s.Sentinels[1].MustKill()
	s.Sentinels[2].MustKill()
	got = findsSoon(t, d, "error redis.sentinel: SENTINEL CKQUORUM: NOQUORUM")
	if n := strings.Count(brief(got), "this Sentinel gives no answer"); n != 2 {
		t.Errorf("%d Sentinels are missed, want 2:\n%s", n, brief(got))
	}
	unknown := mustRedisDoctor(t, strings.Replace(s.URL(), "/mymaster", "/other", 1), nil)
	if got := brief(unknown.sentinels(t.Context())); !strings.Contains(got, "gives no answer about other: ERR No such master") {
		t.Errorf("a name that no Sentinel knows:\n%s", got)
	}
}

func TestRedisDoctorOnACluster(t *testing.T) {
	c := testkit.MustStartCluster(t)
	for _, n := range c.Nodes {
		mustConfigSet(t, testkit.MustClient(t, n.Addr), "appendfsync", "everysec")
	}
	d := mustRedisDoctor(t, c.URL(), nil)
	got := merged(d.examine(t.Context()))
	wantFindings(t, got, everySecond, "warning redis.split: 1 replica")
	if n := len(strings.Split(got[0].Where, ", ")); n != 3 {
		t.Errorf("%d servers in %q, want the three primaries", n, got[0].Where)
	}
	one := mustRedisDoctor(t, c.Nodes[0].URL, nil)
	if got := brief(one.examine(t.Context())); !strings.Contains(got, "error redis.mode") {
		t.Errorf("a node by the URL of one server:\n%s", got)
	}
	for _, n := range c.Nodes { // each keeps its own book
		if err := testkit.MustClient(t, n.Addr).Do(t.Context(), "CLUSTER", "DELSLOTS", 7).Err(); err != nil {
			t.Fatal(err)
		}
	}
	findsSoon(t, d, "error redis.cluster: 1 of 16384 slots are covered by no node")
	findsSoon(t, d, "error redis.cluster: cluster_state is fail")
}
