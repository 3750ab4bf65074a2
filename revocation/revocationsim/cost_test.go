package revocationsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// cost is what Redis, and this process, have used since the start.
type cost struct {
	at            time.Time
	redis, ours   time.Duration // of processor
	out           float64       // bytes that Redis has sent
	calls, micros map[string]float64
}

func mustCost(t testing.TB, client redis.UniversalClient) cost {
	t.Helper()
	c := cost{at: time.Now(), calls: map[string]float64{}, micros: map[string]float64{}}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	c.ours = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, section := range []string{"cpu", "stats", "commandstats"} {
		text, err := client.Info(t.Context(), section).Result()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			switch {
			case name == "used_cpu_user" || name == "used_cpu_sys":
				c.redis += time.Duration(mustFloat(t, value) * float64(time.Second))
			case name == "total_net_output_bytes":
				c.out = mustFloat(t, value)
			case strings.HasPrefix(name, "cmdstat_"):
				command := strings.TrimPrefix(name, "cmdstat_")
				for field := range strings.SplitSeq(value, ",") {
					switch k, v, _ := strings.Cut(field, "="); k {
					case "calls":
						c.calls[command] = mustFloat(t, v)
					case "usec":
						c.micros[command] = mustFloat(t, v)
					}
				}
			}
		}
	}
	return c
}

func mustFloat(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// since describes what was used since before, by edge and second. External commands
// only: those inside a script count in it.
func (c cost) since(before cost, edges int) string {
	seconds := c.at.Sub(before.at).Seconds()
	per := seconds * float64(edges)
	var b strings.Builder
	fmt.Fprintf(&b, "redis %.1f%% of a core (%.0f µs per edge and second), this process %.1f%% (%.0f µs), redis sent %.0f bytes per edge and second\n",
		100*(c.redis-before.redis).Seconds()/seconds, float64((c.redis-before.redis).Microseconds())/per,
		100*(c.ours-before.ours).Seconds()/seconds, float64((c.ours-before.ours).Microseconds())/per, (c.out-before.out)/per)
	for _, command := range []string{"xread", "exec", "xrange", "hmget", "role", "evalsha", "info"} {
		if calls := c.calls[command] - before.calls[command]; calls > 0 {
			fmt.Fprintf(&b, "  %-8s %7.2f per edge and second, %6.1f µs each\n", command, calls/per, (c.micros[command]-before.micros[command])/calls)
		}
	}
	return b.String()
}

// quantiles describes lags. It sorts them.
func quantiles(of []time.Duration) string {
	if len(of) == 0 {
		return "none"
	}
	slices.Sort(of)
	at := func(q float64) time.Duration { return of[int(q*float64(len(of)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %s p99 %s p99.9 %s max %s of %d", at(0.5), at(0.99), at(0.999), at(1), len(of))
}
