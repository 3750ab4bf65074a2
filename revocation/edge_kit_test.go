package revocation_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

// edge is a process with its registrar. What it reports is the test's to set.
type edge struct {
	*revocation.Registrar
	client redis.UniversalClient
	says   atomic.Pointer[revocation.EdgeReport]
	closes atomic.Int64
}

// marked is the report with what the feed has of record N, if it has it.
func marked(client redis.UniversalClient, e revocation.EdgeReport) revocation.EdgeReport {
	for _, m := range client.XRange(context.Background(), "tg:{rev}:feed", "-", "+").Val() {
		if w := words(m); w["n"] == strconv.FormatUint(e.N, 10) {
			e.Nonce = w["nonce"]
			at, _, _ := strings.Cut(m.ID, "-")
			e.ID, _ = strconv.ParseInt(at, 10, 64)
		}
	}
	return e
}

func (e *edge) say(n uint64, epoch string) {
	says := marked(e.client, revocation.EdgeReport{N: n, Epoch: epoch, Stale: 120 * time.Millisecond, Entries: 7, KeySet: "keys", Routes: "routes"})
	e.says.Store(&says)
}

// mustEdge makes an edge that is not registered.
func mustEdge(t *testing.T, client redis.UniversalClient, name string) *edge {
	t.Helper()
	e := &edge{client: client}
	e.says.Store(&revocation.EdgeReport{})
	e.closes.Store(int64(2 * time.Second))
	var err error
	e.Registrar, err = revocation.NewRegistrar(revocation.RegistrarConfig{
		Client: client, Prefix: "tg:", Name: name, Version: "v1",
		Report:      func() revocation.EdgeReport { return *e.says.Load() },
		ClosesAfter: func() time.Duration { return time.Duration(e.closes.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *edge) mustRegister(t *testing.T) {
	t.Helper()
	if err := e.Register(t.Context()); err != nil {
		t.Fatalf("register: %v", err)
	}
}

func mustCensus(t *testing.T, client redis.UniversalClient) *revocation.Census {
	t.Helper()
	c, err := revocation.NewCensus(client, "tg:")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantCount(t *testing.T, c *revocation.Census, n uint64, epoch string, live, applied int) {
	t.Helper()
	gotLive, gotApplied, err := c.Count(t.Context(), n, epoch)
	if err != nil || gotLive != live || gotApplied != applied {
		t.Fatalf("%d live, %d applied (%v); want %d, %d", gotLive, gotApplied, err, live, applied)
	}
}

// register is the register by names.
func register(t *testing.T, c *revocation.Census) map[string]revocation.Edge {
	t.Helper()
	list, err := c.Edges(t.Context())
	if err != nil {
		t.Fatalf("edges: %v", err)
	}
	out := map[string]revocation.Edge{}
	for i, e := range list {
		if i > 0 && e.Name <= list[i-1].Name {
			t.Errorf("%s after %s", e.Name, list[i-1].Name)
		}
		out[e.Name] = e
	}
	return out
}

// following is an edge as it runs: it registers, and only then follows the feed.
type following struct {
	*revocation.Registrar
	follower *follower
	mu       sync.Mutex
	says     revocation.EdgeReport
	paused   atomic.Bool // applies what it reads, and says nothing of it
}

func mustFollow(t *testing.T, client redis.UniversalClient, name string) *following {
	t.Helper()
	e := &following{}
	var err error
	e.Registrar, err = revocation.NewRegistrar(revocation.RegistrarConfig{
		Client: client, Prefix: "tg:", Name: name, ClosesAfter: func() time.Duration { return time.Second },
		Report: func() revocation.EdgeReport {
			e.mu.Lock()
			defer e.mu.Unlock()
			return marked(client, e.says)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	var epoch string // of the last scan; the feed calls one function at a time
	e.follower = follow(t, client, func(c *revocation.FeedConfig) {
		take, told, level := c.Apply, c.Epoch, c.Level
		c.Epoch = func(at revocation.Epoch) { epoch = at.ID; told(at) }
		c.Apply = func(records []revocation.Record) {
			take(records)
			if e.paused.Load() {
				return
			}
			e.mu.Lock()
			e.says.N = records[len(records)-1].N
			e.mu.Unlock()
			for _, r := range records {
				if r.Wanted {
					e.Applied(r.N)
				}
			}
		}
		c.Level = func(is bool, sent time.Time) {
			if is {
				e.mu.Lock()
				e.says.Epoch = epoch
				e.mu.Unlock()
			}
			level(is, sent)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return e
}
