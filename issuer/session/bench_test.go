package session

import (
	"testing"

	"tollgate/internal/testkit"
)

// BenchmarkRotate is a whole refresh without the signing: the check, the rotation,
// the index, the mark that it was delivered.
func BenchmarkRotate(bench *testing.B) {
	b := mustBox(bench, testkit.MustClient(bench, testkit.MustStartRedis(bench).Addr), ordinary())
	bench.RunParallel(func(pb *testing.PB) {
		p := b.mustStart(bench, "7")
		for pb.Next() {
			next, err := b.Rotate(bench.Context(), p.SID, p.Generation, p.Refresh.JTI, ForSubject("7"), SignedBy("k"))
			if err != nil {
				bench.Error(err)
				return
			}
			if err := b.Delivered(bench.Context(), next.SID, next.Generation); err != nil {
				bench.Error(err)
				return
			}
			p = next
		}
	})
}
