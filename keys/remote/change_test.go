package remote_test

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys/remote"
)

// heard collects what OnChange said.
type heard struct {
	mu      sync.Mutex
	issuers []string
}

func (h *heard) note(issuer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.issuers = append(h.issuers, issuer)
}

func (h *heard) want(tb testing.TB, when string, n int) {
	tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.issuers, slices.Repeat([]string{issuerA}, n)) {
		tb.Errorf("%s: told of %q, want %d", when, h.issuers, n)
	}
}

// Whoever holds on to a key hears when another set is in force, and of nothing
// else: not of the first set, of the same one again, or of a failure.
func TestOnChange(t *testing.T) {
	one, two := mustKeys(t, "one")[0], mustKeys(t, "two")[0]
	both, rest := documentOf(t, one, two), documentOf(t, two)
	steps := func(t *testing.T, now func(string), h *heard, i *remote.Issuers) {
		t.Helper()
		for n, step := range []struct {
			document string
			told     int
			kids     string
		}{{both, 0, "one two"}, {"{", 0, "one two"}, {rest, 1, "two"}, {rest + " ", 1, "two"}, {both, 2, "one two"}} {
			now(step.document)
			i.Refetch(issuerA)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			h.want(t, step.document, step.told)
			if n > 0 {
				wantKids(t, keysOf(i).Set(), step.kids)
			}
		}
	}
	t.Run("address", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, from := &heard{}, newBubbled(gives(both))
			i := mustOpen(t, remote.Config{Client: from.client(), OnChange: h.note}, urlSpec("https://a.example/jwks"))
			defer run(t, i)()
			steps(t, func(d string) { from.now(gives(d)) }, h, i)
		})
	})
	t.Run("file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "jwks.json")
		write := func(d string) { must(t, os.WriteFile(path, []byte(d), 0o600)) }
		write(both)
		synctest.Test(t, func(t *testing.T) {
			h := &heard{}
			i := mustOpen(t, remote.Config{OnChange: h.note}, remote.Spec{Issuer: issuerA, JWKSFile: path})
			defer run(t, i)()
			steps(t, write, h, i)
		})
	})
}
