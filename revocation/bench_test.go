package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

func BenchmarkRedisCheck(b *testing.B) {
	s, err := revocation.NewRedis(testkit.MustClient(b, testkit.MustStartRedis(b).Addr), "tg:", revocation.Settings{Own: "i"})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	tok := &revocation.Token{JTI: "j", SID: "s", Subject: "u", KeyID: "k", Born: 1 << 62, Own: true}
	for b.Loop() {
		if v := s.Check(b.Context(), tok); v.State != revocation.Clear {
			b.Fatalf("verdict %+v", v)
		}
	}
}

// BenchmarkRedisRevoke: "carrying" is the dearest write, one that also writes four
// long-lived entries again.
func BenchmarkRedisRevoke(b *testing.B) {
	for _, bc := range []struct {
		name string
		kind revocation.Kind
		life time.Duration
	}{{"plain", revocation.KindJTI, time.Hour}, {"carrying", revocation.KindSession, time.Millisecond}} {
		b.Run(bc.name, func(b *testing.B) {
			s, err := revocation.NewRedis(testkit.MustClient(b, testkit.MustStartRedis(b).Addr), "tg:",
				revocation.Settings{Own: "i", AccessLife: bc.life})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				n++
				if _, err := s.Revoke(b.Context(), revocation.Order{Kind: bc.kind, Value: fmt.Sprint(n)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
