//go:build bench

package revocation_test

import (
	"fmt"
	"testing"
	"time"
)

// TestBenchMending measures how long three processes take, from the loss until all
// vouch for everything again, and how much Redis computes for it.
func TestBenchMending(t *testing.T) {
	for _, many := range []int{1_000, 10_000, 100_000} {
		for _, lost := range []string{"the last hundred", "everything"} {
			t.Run(fmt.Sprintf("%s of %d", lost, many), func(t *testing.T) {
				f, s := serverFleet(t, "--appendfsync", "always")
				f.revokeMany("kept", many)
				old := f.aof()
				f.revokeMany("lost", 100)
				before := f.epoch()["id"]
				if lost == "everything" {
					f.client.Do(t.Context(), "flushall")
					f.client.ConfigResetStat(t.Context())
				} else {
					s.MustKill()
					f.restore(old)
					s.MustRestart()
				}
				began := time.Now()
				for limit := began.Add(10 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
					if e := f.epoch(); e["id"] != before && e["lost"] == "" && e["complete_since"] == "0" {
						break
					}
					if time.Now().After(limit) {
						t.Fatal("not mended")
					}
				}
				t.Logf("mended after %s, %d questions", time.Since(began).Round(10*time.Millisecond), f.asked())
			})
		}
	}
}
