package table_test

import (
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// threadTime is what this thread has used of a processor. By clock_gettime: what
// getrusage says is up to a tick of the scheduler old, four milliseconds.
func threadTime(tb testing.TB) time.Duration {
	tb.Helper()
	const threadCPU = 3 // CLOCK_THREAD_CPUTIME_ID
	var at syscall.Timespec
	if _, _, err := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadCPU, uintptr(unsafe.Pointer(&at)), 0); err != 0 {
		tb.Fatal(err)
	}
	return time.Duration(at.Nano())
}
