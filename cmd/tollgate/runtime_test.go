package main

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestContainerMemory: the smallest limit on the way up counts.
func TestContainerMemory(t *testing.T) {
	for name, row := range map[string]struct {
		self  string
		files map[string]string
		want  int64
	}{
		"own limit":      {"0::/app\n", map[string]string{"app/memory.max": "1000\n"}, 1000},
		"parent's limit": {"0::/pod/app\n", map[string]string{"pod/app/memory.max": "max\n", "pod/memory.max": "2000\n"}, 2000},
		"the smaller":    {"0::/pod/app\n", map[string]string{"pod/app/memory.max": "500\n", "pod/memory.max": "2000\n"}, 500},
		"inside":         {"0::/\n", map[string]string{"memory.max": "700\n"}, 700},
		"version 1":      {"9:memory:/docker/x\n", map[string]string{"memory/memory.limit_in_bytes": "300\n"}, 300},
		"none":           {"0::/app\n", map[string]string{"app/memory.max": "max\n"}, 0},
		"none, v1":       {"9:memory:/\n", map[string]string{"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"nonsense":       {"0::/app\n", map[string]string{"app/memory.max": "lots\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range row.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			self := filepath.Join(root, "self")
			if err := os.WriteFile(self, []byte(row.self), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := containerMemory(self, root); got != row.want {
				t.Errorf("%d, want %d", got, row.want)
			}
		})
	}
	if got := containerMemory(filepath.Join(t.TempDir(), "absent"), t.TempDir()); got != 0 {
		t.Errorf("%d of nothing", got)
	}
}

// TestMemoryLimitFollows: a container that grows, shrinks or is freed of its limit takes
// Go's with it; one that stays as it is changes nothing.
func TestMemoryLimitFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := []int64{0, 1000, 1000, 2000, 100, 0, 0}
		var set []int64
		m := newMemoryLimit(slog.New(slog.DiscardHandler))
		m.read = func() int64 {
			n := reads[0]
			if len(reads) > 1 {
				reads = reads[1:]
			}
			return n
		}
		m.set = func(n int64) { set = append(set, n) }
		m.look()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(20 * limitEvery)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := []int64{850, 1700, 85, math.MaxInt64}; !slices.Equal(set, want) {
			t.Errorf("set to %v, want %v", set, want)
		}
	})
}
