package revocationsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// TestMain silences what go-redis says of lines that are meant to fail.
func TestMain(m *testing.M) {
	testkit.QuietRedis()
	os.Exit(m.Run())
}

// plan is one simulation.
type plan struct {
	edges  int
	rate   int           // revocations and undos in a second
	calm   time.Duration // without faults: what is measured
	faults time.Duration // with restarts and partitions after it
	each   time.Duration // time between two faults
	most   time.Duration // length of the longest partition
}

// TestSimulation is the small one; the full one is TestSimulationOf300.
func TestSimulation(t *testing.T) {
	t.Parallel()
	simulate(t, plan{edges: 20, rate: 20, calm: 1500 * time.Millisecond, faults: 3 * time.Second, each: 150 * time.Millisecond, most: 2 * time.Second})
}

// world is a running simulation.
type world struct {
	plan
	edges []*edge
	lags  lags
	book  book
}

func simulate(t *testing.T, p plan) {
	server := testkit.MustStartRedis(t)
	client := testkit.MustClient(t, server.Addr)
	store, err := revocation.NewRedis(client, prefix, settings())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &world{plan: p, book: book{store: store}}
	for i := range p.edges {
		e := &edge{name: fmt.Sprintf("edge-%d", i), line: newLine(server.Addr), lags: &w.lags}
		e.mustStart(t)
		t.Cleanup(func() { e.kill() })
		w.edges = append(w.edges, e)
	}
	w.mustConverge(t, "at first")

	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	writers.Go(func() { w.book.write(ctx, t, p.rate) })
	writers.Go(func() { w.watch(ctx, t) })
	before := mustCost(t, client)
	time.Sleep(p.calm)
	after := mustCost(t, client)
	w.disturb(t)
	stop()
	writers.Wait()
	took := w.mustConverge(t, "at the end")
	w.book.mustAgree(t, w.edges)

	w.lags.mu.Lock()
	defer w.lags.mu.Unlock()
	t.Logf("%d edges, %d changes of %d things, load average %s", p.edges, w.book.changes, len(w.book.things), loadAverage())
	t.Logf("lag of undisturbed edges: %s", quantiles(w.lags.calm))
	t.Logf("records that disturbed edges read late, or again: %d; level %s after the last fault", len(w.lags.troubled), took.Round(time.Millisecond))
	t.Logf("without faults: %s", after.since(before, p.edges))
}

// mustConverge waits until every mirror knows what Redis holds now.
func (w *world) mustConverge(t *testing.T, when string) time.Duration {
	t.Helper()
	from := time.Now()
	for _, e := range w.edges {
		testkit.MustAwaitWithin(t, time.Minute, when+": "+e.name+" is level", func() bool { return e.level(from) },
			func() string { return fmt.Sprintf("%+v", e.mirror.Load().Status()) })
		e.disturbed.Store(false)
	}
	return time.Since(from)
}

// disturb restarts, cuts and freezes edges, and heals them all in the end.
func (w *world) disturb(t *testing.T) {
	t.Helper()
	var away sync.WaitGroup
	free := make(chan *edge, len(w.edges))
	for _, i := range rand.Perm(len(w.edges)) {
		free <- w.edges[i]
	}
	for end := time.Now().Add(w.faults); time.Now().Before(end); time.Sleep(w.each) {
		var e *edge
		select {
		case e = <-free:
		default:
			continue // every edge is in trouble
		}
		how, length := rand.IntN(3), time.Duration(rand.Int64N(int64(w.most)))
		away.Go(func() {
			e.disturbed.Store(true)
			w.trouble(t, e, how, length)
			for from := time.Now(); !e.level(from) && time.Since(from) < time.Minute; {
				time.Sleep(5 * time.Millisecond)
			}
			e.disturbed.Store(false)
			free <- e
		})
	}
	away.Wait()
}

// trouble is one fault of one edge.
func (w *world) trouble(t *testing.T, e *edge, how int, length time.Duration) {
	if how == 0 {
		e.kill()
		time.Sleep(length / 4)
		e.mustStart(t)
		return
	}
	e.line.set(how == 1, how == 2)
	from := time.Now()
	time.Sleep(length)
	if s := e.mirror.Load().Status(); s.Stale < length {
		t.Errorf("%s was away for %s and says that it knows all up to %s ago", e.name, time.Since(from), s.Stale)
	}
	e.line.set(false, false)
}

// watch asks edges about what is revoked: whoever says that a token is clear must not
// claim to know the moment at which the revocation was acknowledged.
func (w *world) watch(ctx context.Context, t *testing.T) {
	count := 0
	for ctx.Err() == nil {
		e := w.edges[rand.IntN(len(w.edges))]
		thing, ok := w.book.revoked()
		if !ok {
			time.Sleep(time.Millisecond)
			continue
		}
		m := e.mirror.Load()
		asked := time.Now() // not the moment after: this goroutine may have stood still since
		v := m.Check(ctx, thing.token)
		knows := asked.Add(-v.Stale)
		if v.State == revocation.Clear && knows.After(thing.acked) && w.book.still(thing) {
			t.Errorf("%s knows all up to %s and lets through what was revoked at %s: %+v", e.name, knows, thing.acked, v)
			return
		}
		if count++; count%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	if count == 0 {
		t.Error("nobody was asked")
	}
}
