package revocation_test

import (
	"fmt"
	"sync"
	"testing"

	"tollgate/revocation"
)

// TestFamiliarDigests: whatever was at hand, the digest is the one of these very names.
func TestFamiliarDigests(t *testing.T) {
	t.Parallel()
	f := revocation.NewFamiliar()
	kinds := revocation.Kinds()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 5000 {
				issuer, kind, id := fmt.Sprint("issuer", i%3), kinds[(i+g)%len(kinds)], fmt.Sprint("key", i%7)
				if kind == revocation.KindAll {
					id = ""
				}
				if got, want := f(issuer, kind, id), revocation.DigestOf(issuer, kind, id); got != want {
					t.Errorf("%s %s %s: %s, want %s", issuer, kind, id, got, want)
				}
			}
		})
	}
	all.Wait()
}
