//go:build chaos

package testkit_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
)

func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	start := time.Now()
	s := testkit.MustStartSentinel(t)
	t.Logf("stands after %s", time.Since(start).Round(time.Millisecond))
	client := s.MustClient(t)
	mustSetSoon(t, client, "x")
	old := s.MustPrimary()
	s.MustFailover()
	mustSetSoon(t, client, "x")
	s.MustSettle()
	second := s.MustPrimary()
	if second == old {
		t.Fatal("the primary is still the same")
	}
	second.MustKill()
	s.MustAwaitOther(second)
	mustSetSoon(t, client, "x")
}

// TestSentinelPartition: who is on the primary's side of a partition still writes
// to it; the others get another one.
func TestSentinelPartition(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartProxiedSentinel(t)
	client := s.MustClient(t)
	mustSetSoon(t, client, "x")
	old := s.MustPrimary()
	heal := s.MustPartition(old)
	mustSetSoon(t, testkit.MustClient(t, old.Addr), "x")
	s.MustAwaitOther(old)
	mustSetSoon(t, client, "x")
	heal()
	s.MustSettle()
}
