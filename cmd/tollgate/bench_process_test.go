//go:build bench

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

func mustRedisPID(t *testing.T, addr string) int {
	t.Helper()
	for text := range strings.SplitSeq(testkit.MustClient(t, addr).Info(t.Context(), "server").Val(), "\r\n") {
		if id, found := strings.CutPrefix(text, "process_id:"); found {
			pid, err := strconv.Atoi(id)
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("the redis-server does not say its process id")
	return 0
}

// used is the processor time, of user and system together, that each process has had.
func (b *benched) used() map[string]time.Duration {
	b.tb.Helper()
	out := map[string]time.Duration{}
	for name, pid := range b.processes {
		out[name] = testkit.MustProcessorTime(b.tb, pid)
	}
	return out
}

// profile writes a CPU profile of as long as the load lasts.
func (b *benched) profile(file string) {
	res, err := http.Get(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", b.Ops, max(1, int(benchFor.Seconds())-1)))
	if err != nil {
		b.tb.Error(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		b.tb.Error(err)
	}
}
