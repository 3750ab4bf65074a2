package revocation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// BenchmarkFeedLoad reads a feed of 200,000 records from its beginning.
func BenchmarkFeedLoad(b *testing.B) {
	const count = 200_000
	client := testkit.MustClient(b, testkit.MustStartRedis(b, "--appendonly", "no").Addr)
	s, err := revocation.NewRedis(client, "tg:", revocation.Settings{Own: "i"})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	mustFill(b, client, s, count)
	b.ReportAllocs()
	for b.Loop() {
		applied := 0
		ctx, cancel := context.WithCancel(b.Context())
		feed, err := revocation.NewFeed(revocation.FeedConfig{
			Client: client, Prefix: "tg:", Block: time.Millisecond, Deadline: 10 * time.Second,
			Apply: func(records []revocation.Record) { applied += len(records) },
			Level: func(level bool, _ time.Time) {
				if level {
					cancel()
				}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := feed.Run(ctx); err != nil || applied != count {
			b.Fatalf("%d records applied, %v", applied, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/record")
}

// BenchmarkFeedTells measures from the call that revokes until the record is applied.
func BenchmarkFeedTells(b *testing.B) {
	server := testkit.MustStartRedis(b)
	s, err := revocation.NewRedis(testkit.MustClient(b, server.Addr), "tg:", revocation.Settings{Own: "i"})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	applied := make(chan int, 1)
	level := make(chan bool, 1)
	feed, err := revocation.NewFeed(revocation.FeedConfig{
		Client: testkit.MustClient(b, server.Addr), Prefix: "tg:", Block: block,
		Apply: func(records []revocation.Record) { applied <- len(records) },
		Level: func(bool, time.Time) {
			select {
			case level <- true:
			default:
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- feed.Run(ctx) }()
	<-level
	n := 0
	for b.Loop() {
		n++
		if _, err := s.Revoke(b.Context(), revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint(n)}); err != nil {
			b.Fatal(err)
		}
		<-applied
	}
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
}
