package revocationsim

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
)

const (
	prefix   = "tg:"
	own      = "https://issuer.example"
	maxStale = 5 * time.Second
)

func settings() revocation.Settings { return revocation.Settings{Own: own, Leeway: 10 * time.Second} }

// edge is a process with a mirror that registers, as cmd wires it.
type edge struct {
	name string
	line *line
	lags *lags

	mirror atomic.Pointer[revocation.Mirror]
	// disturbed: restarted, or its line is or was away, and not level since.
	disturbed atomic.Bool
	life      life // of its present process; the director's
}

// life ends a process.
type life struct {
	cancel context.CancelFunc
	done   *sync.WaitGroup
	close  func()
}

// lags collects how long after a revocation mirrors have applied it.
type lags struct {
	mu             sync.Mutex
	calm, troubled []time.Duration
}

func (l *lags) add(records []revocation.Record, troubled bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		lag := now.Sub(time.UnixMicro(r.At)) // one machine, one clock
		if troubled {
			l.troubled = append(l.troubled, lag)
		} else {
			l.calm = append(l.calm, lag)
		}
	}
}

// mustStart starts the edge's process: it registers, then follows the feed.
func (e *edge) mustStart(t testing.TB) {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: e.line.addr, Dialer: e.line.dial, ContextTimeoutEnabled: true, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1,
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second, PoolSize: 4,
	})
	store, err := revocation.NewRedis(client, prefix, settings())
	if err != nil {
		t.Fatal(err)
	}
	var registrar *revocation.Registrar
	mirror, err := revocation.NewMirror(revocation.MirrorConfig{
		Store: store, Client: client, Prefix: prefix, MaxStale: maxStale,
		Heard: func(records []revocation.Record) {
			e.lags.add(records, e.disturbed.Load())
			for _, r := range records {
				if r.Wanted {
					registrar.Applied(r.N)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	registrar, err = revocation.NewRegistrar(revocation.RegistrarConfig{
		Client: client, Prefix: prefix, Name: e.name, ClosesAfter: func() time.Duration { return maxStale },
		Report: func() revocation.EdgeReport {
			s := mirror.Status()
			if !s.Level {
				return revocation.EdgeReport{}
			}
			return revocation.EdgeReport{N: s.N, Epoch: s.Epoch.ID, Nonce: s.Nonce, ID: s.ID, Stale: s.Stale, Entries: s.Entries}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() {
		for registrar.Register(ctx) != nil && ctx.Err() == nil { // an edge that starts while Redis is away
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		loops.Go(func() { _ = registrar.Run(ctx) })
		_ = mirror.Run(ctx)
	})
	e.life = life{cancel: cancel, done: &loops, close: func() { _ = client.Close() }}
	e.mirror.Store(mirror)
}

// kill ends the process, which tells nobody.
func (e *edge) kill() {
	e.life.cancel()
	e.life.close()
	e.life.done.Wait()
}

// level says whether what the mirror knows is from after that moment.
func (e *edge) level(from time.Time) bool {
	s := e.mirror.Load().Status()
	return s.Level && !s.Doubt && time.Now().Add(-s.Stale).After(from)
}
