package testkit

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// sentinelMaster is the name under which the Sentinels watch the primary.
const sentinelMaster = "mymaster"

// RedisSentinel is a primary with two replicas under three Sentinels, all of them
// processes that a test started.
type RedisSentinel struct {
	Servers   []*RedisServer // the first began as the primary
	Sentinels []*RedisServer

	tb      testing.TB
	proxies []*Proxy // of each server; nil without
}

// MustStartSentinel starts the servers and their Sentinels, waits until these know
// all and every replica is in step, and ends them with the test. A primary is given
// up after a second of silence. Skipped and failed as MustStartRedis is.
func MustStartSentinel(tb testing.TB) *RedisSentinel {
	tb.Helper()
	return mustStartSentinel(tb, false)
}

// MustStartProxiedSentinel is MustStartSentinel with a proxy before each server, by
// which clients, replicas and Sentinels know it: MustPartition needs them. A
// server's death then looks like one that accepts connections and ends them.
func MustStartProxiedSentinel(tb testing.TB) *RedisSentinel {
	tb.Helper()
	return mustStartSentinel(tb, true)
}

func mustStartSentinel(tb testing.TB, proxied bool) *RedisSentinel {
	tb.Helper()
	s := &RedisSentinel{tb: tb}
	for range 3 {
		n := MustStartRedis(tb, "--repl-diskless-sync-delay", "0", "--repl-timeout", "5")
		s.Servers = append(s.Servers, n)
		if proxied {
			p := MustProxy(tb, n.Addr)
			s.proxies = append(s.proxies, p)
			if err := n.do("config", "set", "replica-announce-ip", "127.0.0.1", "replica-announce-port", portOf(p.Addr)); err != nil {
				tb.Fatalf("announce: %v", err)
			}
		}
	}
	primary := portOf(s.addrOf(0))
	for _, n := range s.Servers[1:] {
		if err := n.do("replicaof", "127.0.0.1", primary); err != nil {
			tb.Fatalf("replicaof: %v", err)
		}
	}
	s.MustSettle()
	for range 3 {
		n := &RedisServer{
			tb: tb, binary: s.Servers[0].binary, dir: tb.TempDir(),
			sentinel: fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]s 2\nsentinel down-after-milliseconds %[1]s 1000\n"+
				"sentinel failover-timeout %[1]s 2000\nsentinel parallel-syncs %[1]s 2\n", sentinelMaster, primary),
		}
		n.mustStart()
		s.Sentinels = append(s.Sentinels, n)
		// Sentinels look every 10 s and tell every 2 s: what they do in half a minute
		// is then done in three seconds. Redis 6 does not know it, and takes its time.
		_ = n.do("sentinel", "debug", "info-period", 500, "publish-period", 300, "ask-period", 200, "ping-period", 200,
			"election-timeout", 2000, "min-link-reconnect-period", 1000, "tilt-period", 2000)
	}
	await(tb, "the Sentinels know each other and the replicas", func() bool {
		for _, n := range s.Sentinels {
			info, err := n.ask("info", "sentinel")
			if err != nil || !strings.Contains(info, "status=ok") || !strings.Contains(info, "slaves=2,sentinels=3") {
				return false
			}
		}
		return true
	})
	return s
}

// portOf is the port of an address.
func portOf(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic(err)
	}
	return port
}

// addrOf is the address by which others know a server.
func (s *RedisSentinel) addrOf(i int) string {
	if s.proxies != nil {
		return s.proxies[i].Addr
	}
	return s.Servers[i].Addr
}

// MustSettle waits until every server that runs is a primary or in step with one.
func (s *RedisSentinel) MustSettle() {
	s.tb.Helper()
	await(s.tb, "every replica is in step", func() bool {
		primaries := 0
		for _, n := range s.Servers {
			if n.cmd == nil {
				continue
			}
			if !n.inStep() {
				return false
			}
			if info, err := n.ask("info", "replication"); err != nil || strings.Contains(info, "role:master") {
				primaries++
			}
		}
		return primaries == 1
	})
}

// URL is a TOLLGATE_REDIS_URL that names every Sentinel.
func (s *RedisSentinel) URL() string {
	return "redis+sentinel://" + strings.Join(addrs(s.Sentinels), ",") + "/" + sentinelMaster + "/0"
}

// MustClient returns a client with the settings of the request path.
func (s *RedisSentinel) MustClient(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	return mustUniversal(tb, &redis.UniversalOptions{Addrs: addrs(s.Sentinels), MasterName: sentinelMaster})
}

// MustPrimary returns the server that every Sentinel takes for the primary.
func (s *RedisSentinel) MustPrimary() *RedisServer {
	s.tb.Helper()
	var primary *RedisServer
	await(s.tb, "the Sentinels name one primary", func() bool {
		primary = s.named()
		return primary != nil
	})
	return primary
}

// named is the server that every Sentinel names; nil when they do not agree.
func (s *RedisSentinel) named() *RedisServer {
	var primary *RedisServer
	for _, n := range s.Sentinels {
		if n.cmd == nil {
			continue
		}
		i := s.namedBy(n)
		if i < 0 || primary != nil && primary != s.Servers[i] {
			return nil
		}
		primary = s.Servers[i]
	}
	return primary
}

// namedBy is the index of the server that one Sentinel names; -1: none.
func (s *RedisSentinel) namedBy(sentinel *RedisServer) int {
	reply, err := sentinel.command("sentinel", "get-master-addr-by-name", sentinelMaster)
	parts, _ := reply.([]any)
	if err != nil || len(parts) != 2 {
		return -1
	}
	for i := range s.Servers {
		if portOf(s.addrOf(i)) == parts[1] {
			return i
		}
	}
	return -1
}

// MustAwaitOther waits until the Sentinels name another primary than old, and that
// one takes writes, and returns it.
func (s *RedisSentinel) MustAwaitOther(old *RedisServer) *RedisServer {
	s.tb.Helper()
	var primary *RedisServer
	await(s.tb, "there is another primary", func() bool {
		primary = s.other(old)
		return primary != nil
	})
	return primary
}

// other is the primary that the Sentinels name, if that is not old and takes writes.
func (s *RedisSentinel) other(old *RedisServer) *RedisServer {
	primary := s.named()
	if primary == nil || primary == old {
		return nil
	}
	info, err := primary.ask("info", "replication")
	if err != nil || !strings.Contains(info, "role:master") {
		return nil
	}
	return primary
}

// MustFailover makes the Sentinels promote a replica while the primary is well, and
// returns the new primary.
func (s *RedisSentinel) MustFailover() *RedisServer {
	s.tb.Helper()
	old := s.MustPrimary()
	var primary *RedisServer
	var asked time.Time
	await(s.tb, "there is another primary", func() bool {
		if primary = s.other(old); primary != nil {
			return true
		}
		// Again and again: on a busy machine a Sentinel that has begun may find no replica
		// that answers in time, and gives up without a word.
		if time.Since(asked) > 2*time.Second {
			asked = time.Now()
			_ = s.Sentinels[0].do("sentinel", "failover", sentinelMaster) // INPROG, NOGOODSLAVE: later
		}
		return false
	})
	return primary
}

// MustPartition cuts a server off: nothing that is sent to it arrives, and it does
// not know. It is still reached at its own Addr, as by those on its side of the
// partition. heal ends that.
func (s *RedisSentinel) MustPartition(n *RedisServer) (heal func()) {
	s.tb.Helper()
	for i := range s.Servers {
		if s.Servers[i] == n && s.proxies != nil {
			s.proxies[i].Freeze()
			return s.proxies[i].Heal
		}
	}
	s.tb.Fatalf("no proxy before %s: MustStartProxiedSentinel has them", n.Addr)
	return nil
}

// MustEmpty removes every key.
func (s *RedisSentinel) MustEmpty() {
	s.tb.Helper()
	if err := s.MustPrimary().do("flushall"); err != nil {
		s.tb.Fatalf("empty: %v", err)
	}
}
