package main

import (
	"os"
	"path/filepath"
	"testing"
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
