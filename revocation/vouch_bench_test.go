//go:build bench

package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"tollgate/revocation"
)

// TestBenchVouching measures how long three processes that have been level for a while refuse
// old tokens after everything was lost, and how long the store does.
func TestBenchVouching(t *testing.T) {
	for _, many := range []int{10_000, 100_000, 300_000} {
		t.Run(fmt.Sprint(many), func(t *testing.T) {
			f, _ := serverFleet(t, "--appendonly", "no")
			tok := f.all[0].born("clear")
			f.revokeMany("kept", many)
			time.Sleep(40 * time.Second) // so that others know all but what is recent
			before := f.epoch()["id"]
			f.client.Do(t.Context(), "flushall")
			began := time.Now()
			var all, store time.Duration
			for limit := began.Add(10 * time.Minute); store == 0; time.Sleep(10 * time.Millisecond) {
				clear := 0
				for _, c := range f.all {
					if c.Status().Epoch.ID != before && c.Check(t.Context(), tok).State == revocation.Clear {
						clear++
					}
				}
				if clear == len(f.all) && all == 0 {
					all = time.Since(began)
				}
				if e := f.epoch(); e["id"] != before && e["lost"] == "" && e["complete_since"] == "0" {
					store = time.Since(began)
				}
				if time.Now().After(limit) {
					t.Fatal("not mended")
				}
			}
			t.Logf("every process vouches after %s, the store after %s", all.Round(10*time.Millisecond), store.Round(10*time.Millisecond))
		})
	}
}
