//go:build bench

package revocation_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestBenchMending measures how long three processes take, from the loss until all
// vouch for everything again, how much Redis and they compute for it, and how long
// others wait for Redis meanwhile.
func TestBenchMending(t *testing.T) {
	for _, many := range []int{1_000, 10_000, 100_000, 250_000} {
		for _, lost := range []string{"the last hundred", "everything"} {
			t.Run(fmt.Sprintf("%s of %d", lost, many), func(t *testing.T) {
				f, s := serverFleet(t)
				f.revokeMany("kept", many)
				old := f.aof()
				f.revokeMany("lost", 100)
				f.client.ConfigSet(t.Context(), "appendfsync", "always")
				calm := f.pings(func() { time.Sleep(time.Second) })
				before := f.epoch()["id"]
				var computed float64
				own := processTime()
				if lost == "everything" {
					f.client.Do(t.Context(), "flushall")
					f.client.ConfigResetStat(t.Context())
					computed = f.computed()
				} else {
					s.MustKill()
					f.restore(old)
					s.MustRestart()
				}
				f.client.ConfigSet(t.Context(), "appendfsync", "always")
				f.client.ConfigSet(t.Context(), "slowlog-log-slower-than", "1000")
				began := time.Now()
				busy := f.pings(func() {
					for limit := began.Add(10 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
						if e := f.epoch(); e["id"] != before && e["lost"] == "" && e["complete_since"] == "0" {
							break
						}
						if time.Now().After(limit) {
							t.Fatal("not mended")
						}
					}
				})
				took := time.Since(began)
				t.Logf("mended after %s, %d questions; Redis computed %.2f s, the processes %.2f s; others waited %s, before %s; slowest script %s",
					took.Round(10*time.Millisecond), f.asked(), f.computed()-computed, (processTime() - own).Seconds(), busy, calm, f.slowest())
			})
		}
	}
}

// pings says how long a PING takes while work goes on.
func (f fleet) pings(work func()) string {
	var took []time.Duration
	ctx, stop := context.WithCancel(f.t.Context())
	var pinger sync.WaitGroup
	pinger.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			if f.client.Ping(ctx).Err() == nil {
				took = append(took, time.Since(began))
			}
			time.Sleep(time.Millisecond)
		}
	})
	work()
	stop()
	pinger.Wait()
	slices.Sort(took)
	at := func(q float64) time.Duration {
		return took[int(q*float64(len(took)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("%s (p50) %s (p99) %s (longest)", at(0.5), at(0.99), at(1))
}

// computed returns the seconds of a processor that the server has taken.
func (f fleet) computed() (sum float64) {
	for line := range strings.Lines(f.client.Info(f.t.Context(), "cpu").Val()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				f.t.Fatal(err)
			}
			sum += seconds
		}
	}
	return sum
}

// slowest returns how long the longest script took that the slow log has.
func (f fleet) slowest() (longest time.Duration) {
	for _, one := range f.client.SlowLogGet(f.t.Context(), -1).Val() {
		if strings.HasPrefix(one.Args[0], "eval") {
			longest = max(longest, one.Duration)
		}
	}
	return longest
}

// processTime is what this process has taken of the processors.
func processTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
