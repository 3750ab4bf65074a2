package testkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	clusterPrimaries = 3
	clusterSlots     = 16384
	// topologyPatience is how long a topology may take to stand. It needs 3 s on a
	// machine at rest.
	topologyPatience = 60 * time.Second
)

// RedisCluster is a Redis Cluster of three primaries with a replica each, of
// processes that a test started.
type RedisCluster struct {
	Nodes []*RedisServer // the first three began as primaries, node i+3 as the replica of i

	tb testing.TB
}

// MustStartCluster starts a cluster, waits until every node says that it is in
// order and every replica is in step, and ends it with the test. A node is given up
// by the others after a second of silence. Skipped and failed as MustStartRedis is.
func MustStartCluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	c := &RedisCluster{tb: tb}
	for range 2 * clusterPrimaries {
		c.Nodes = append(c.Nodes, MustStartRedis(
			tb, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(MustFreePort(tb)),
			"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
			"--repl-diskless-sync-delay", "0",
		))
	}
	c.mustMeet()
	c.mustReplicate()
	c.MustSettle()
	return c
}

// mustMeet gives the primaries their slots and makes all nodes know each other.
func (c *RedisCluster) mustMeet() {
	c.tb.Helper()
	var seeds []any
	for i, n := range c.Nodes {
		if err := n.do("cluster", "set-config-epoch", i+1); err != nil {
			c.tb.Fatalf("cluster epoch: %v", err)
		}
		if i < clusterPrimaries {
			from, to := i*clusterSlots/clusterPrimaries, (i+1)*clusterSlots/clusterPrimaries-1
			if err := n.do("cluster", "addslotsrange", from, to); err != nil {
				c.tb.Fatalf("cluster slots: %v", err)
			}
		}
		seeds = []any{"cluster", "meet", "127.0.0.1", n.port, n.clusterPort()}
		if err := c.Nodes[0].do(seeds...); err != nil {
			c.tb.Fatalf("cluster meet: %v", err)
		}
	}
	c.await("all nodes know each other", func(n *RedisServer) bool {
		nodes, err := n.ask("cluster", "nodes")
		return err == nil && strings.Count(nodes, " connected") == len(c.Nodes) && !strings.Contains(nodes, "handshake")
	})
}

// mustReplicate makes node i+3 the replica of node i.
func (c *RedisCluster) mustReplicate() {
	c.tb.Helper()
	for i, n := range c.Nodes[clusterPrimaries:] {
		id, err := c.Nodes[i].commandWithin(10*time.Second, "cluster", "myid")
		if err == nil {
			err = n.do("cluster", "replicate", id)
		}
		if err != nil {
			c.tb.Fatalf("cluster replicate: %v", err)
		}
	}
}

// MustSettle waits until every node that runs says that the cluster is in order,
// and every replica among them is in step with its primary.
func (c *RedisCluster) MustSettle() {
	c.tb.Helper()
	c.await("cluster_state:ok everywhere", func(n *RedisServer) bool {
		info, err := n.ask("cluster", "info")
		return err == nil && strings.Contains(info, "cluster_state:ok") && n.inStep()
	})
}

func (c *RedisCluster) await(what string, holds func(*RedisServer) bool) {
	c.tb.Helper()
	await(c.tb, what, func() bool {
		return !slices.ContainsFunc(c.Nodes, func(n *RedisServer) bool { return n.cmd != nil && !holds(n) })
	})
}

// URL is a TOLLGATE_REDIS_URL that names every node.
func (c *RedisCluster) URL() string { return "redis+cluster://" + strings.Join(c.Addrs(), ",") }

// Addrs are the addresses (host:port) of all nodes.
func (c *RedisCluster) Addrs() []string { return addrs(c.Nodes) }

// MustClient returns a client with the settings of the request path.
func (c *RedisCluster) MustClient(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	return mustUniversal(tb, &redis.UniversalOptions{Addrs: c.Addrs(), IsClusterMode: true})
}

// MustPrimaryFor returns the node that now serves the slot of key, as the other
// nodes that run see it.
func (c *RedisCluster) MustPrimaryFor(key string) *RedisServer {
	c.tb.Helper()
	var owner *RedisServer
	await(c.tb, "a primary of "+key, func() bool {
		owner = slices.Collect(c.owners(key))[0]
		return owner != nil
	})
	return owner
}

// owners yields the node that a majority of those that run take for the owner of
// key's slot, or nil.
func (c *RedisCluster) owners(key string) func(func(*RedisServer) bool) {
	return func(yield func(*RedisServer) bool) {
		votes := map[int]int{}
		running := 0
		for _, n := range c.Nodes {
			if n.cmd == nil {
				continue
			}
			running++
			if port, err := n.ownerOf(key); err == nil {
				votes[port]++
			}
		}
		for _, n := range c.Nodes {
			if 2*votes[n.port] > running {
				yield(n)
				return
			}
		}
		yield(nil)
	}
}

// MustReplicaOf returns a node that replicates primary.
func (c *RedisCluster) MustReplicaOf(primary *RedisServer) *RedisServer {
	c.tb.Helper()
	for _, n := range c.Nodes {
		if n.cmd == nil || n == primary {
			continue
		}
		if info, err := n.ask("info", "replication"); err == nil && strings.Contains(info, fmt.Sprintf("master_port:%d\r\n", primary.port)) {
			return n
		}
	}
	c.tb.Fatalf("no replica of %s", primary.Addr)
	return nil
}

// MustHandOver makes a replica the primary in agreement with its own, which loses
// nothing, and waits until the others know.
func (c *RedisCluster) MustHandOver(replica *RedisServer, key string) {
	c.tb.Helper()
	var asked time.Time
	await(c.tb, "the replica has taken over", func() bool {
		if time.Since(asked) > 6*time.Second { // the nodes give one attempt up after five
			asked = time.Now()
			_ = replica.do("cluster", "failover") // refused once it is the primary
		}
		port, err := replica.ownerOf(key)
		return err == nil && port == replica.port && c.MustPrimaryFor(key) == replica
	})
}

// MustEmpty removes every key of the cluster.
func (c *RedisCluster) MustEmpty() {
	c.tb.Helper()
	for _, n := range c.Nodes {
		if err := n.do("flushall"); err != nil && !redis.HasErrorPrefix(err, "READONLY") {
			c.tb.Fatalf("empty %s: %v", n.Addr, err)
		}
	}
}

// ownerOf asks a node for the port of the primary of key's slot.
func (s *RedisServer) ownerOf(key string) (int, error) {
	slot, err := s.command("cluster", "keyslot", key)
	if err != nil {
		return 0, err
	}
	reply, err := s.command("cluster", "slots")
	if err != nil {
		return 0, err
	}
	ranges, _ := reply.([]any)
	for _, r := range ranges {
		row, _ := r.([]any)
		if len(row) < 3 || slot.(int64) < row[0].(int64) || slot.(int64) > row[1].(int64) {
			continue
		}
		node, _ := row[2].([]any)
		port, _ := node[1].(int64)
		return int(port), nil
	}
	return 0, errors.New("nobody has the slot")
}

// clusterPort is the port of the cluster bus.
func (s *RedisServer) clusterPort() string { return s.args[slices.Index(s.args, "--cluster-port")+1] }

// inStep says whether a replica has all its primary had. A primary is.
func (s *RedisServer) inStep() bool {
	info, err := s.ask("info", "replication")
	return err == nil && (strings.Contains(info, "role:master") ||
		strings.Contains(info, "master_link_status:up") && strings.Contains(info, "master_sync_in_progress:0"))
}

// command sends one command to the server, past every proxy. It is soon done with one
// that says nothing: whoever asks again and again uses it.
func (s *RedisServer) command(args ...any) (any, error) { return s.commandWithin(time.Second, args...) }

func (s *RedisServer) commandWithin(patience time.Duration, args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: s.Addr, ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1, MaxRetries: -1, Protocol: 2, ReadTimeout: patience})
	defer c.Close()
	return c.Do(ctx, args...).Result()
}

// do waits longer: most commands are sent once, to a machine that may be busy.
func (s *RedisServer) do(args ...any) error {
	_, err := s.commandWithin(10*time.Second, args...)
	return err
}

func (s *RedisServer) ask(args ...any) (string, error) {
	reply, err := s.command(args...)
	text, _ := reply.(string)
	return text, err
}
