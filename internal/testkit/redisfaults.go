package testkit

import (
	"os"
	"path/filepath"
	"slices"
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
