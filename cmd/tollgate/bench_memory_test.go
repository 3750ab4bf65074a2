//go:build bench

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// TestBenchRedisMemory measures what a redis-server holds of 100,000 of each of the
// things that come in numbers, as the product's own stores write them: used_memory
// after less before. docs/sizing.md scales it to a million.
func TestBenchRedisMemory(t *testing.T) {
	const many = 100_000
	on := func(name string, with func(*testing.T, redis.UniversalClient) func(context.Context, int) error) {
		t.Run(name, func(t *testing.T) {
			client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
			write := with(t, client)
			if err := write(t.Context(), many); err != nil { // scripts and streams are there
				t.Fatal(err)
			}
			before := mustUsedMemory(t, client)
			mustEach(t, many, write)
			each := float64(mustUsedMemory(t, client)-before) / many
			t.Logf("%.0f bytes each, %.2f GB a million", each, each*1e6/1e9)
		})
	}
	for _, kind := range []revocation.Kind{revocation.KindJTI, revocation.KindSession, revocation.KindSubject} {
		on("revocation of a "+string(kind), func(t *testing.T, client redis.UniversalClient) func(context.Context, int) error {
			rev := mustRevocations(t, client)
			return func(ctx context.Context, n int) error {
				_, err := rev.Revoke(ctx, revocation.Order{Kind: kind, Value: fmt.Sprintf("%032x", n), Subject: strconv.Itoa(n), Reason: "laptop stolen", Actor: "on-call"})
				return err
			}
		})
	}
	on("session", func(t *testing.T, client redis.UniversalClient) func(context.Context, int) error {
		rev := mustRevocations(t, client)
		sessions := session.NewStore(client, "tg:", testIssuer, session.Settings{
			AccessTTL: 5 * time.Minute, RefreshTTL: 24 * time.Hour, MaxTTL: 720 * time.Hour, Grace: 5 * time.Second, Leeway: 10 * time.Second, Rotate: true,
		}, rev)
		return func(ctx context.Context, n int) error {
			born, err := rev.Now(ctx)
			if err == nil {
				_, err = sessions.Start(ctx, session.Start{Birth: born, Subject: strconv.Itoa(n), Username: fmt.Sprintf("user%d", n), Address: "203.0.113.7",
					Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"})
			}
			return err
		}
	})
	on("audit line of a log-in", func(_ *testing.T, client redis.UniversalClient) func(context.Context, int) error {
		audit := store.NewAudit(client, "tg:", store.AuditSettings{Lines: 10 * many})
		return func(ctx context.Context, n int) error {
			return audit.Note(ctx, []store.Line{{Actor: fmt.Sprintf("user%d", n), ActorID: strconv.Itoa(n), Session: fmt.Sprintf("%032x", n), Action: "login",
				Remote: "203.0.113.7", Via: "public", Outcome: store.OutcomeDone, RequestID: fmt.Sprintf("%032x", n)}})
		}
	})
	on("audit lines of an action", func(_ *testing.T, client redis.UniversalClient) func(context.Context, int) error {
		audit := store.NewAudit(client, "tg:", store.AuditSettings{Lines: 10 * many})
		return func(ctx context.Context, n int) error {
			l := store.Line{Actor: "on-call", ActorID: "1", Role: "operator", Action: "session.end", Kind: "session", Target: fmt.Sprintf("%032x", n),
				Remote: "203.0.113.7", Via: "api", RequestID: fmt.Sprintf("%032x", n)}
			if err := audit.Begin(ctx, &l); err != nil {
				return err
			}
			l.Outcome = store.OutcomeDone
			return audit.Settle(ctx, l)
		}
	})
}

func mustRevocations(t *testing.T, client redis.UniversalClient) *revocation.Redis {
	t.Helper()
	rev, err := revocation.NewRedis(client, "tg:", revocation.Settings{Own: testIssuer, Leeway: 10 * time.Second, AccessLife: time.Hour})
	if err == nil {
		err = rev.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func mustEach(t *testing.T, many int, write func(context.Context, int) error) {
	t.Helper()
	var next atomic.Int64
	var work sync.WaitGroup
	for range 32 {
		work.Go(func() {
			for n := next.Add(1); n <= int64(many); n = next.Add(1) {
				if err := write(t.Context(), int(n)-1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
}

func mustUsedMemory(t *testing.T, client redis.UniversalClient) int {
	t.Helper()
	for line := range strings.SplitSeq(client.Info(t.Context(), "memory").Val(), "\r\n") {
		if text, found := strings.CutPrefix(line, "used_memory:"); found {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the redis-server does not say what it uses")
	return 0
}

// TestBenchConnections measures what an open connection costs that has had one request
// with a token and waits for the next: resident memory of the built binary.
func TestBenchConnections(t *testing.T) {
	const many = 5000
	s := mustBench(t, "TOLLGATE_IDLE_TIMEOUT=10m")
	access := s.mustLogin("ada", benchPassword).Access
	once := func() net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.Public, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "GET /hello HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n", access)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("a call: %v %v", res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return conn
	}
	once()
	before := s.resident()
	for range many {
		once()
	}
	after := s.resident()
	t.Logf("%d connections: from %d to %d KiB, %.1f KiB each", many, before, after, float64(after-before)/many)
}

// resident is the resident memory of tollgate, in KiB.
func (b *benched) resident() int {
	b.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.processes["tollgate"]))
	if err != nil {
		b.tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.tb.Fatal(err)
	}
	return kib
}
