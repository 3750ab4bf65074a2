//go:build bench

package bench

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var profiles = flag.String("bench.profiles", "../../bin", "directory for the CPU profiles")

// TestBenchProfile writes a CPU profile of each load: warm and cold, of each algorithm.
// They are what `make pgo` merges.
func TestBenchProfile(t *testing.T) {
	s := mustSite(t)
	s.mustTokens()
	if err := os.MkdirAll(*profiles, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, alg := range strings.Split(*algs, ",") {
		for _, kind := range strings.Split(*only, ",") {
			p, tokens := s.mustProxy("tollgate", alg), s.warm[alg]
			if kind == "cold" {
				p.stop()
				p, tokens = s.mustProxy("tollgate", alg, "TOLLGATE_TOKEN_MEMORY=0"), s.cold[alg]
			}
			s.mustWrk(p, s.warm[alg], *conns, 1)
			file := filepath.Join(*profiles, fmt.Sprintf("edge-%s-%s.pprof", kind, alg))
			fetched := make(chan error, 1)
			go func() {
				fetched <- fetch(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.ops, max(1, *seconds-1)), file)
			}()
			f := s.mustLoad(p, tokens, *conns, *seconds)
			if err := <-fetched; err != nil {
				t.Fatal(err)
			}
			p.stop()
			t.Logf("%s: %s", file, f)
		}
	}
}

// fetch writes what a URL answers into a file; none: it is thrown away.
func fetch(url, file string) error {
	res, err := http.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", url, res.StatusCode)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
