//go:build nightly

package table_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"tollgate/revocation/table"
)

const (
	nightly       = true // full counts, ten million entries (make nightly)
	childVariable = "TABLE_RSS_CHILD"
	tenMillion    = 10 * million
)

// TestRSSPerEntry has a process of its own fill a table and say what it grew by once
// all that is free went back to the system.
func TestRSSPerEntry(t *testing.T) {
	if how := os.Getenv(childVariable); how != "" {
		measureRSS(t, how)
		return
	}
	for _, how := range []string{"reserved", "grown"} {
		t.Run(how, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRSSPerEntry$", "-test.v")
			cmd.Env = append(os.Environ(), childVariable+"="+how)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, rest, ok := bytes.Cut(out, []byte("rss grew by "))
			var grew, counted int
			if _, err := fmt.Sscanf(string(rest), "%d counted %d", &grew, &counted); !ok || err != nil {
				t.Fatalf("no figure: %v\n%s", err, out)
			}
			per := float64(grew) / tenMillion
			t.Logf("%.2f bytes per entry by RSS, %.2f by Bytes", per, float64(counted)/tenMillion)
			if per > 32 {
				t.Errorf("%.2f bytes per entry", per)
			}
			if per < 20 {
				t.Errorf("%.2f bytes per entry is less than a slot: the measure is wrong", per)
			}
		})
	}
}

func measureRSS(t *testing.T, how string) {
	before := rss(t)
	tab := table.New()
	if how == "reserved" {
		tab.Reserve(tenMillion)
	}
	for i := range uint64(tenMillion) {
		tab.Put(digest(1, i), table.Forever)
	}
	grew := rss(t) - before
	fmt.Printf("rss grew by %d counted %d\n", grew, tab.Bytes())
	runtime.KeepAlive(tab)
}

func rss(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	debug.FreeOSMemory() // what the first left to be swept
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc/self/statm here")
	}
	pages, err := strconv.Atoi(string(bytes.Fields(b)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
