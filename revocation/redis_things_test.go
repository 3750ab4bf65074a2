package revocation_test

import (
	"errors"
	"fmt"
	"testing"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestThings: what a digest stands for, in the order asked, over several reads.
func TestThings(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		own := revocationtest.Settings().Own
		var digests []revocation.Digest
		for i := range 230 {
			value := fmt.Sprint(i)
			mustRevoke(t, s, revocation.KindSession, value)
			digests = append(digests, revocation.DigestOf(own, revocation.KindSession, value))
		}
		mustRevoke(t, s, revocation.KindSigned, "head.claims")
		digests = append(digests, revocation.DigestOf(own, revocation.KindSigned, "head.claims"), revocation.DigestOf(own, revocation.KindJTI, "nobody's"))
		things, err := s.Things(t.Context(), digests)
		if err != nil || len(things) != 232 {
			t.Fatalf("%d things, %v", len(things), err)
		}
		for i, thing := range things[:230] {
			if thing != (revocation.Thing{Issuer: own, Value: fmt.Sprint(i)}) {
				t.Errorf("%d: %+v", i, thing)
			}
		}
		if things[230] != (revocation.Thing{Issuer: own}) || things[231] != (revocation.Thing{}) {
			t.Errorf("%+v", things[230:])
		}
		k.client.Close()
		if _, err := s.Things(t.Context(), digests); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("without Redis: %v", err)
		}
	})
}
