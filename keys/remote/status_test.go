package remote_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/keys/remote"
)

// TestLeftOutIsInTheStatus: as long as the document is the one that has such keys,
// and not longer.
func TestLeftOutIsInTheStatus(t *testing.T) {
	good := mustDocument(t, "a")
	odd := with(good, `{"kty":"AKP","kid":"pq"}`)
	h := mustHost(t, says(odd))
	i := mustOpen(t, remote.Config{}, urlSpec(h.URL))
	wantError(t, i.Status()[0].LeftOut, "pq")
	refetched := func(n uint64) func() bool { return func() bool { return i.Status()[0].Fetches == n } }
	i.Refetch(issuerA)
	testkit.MustAwait(t, "fetched again", refetched(2))
	wantError(t, i.Status()[0].LeftOut, "pq")
	h.now(status(http.StatusBadGateway)) // the set that is held is the one with the odd key
	i.Refetch(issuerA)
	testkit.MustAwait(t, "failed", refetched(3))
	wantError(t, i.Status()[0].LeftOut, "pq")
	h.now(says(good))
	i.Refetch(issuerA)
	testkit.MustAwait(t, "mended", refetched(4))
	if err := i.Status()[0].LeftOut; err != nil {
		t.Errorf("after the odd key left: %v", err)
	}

	path := filepath.Join(t.TempDir(), "jwks.json")
	for document, want := range map[string]bool{good: false, odd: true} {
		mustWrite(t, path, document)
		files := mustOpen(t, remote.Config{}, remote.Spec{Issuer: issuerA, JWKSFile: path})
		if err := files.Status()[0].LeftOut; (err != nil) != want {
			t.Errorf("of a file: %v, want one: %v", err, want)
		}
	}
}
