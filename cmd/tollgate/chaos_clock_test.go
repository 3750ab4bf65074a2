//go:build chaos

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// mustSkewedBinary builds the program with a clock that is off by that many seconds
// wherever it judges tokens and revocations. A program in Go asks the kernel for the
// time past every library, so that it has to be built so.
func mustSkewedBinary(t *testing.T, seconds int) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := map[string]string{}
	put := func(name, content string) {
		file := filepath.Join(dir, name)
		overlay[filepath.Join(here, name)] = file
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, before := range map[string]string{"app.go": "token.New(token.Config{", "app_revocation.go": "revocation.MirrorConfig{"} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), before) {
			t.Fatalf("%s has no %s: %v", name, before, err)
		}
		put(name, strings.ReplaceAll(string(text), before, before+"Now: skewed, "))
	}
	put("skewed.go", fmt.Sprintf("package main\n\nimport \"time\"\n\nfunc skewed() time.Time { return time.Now().Add(%d * time.Second) }\n", seconds))
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "tollgate")
	if err := os.WriteFile(file, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", file, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// TestChaosClockOfAnEdge: the clock of one edge is three seconds off, that of the
// others is right. It refuses and lets through what they do, to the end of a token's
// life.
func TestChaosClockOfAnEdge(t *testing.T) {
	t.Parallel()
	skews := []int{3, -3}[:full(2, 1)]
	for _, seconds := range skews {
		t.Run(fmt.Sprint(seconds), func(t *testing.T) {
			skewed := mustSkewedBinary(t, seconds)
			r := testkit.MustStartRedis(t)
			f := mustFleet(t, plan{Redis: r, Edges: 2, All: []string{"TOLLGATE_LEEWAY=4s"}})
			e := f.Edges[0]
			e.stop()
			e.binary = skewed
			e.mustServe()
			w := mustWitness(t, f, 4)
			w.mustAckMore(50)
			var h *held
			testkit.MustAwait(t, "a short-lived token that is revoked", func() bool { // it may be over before
				end := time.Now().Add(2 * time.Second)
				h = &held{raw: f.Foreign.mintUntil("short", "short", end), order: map[string]string{
					"kind": "jti", "value": "short", "issuer": foreignIssuer, "expires_at": end.UTC().Format(time.RFC3339),
				}}
				return w.revokeOne(h, true)
			})
			w.during("emptied", func() { r.MustDo("flushall") })
			w.during("hung", func() {
				r.MustPause()
				time.Sleep(maxStale + time.Second)
				r.MustContinue()
			})
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				for _, e := range f.Edges {
					w.call(e, h)
				}
			}
			w.finish()
		})
	}
}
