package main

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitShare of a container's memory is Go's; the rest is stacks, buffers of the
// kernel and what the runtime does not count.
const limitShare = 0.85

// tuneRuntime sets what GOGC and GOMEMLIMIT leave open: collections by the heap's
// growth, more often as a container's memory runs out. (GOMAXPROCS follows the
// container's CPU limit by itself.)
func tuneRuntime(log *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := containerMemory("/proc/self/cgroup", "/sys/fs/cgroup"); limit > 0 {
		ours := int64(float64(limit) * limitShare)
		debug.SetMemoryLimit(ours)
		log.Debug("memory limit taken from the container", "limit_bytes", limit, "go_bytes", ours)
	}
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
