//go:build chaos

package revocation_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// writer is a process that revokes one session after another.
type writer struct {
	store *revocation.Redis
	name  string
	mu    sync.Mutex
	acked []revocation.Revocation
	stop  func()
}

// write starts a writer; each of its statements has as long as a request has.
func write(t *testing.T, store *revocation.Redis, name string) *writer {
	t.Helper()
	w := &writer{store: store, name: name}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			one, done := context.WithTimeout(ctx, time.Second)
			r, err := store.Revoke(one, revocation.Order{Kind: revocation.KindSession, Value: fmt.Sprint(name, i)})
			done()
			if err == nil {
				w.mu.Lock()
				w.acked = append(w.acked, r)
				w.mu.Unlock()
			}
			time.Sleep(time.Millisecond)
		}
	})
	w.stop = sync.OnceFunc(func() { cancel(); work.Wait() })
	t.Cleanup(w.stop)
	return w
}

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// mustAckMore waits until that many more statements were acknowledged.
func (w *writer) mustAckMore(t *testing.T, more int) {
	t.Helper()
	start, from := time.Now(), w.count()
	testkit.MustAwaitWithin(t, time.Minute, w.name+": acknowledged statements", func() bool { return w.count() >= from+more })
	t.Logf("%s: %d more acknowledged after %s", w.name, more, time.Since(start).Round(time.Millisecond))
}
