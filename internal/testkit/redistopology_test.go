package testkit_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// mustSetSoon writes until a write is taken.
func mustSetSoon(t *testing.T, client redis.UniversalClient, key string) {
	t.Helper()
	start := time.Now()
	for time.Since(start) < time.Minute {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := client.Set(ctx, key, "2", 0).Err()
		cancel()
		if err == nil {
			t.Logf("written after %s", time.Since(start).Round(time.Millisecond))
			return
		}
		if c, ok := client.(*redis.ClusterClient); ok {
			c.ReloadState(t.Context()) // go-redis does not when a dial fails
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("no write within a minute")
}

func TestClusterFailsOver(t *testing.T) {
	t.Parallel()
	start := time.Now()
	c := testkit.MustStartCluster(t)
	t.Logf("stands after %s", time.Since(start).Round(time.Millisecond))
	client := c.MustClient(t)
	for _, key := range []string{"{x}", "{y}", "{z}", "{rev}"} { // over all primaries
		if err := client.Set(t.Context(), key, "1", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	old := c.MustPrimaryFor("{rev}")
	replica := c.MustReplicaOf(old)
	old.MustKill()
	mustSetSoon(t, client, "{rev}")
	if got := c.MustPrimaryFor("{rev}"); got != replica {
		t.Errorf("%s serves the slot now, not its replica %s", got.Addr, replica.Addr)
	}
	old.MustRestart()
	c.MustSettle()
	if got := c.MustReplicaOf(replica); got != old {
		t.Errorf("%s is the replica now, not %s", got.Addr, old.Addr)
	}
	c.MustEmpty()
	if n, err := client.Exists(t.Context(), "{rev}").Result(); n != 0 || err != nil {
		t.Errorf("after MustEmpty: %d, %v", n, err)
	}
}
