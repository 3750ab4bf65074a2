package testkit

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// MustDo sends one command to the server, past every proxy.
func (s *RedisServer) MustDo(args ...any) {
	s.tb.Helper()
	if err := s.do(args...); err != nil {
		s.tb.Fatalf("%v: %v", args[0], err)
	}
}

// MustRestartEmpty kills the server and starts it again on the same port without any
// of its files.
func (s *RedisServer) MustRestartEmpty() {
	s.tb.Helper()
	s.MustKill()
	for _, name := range []string{"appendonlydir", "dump.rdb"} {
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			s.tb.Fatalf("empty redis-server: %v", err)
		}
	}
	s.MustRestart()
}

// MustCutTail kills the server, takes the last bytes off its append-only file, as a
// machine that lost its power does, and starts it again. It returns how many bytes
// the file had.
func (s *RedisServer) MustCutTail(bytes int64) (had int64) {
	s.tb.Helper()
	s.MustKill()
	files, err := filepath.Glob(filepath.Join(s.dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) == 0 {
		s.tb.Fatalf("no append-only file: %v", err)
	}
	slices.Sort(files)
	last := files[len(files)-1]
	info, err := os.Stat(last)
	if err == nil {
		had = info.Size()
		err = os.Truncate(last, max(0, had-bytes))
	}
	if err != nil {
		s.tb.Fatalf("cut the append-only file: %v", err)
	}
	s.MustRestart()
	return had
}

// fakeClock is where Debian's package libfaketime has the library that moves a
// program's clock.
const fakeClock = "/usr/lib/*/faketime/libfaketimeMT.so.1"

// MustStartRedisAt is MustStartRedis with a clock that is off by that much. Where
// Debian's libfaketime is not installed the test is skipped, or failed when CI=true.
func MustStartRedisAt(tb testing.TB, off time.Duration, args ...string) *RedisServer {
	tb.Helper()
	found, err := filepath.Glob(fakeClock)
	if err != nil || len(found) == 0 {
		if os.Getenv("CI") == "true" {
			tb.Fatal("CI=true and no libfaketime: install Debian's libfaketime")
		}
		tb.Skip("no libfaketime (Debian: apt-get install libfaketime)")
	}
	return mustStartRedis(tb, args, []string{
		"LD_PRELOAD=" + found[0], "FAKETIME=" + off.String()[:len(off.String())-1], "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_RESET=1",
	})
}
