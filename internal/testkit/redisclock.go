package testkit

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// clockSource is a library that moves the clock of a program which is linked to libc.
// Debian's libfaketime does not start with Debian's redis-server: its allocator asks
// for the time before the library is ready.
//
//go:embed testdata/clock.c
var clockSource []byte

// MustStartRedisAt is MustStartRedis with a clock that is off by that many whole
// seconds. It needs a C compiler; where there is none the test is skipped, or failed
// when CI=true.
func MustStartRedisAt(tb testing.TB, off time.Duration, args ...string) *RedisServer {
	tb.Helper()
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("CI=true and no gcc on PATH")
		}
		tb.Skip("no gcc on PATH")
	}
	dir := tb.TempDir()
	source, library := filepath.Join(dir, "clock.c"), filepath.Join(dir, "clock.so")
	if err := os.WriteFile(source, clockSource, 0o600); err != nil {
		tb.Fatal(err)
	}
	define := fmt.Sprintf("-DCLOCK_OFF=%d", int(off/time.Second))
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", define, "-o", library, source).CombinedOutput(); err != nil {
		tb.Fatalf("gcc: %v\n%s", err, out)
	}
	return mustStartRedis(tb, args, []string{"LD_PRELOAD=" + library})
}
