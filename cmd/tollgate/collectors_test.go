package main

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

// TestRedisIsTimed: what a client sends is told with its name, its dials too, and the
// pools show it.
func TestRedisIsTimed(t *testing.T) {
	mini, _ := testkit.MustMini(t)
	clients, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": "redis://" + mini.Addr(), "TOLLGATE_REDIS_OP_TIMEOUT": "5s"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = clients.Close() })
	var mu sync.Mutex
	told := map[string]int{}
	clients.timed(func(op string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if told[op]++; took <= 0 {
			t.Errorf("%s took %s", op, took)
		}
	})
	for _, client := range []redis.UniversalClient{clients.Hot, clients.Slow} {
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	pipe := clients.Slow.Pipeline()
	pipe.Ping(t.Context())
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if told["ping"] < 2 || told["pipeline"] == 0 || told["dial"] < 2 {
		t.Errorf("told of %v", told)
	}
	got := gathered(t, newRedisCollector(clients))
	if !slices.Contains(got, "tollgate_redis_pool_total{client=hot} 1") || !slices.Contains(got, "tollgate_redis_pool_total{client=slow} 1") {
		t.Errorf("pools: %q", got)
	}
}

func TestHandshakesAreShown(t *testing.T) {
	state := server.Handshakes{}
	c := newTLSCollector(func() server.Handshakes { return state })
	if got := gathered(t, c); len(got) != 0 {
		t.Errorf("without TLS: %q", got)
	}
	state = server.Handshakes{UnderWay: 1, Most: 8192}
	if got := gathered(t, c); len(got) != 4 || !slices.Contains(got, "tollgate_tls_handshakes_inflight{} 1") {
		t.Errorf("with TLS: %q", got)
	}
}

// TestKeysAreShown: the ring of a running system, each state, and when it turns.
func TestKeysAreShown(t *testing.T) {
	t.Parallel()
	s := mustSystem(t, "TOLLGATE_SIGNING_ALG=ES256,RS256", "TOLLGATE_ACCESS_LOG=false")
	body := s.mustSend("GET", s.Ops+"/metrics", nil).Body
	for _, want := range []string{
		`tollgate_keys{alg="ES256",state="active"} 1`, `tollgate_keys{alg="RS256",state="pending"} 1`, `tollgate_keys{alg="RS256",state="revoked"} 0`,
		`tollgate_key_next_rotation_timestamp_seconds{alg="ES256"} `, `tollgate_key_ring_age_seconds `, `tollgate_key_age_seconds{kid="`,
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	s.eventually("shows what it checks", 30*time.Second, func() bool {
		body := s.mustSend("GET", s.Ops+"/metrics", nil).Body
		return strings.Contains(body, "\ntollgate_ready 1\n") && strings.Contains(body, "\ntollgate_ready_check{check=\"redis\"} 1\n")
	})
}
