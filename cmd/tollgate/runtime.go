package main

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// limitShare of a container's memory is Go's; the rest is stacks, buffers of the
// kernel and what the runtime does not count.
const limitShare = 0.85

// tuneRuntime sets what GOGC and GOMEMLIMIT leave open: collections by the heap's
// growth, more often as a container's memory runs out, which what it returns follows.
// (GOMAXPROCS follows the container's CPU limit by itself.)
func tuneRuntime(log *slog.Logger) *memoryLimit {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	m := newMemoryLimit(log)
	m.look()
	return m
}

// memoryLimit keeps Go's limit at its share of the container's, which may be changed while
// the process runs: lowered, the old one would have it killed, raised, it would collect
// without end.
type memoryLimit struct {
	read func() int64 // bytes; 0: none
	set  func(bytes int64)
	log  *slog.Logger
	last int64
}

// limitEvery is how often the container's limit is read.
const limitEvery = 10 * time.Second

func newMemoryLimit(log *slog.Logger) *memoryLimit {
	return &memoryLimit{
		read: func() int64 {
			if os.Getenv("GOMEMLIMIT") != "" {
				return 0 // whoever set it has the last word
			}
			return containerMemory("/proc/self/cgroup", "/sys/fs/cgroup")
		},
		set: func(n int64) { debug.SetMemoryLimit(n) }, log: log,
	}
}

// Run follows the container until ctx ends.
func (m *memoryLimit) Run(ctx context.Context) error {
	return repeat(ctx, limitEvery, m.look)
}

// repeat calls do once in every period, the first time when one has passed, until ctx
// ends, which is no error. Calls that do is too slow for are left out.
func repeat(ctx context.Context, period time.Duration, do func()) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			do()
		}
	}
}

func (m *memoryLimit) look() {
	limit := m.read()
	if limit == m.last {
		return
	}
	m.last = limit
	ours := int64(math.MaxInt64) // there is none any more
	if limit > 0 {
		ours = int64(float64(limit) * limitShare)
	}
	m.set(ours)
	m.log.Debug("memory limit taken from the container", "limit_bytes", limit, "go_bytes", ours)
}

// containerMemory returns the smallest memory limit (bytes) of the process's control
// group and those above it; 0 when there is none, or none that can be read.
func containerMemory(self, root string) int64 {
	data, err := os.ReadFile(self)
	if err != nil {
		return 0
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(data)) {
		path, found := strings.CutPrefix(strings.TrimSpace(line), "0::") // cgroup v2
		if !found {
			continue
		}
		for dir := filepath.Clean("/" + path); ; dir = filepath.Dir(dir) {
			if n := readLimit(filepath.Join(root, dir, "memory.max")); n > 0 {
				least = min(least, n)
			}
			if dir == "/" {
				break
			}
		}
	}
	if n := readLimit(filepath.Join(root, "memory", "memory.limit_in_bytes")); n > 0 { // cgroup v1
		least = min(least, n)
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// readLimit reads one limit; 0 for "max" and for what v1 writes in place of it.
func readLimit(path string) int64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil || n <= 0 || n > 1<<50 {
		return 0
	}
	return n
}
