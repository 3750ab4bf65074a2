package admin

import (
	"context"
	"net/http"
	"sync"

	"tollgate/internal/problem"
)

// Bounds of the requests that wait at a time: followers of the audit log, and revocations
// that wait for the edges. Each holds a connection.
const (
	waitsOfOne = 32  // with one admin token
	waitsInAll = 512 // of them
)

// waits counts the requests that wait, and knows when waiting is over: a process that
// stops must not be held up by them.
type waits struct {
	life context.Context // ends when the process stops
	stop context.CancelFunc

	mu  sync.Mutex // guards what follows
	of  map[string]int
	all int
}

func newWaits() *waits {
	w := &waits{of: map[string]int{}}
	w.life, w.stop = context.WithCancel(context.Background())
	return w
}

// begin takes a place for one request of whom the id is; done gives it back.
func (w *waits) begin(id string) (done func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.of[id] >= waitsOfOne:
		return nil, crowded("So many requests with this admin token wait already that no more may.")
	case w.all >= waitsInAll:
		return nil, crowded("So many requests wait already that no more may.")
	}
	w.of[id]++
	w.all++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all--
		if w.of[id]--; w.of[id] == 0 {
			delete(w.of, id)
		}
	}, nil
}

func crowded(why string) error {
	return &problem.Details{Status: http.StatusTooManyRequests, Code: "too_many_waits", Detail: why + " Nothing was done; without a wait the same is answered."}
}

// until returns a context that ends with ctx, or when the process stops.
func (w *waits) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(w.life, cancel)
	return ctx, func() { unhook(); cancel() }
}

// RunWaits reads the audit log for all who follow it, until ctx ends. Then those who wait,
// for a line or for the edges, are answered at once. It returns nil.
func (a *Admin) RunWaits(ctx context.Context) error {
	defer a.waits.stop()
	if a.tail == nil {
		<-ctx.Done()
		return nil
	}
	return a.tail.Run(ctx)
}
