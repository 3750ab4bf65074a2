package testkit

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// MustProcessorTime is the processor time, of user and system together, that a process
// and its children have had, as far as they are still there. It is counted in
// hundredths of a second.
func MustProcessorTime(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	total := time.Duration(0)
	for _, id := range family(tb, pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
		if err != nil {
			if id != pid {
				continue // a child that has gone
			}
			tb.Fatal(err)
		}
		// proc(5): behind the name, which may hold blanks, utime and stime are the 12th
		// and 13th.
		_, rest, _ := strings.Cut(string(text), ") ")
		part := strings.Fields(rest)
		user, err1 := strconv.Atoi(part[11])
		system, err2 := strconv.Atoi(part[12])
		if err1 != nil || err2 != nil {
			tb.Fatalf("/proc/%d/stat: %s", id, rest)
		}
		total += time.Duration(user+system) * 10 * time.Millisecond
	}
	return total
}

// MustResident is the resident memory, in bytes, of a process and its children.
func MustResident(tb testing.TB, pid int) int {
	tb.Helper()
	total := 0
	for _, id := range family(tb, pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", id))
		if err != nil {
			if id != pid {
				continue
			}
			tb.Fatal(err)
		}
		pages, err := strconv.Atoi(strings.Fields(string(text))[1])
		if err != nil {
			tb.Fatalf("/proc/%d/statm: %s", id, text)
		}
		total += pages * os.Getpagesize()
	}
	return total
}

// family is a process and all below it.
func family(tb testing.TB, pid int) []int {
	tb.Helper()
	all := []int{pid}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return all // gone, or a kernel that does not tell
	}
	for _, word := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(word)
		if err != nil {
			tb.Fatalf("/proc/%d: children %q", pid, text)
		}
		all = append(all, family(tb, child)...)
	}
	return all
}
