package revocation_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// startPrimary starts a server that a replica can follow at once.
func startPrimary(t *testing.T, args ...string) *testkit.RedisServer {
	t.Helper()
	return testkit.MustStartRedis(t, append([]string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, args...)...)
}

// startReplica starts a replica of a server and waits until it follows.
func startReplica(t *testing.T, primary *testkit.RedisServer) *testkit.RedisServer {
	t.Helper()
	host, port, _ := strings.Cut(primary.Addr, ":")
	s := testkit.MustStartRedis(t, "--replicaof", host, port)
	awaitReplicas(t, primary.Addr, 1)
	return s
}

// awaitReplicas waits until a server has that many replicas that answer.
func awaitReplicas(t *testing.T, addr string, count int) {
	t.Helper()
	client := testkit.MustClient(t, addr)
	testkit.MustAwait(t, fmt.Sprintf("%d replicas", count), func() bool {
		info, _ := client.Info(t.Context(), "replication").Result()
		return strings.Count(info, "state=online") == count
	})
}

// startCluster starts a cluster of three primaries without replicas and returns its
// servers, the one with the slot of key first.
func startCluster(t *testing.T, key string) []*testkit.RedisServer {
	t.Helper()
	var nodes []*testkit.RedisServer
	owner := 0
	for i := range 3 {
		nodes = append(nodes, startNode(t, nodes))
		client := testkit.MustClient(t, nodes[i].Addr)
		from, to := i*16384/3, (i+1)*16384/3-1
		if err := client.ClusterAddSlotsRange(t.Context(), from, to).Err(); err != nil {
			t.Fatal(err)
		}
		if slot := client.ClusterKeySlot(t.Context(), key).Val(); int(slot) >= from && int(slot) <= to {
			owner = i
		}
	}
	awaitCluster(t, nodes)
	nodes[0], nodes[owner] = nodes[owner], nodes[0]
	return nodes
}

// startNode starts a server and makes it known to the others of its cluster.
func startNode(t *testing.T, others []*testkit.RedisServer) *testkit.RedisServer {
	t.Helper()
	bus := strconv.Itoa(testkit.MustFreePort(t))
	s := startPrimary(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000")
	host, port, _ := strings.Cut(s.Addr, ":")
	for _, o := range others {
		if err := testkit.MustClient(t, o.Addr).Do(t.Context(), "cluster", "meet", host, port, bus).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// awaitCluster waits until every node knows all and serves.
func awaitCluster(t *testing.T, nodes []*testkit.RedisServer) {
	t.Helper()
	for _, n := range nodes {
		client := testkit.MustClient(t, n.Addr)
		testkit.MustAwait(t, "the cluster", func() bool {
			info, _ := client.ClusterInfo(t.Context()).Result()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", len(nodes)))
		})
	}
}

// clusterClient is a client of a cluster, with the settings of the slow path.
func clusterClient(t *testing.T, nodes []*testkit.RedisServer) *redis.ClusterClient {
	t.Helper()
	var addrs []string
	for _, n := range nodes {
		addrs = append(addrs, n.Addr)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1, MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// moving is a client of one server whose next connections go to another one after
// move, as when a name or a Sentinel tells of it.
func moving(t *testing.T, addr string) (client redis.UniversalClient, move func(addr string)) {
	t.Helper()
	var mu sync.Mutex
	client = redis.NewClient(&redis.Options{
		ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1, MaxRetries: -1,
		Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	})
	t.Cleanup(func() { _ = client.Close() })
	return client, func(to string) {
		mu.Lock()
		defer mu.Unlock()
		addr = to
	}
}

// confirming opens a store whose changes replicas confirm.
func confirming(t *testing.T, client redis.UniversalClient, replicas int, within time.Duration) *revocation.Redis {
	t.Helper()
	s, err := revocation.NewRedis(client, "tg:", revocation.Settings{Own: "i"})
	if err != nil {
		t.Fatal(err)
	}
	s.Confirm(replicas, within)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
