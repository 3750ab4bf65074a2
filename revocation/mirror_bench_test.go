package revocation_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// BenchmarkMirrorCheck is a check of a token that nothing speaks of, beside entries of
// other tokens; prepared is what is left when the digests were kept.
func BenchmarkMirrorCheck(b *testing.B) {
	for _, size := range []int{1e4, 1e6} {
		_, client := testkit.MustMini(b)
		store, err := revocation.NewRedis(client, "tg:", revocationtest.Settings())
		if err != nil {
			b.Fatal(err)
		}
		if err := store.Open(b.Context()); err != nil {
			b.Fatal(err)
		}
		m, stop := benchMirror(b, store)
		defer stop()
		kinds := []revocation.Kind{revocation.KindJTI, revocation.KindJTI, revocation.KindSession, revocation.KindSubject}
		for i := range size {
			r := revocation.Record{Kind: kinds[i%4], Cut: 1, At: 1, ExpiresAt: time.Now().Unix() + 3600}
			binary.BigEndian.PutUint64(r.Digest[:], uint64(i)*0x9e3779b97f4a7c15)
			m.Hear(r)
		}
		now, err := m.Now(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		tok := &revocation.Token{
			Issuer: revocationtest.Settings().Own, Own: true, JTI: "9f2c1d0e8b7a46d5a3c2e1f0b9d8c7a6", SID: revocation.NewSessionID(now),
			Subject: "123456", KeyID: "0ZMpK3vN2j8", Born: now, IssuedAt: now / 1e6,
		}
		p := m.Prepare(tok)
		b.Run(fmt.Sprintf("whole/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := m.Check(context.Background(), tok); v.State != revocation.Clear {
					b.Fatalf("%+v", v)
				}
			}
		})
		b.Run(fmt.Sprintf("prepared/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := m.CheckPrepared(p); v.State != revocation.Clear {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}

func benchMirror(b *testing.B, store *revocation.Redis) (*revocation.Mirror, func()) {
	b.Helper()
	m, err := revocation.NewMirror(revocation.MirrorConfig{Store: store, Client: store.Client(), Prefix: "tg:"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.Run(ctx) }()
	for end := time.Now().Add(time.Minute); m.Ready() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("not loaded in a minute")
		}
	}
	return m, func() { cancel(); <-done }
}

// BenchmarkMirrorLoad reads a million records of a real redis-server.
func BenchmarkMirrorLoad(b *testing.B) {
	client := testkit.MustClient(b, testkit.MustStartRedis(b).Addr)
	store, err := revocation.NewRedis(client, "tg:", revocationtest.Settings())
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	mustFill(b, client, store, 1e6)
	for b.Loop() {
		m, stop := benchMirror(b, store)
		if got := m.Status().Entries; got < 1e6 {
			b.Fatalf("%d entries", got)
		}
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}
