package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestCensusOfMany: as many edges as docs/scale.md speaks of are counted, whether their
// names are known or not.
func TestCensusOfMany(t *testing.T) {
	t.Parallel()
	const many = 10_000
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	mustOpen(t, client, revocationtest.Settings())
	until := float64(time.Now().Add(time.Hour).UnixMicro())
	_, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range many {
			name := fmt.Sprint("edge-", i)
			p.ZAdd(t.Context(), "tg:{rev}:edges", redis.Z{Score: until, Member: name})
			p.HSet(t.Context(), "tg:{rev}:edge:"+name, "epoch", "e", "n", i%2)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	census := mustCensus(t, client)
	// On a busy machine a count may run out of time; the names that it has read are kept.
	var live, applied int
	testkit.MustAwait(t, "a count", func() bool {
		live, applied, err = census.Count(t.Context(), 1, "e")
		return err == nil
	}, func() string { return fmt.Sprint(err) })
	if live != many || applied != many/2 {
		t.Errorf("%d live, %d applied", live, applied)
	}
	if list, err := census.Edges(t.Context()); err != nil || len(list) != many {
		t.Errorf("%d edges, %v", len(list), err)
	}
}

// TestMendingByMany: so many processes that were at putting back and died do not keep a loss
// from being mended.
func TestMendingByMany(t *testing.T) {
	t.Parallel()
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	store := mustOpen(t, client, revocationtest.Settings())
	var gone []any
	for i := range 10_000 {
		gone = append(gone, fmt.Sprint("m:", i), 1)
	}
	for name, end := range map[string]func() error{
		"recover": func() error { return store.Recover(t.Context(), revocation.Recovery{Actor: "ann"}) },
		"lose":    func() error { return store.Lose(t.Context()) },
	} {
		if err := client.HSet(t.Context(), store.EpochKey(), gone...).Err(); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := client.HLen(t.Context(), store.EpochKey()).Val(); n > 30 {
			t.Errorf("%s leaves %d fields", name, n)
		}
	}
}
