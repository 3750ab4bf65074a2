//go:build chaos

package main

import (
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosStoppedEdge: an edge is stopped (SIGSTOP) and continued. What it then
// answers first, to those who have waited, it answers with what it knows not to know.
func TestChaosStoppedEdge(t *testing.T) {
	t.Parallel()
	f := mustFleet(t, plan{Redis: testkit.MustStartRedis(t)})
	w := mustWitness(t, f, 4)
	e := f.Edges[0]
	for range full(3, 1) {
		w.mustAckMore(50)
		w.during("one edge is stopped", func() {
			w.excuse(e, true)
			e.signal(syscall.SIGSTOP)
			w.mustAckMore(4)
			time.Sleep(time.Duration(full(20, 6)) * time.Second)
			w.mu.Lock()
			var these []*held
			for _, h := range w.acked {
				if h.mustRefuse(time.Now()) {
					these = append(these, h)
				}
			}
			w.mu.Unlock()
			these = these[max(0, len(these)-30):]
			var work sync.WaitGroup
			for _, h := range these {
				work.Go(func() { w.call(e, h) })
			}
			time.Sleep(200 * time.Millisecond) // they are on their way
			e.signal(syscall.SIGCONT)
			work.Wait()
			w.excuse(e, false)
		})
	}
	w.finish()
}

// TestChaosEdgeRestarts: an edge is killed, and started again while Redis is away: it
// waits, and lets nothing through before it knows everything.
func TestChaosEdgeRestarts(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	f := mustFleet(t, plan{Redis: r})
	w := mustWitness(t, f, 4)
	e := f.Edges[0]
	w.mustAckMore(100)
	w.during("an edge restarts while Redis is away", func() {
		w.excuse(e, true)
		e.mustKill()
		r.MustKill()
		e.mustStart()
		time.Sleep(time.Second)
		r.MustRestart()
		e.mustBeReady()
		w.excuse(e, false)
	})
	w.mustAckMore(50)
	w.during("an edge restarts while Redis is emptied", func() {
		w.excuse(e, true)
		e.mustKill()
		e.mustStart()
		r.MustRestartEmpty()
		e.mustBeReady()
		w.excuse(e, false)
	})
	w.finish()
}

// TestChaosWriterDies: the process that took the revocations dies in the moment in
// which Redis loses everything. What every edge had applied is known.
func TestChaosWriterDies(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	f := mustFleet(t, plan{Redis: r, All: []string{"TOLLGATE_KEY_STORE=file:" + t.TempDir()}})
	w := mustWitness(t, f, 4)
	w.strict.Store(true)
	for range full(5, 1) {
		w.mustAckMore(100)
		w.during("issuer killed, Redis emptied", func() {
			f.Home.signal(syscall.SIGKILL)
			r.MustDo("flushall")
			<-f.Home.exited
			f.Home.mustServe()
		})
		f.Home.mustSend("POST", f.Home.Admin+"/admin/v1/users", map[string]any{"username": ada, "password": adaPassword}, bearer(rootToken)...)
	}
	w.finish()
}

// everythingRestarts kills all that there is, and starts it again on an empty Redis.
func everythingRestarts(t *testing.T, home, edge func(i int) []string) *witness {
	t.Helper()
	r := testkit.MustStartRedis(t)
	keys := "TOLLGATE_KEY_STORE=file:" + filepath.Join(t.TempDir(), "keys")
	f := mustFleet(t, plan{Redis: r, Edge: edge, Home: append(home(9), keys)})
	w := mustWitness(t, f, 4)
	w.mustAckMore(150)
	w.stop()
	for _, s := range f.all() {
		s.signal(syscall.SIGKILL)
	}
	for _, s := range f.all() {
		<-s.exited
	}
	r.MustRestartEmpty()
	for _, s := range f.all() {
		s.mustStart()
	}
	for _, s := range f.all() {
		s.mustBeReady()
	}
	time.Sleep(settle)
	return w
}

// TestChaosEverythingRestartsWithJournals: Redis comes back empty, and so does every
// process. What was revoked stays so, and nothing else passes before somebody says so.
func TestChaosEverythingRestartsWithJournals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := func(i int) []string {
		return []string{"TOLLGATE_REVOCATION_JOURNAL=" + filepath.Join(dir, "journal-"+strconv.Itoa(i))}
	}
	w := everythingRestarts(t, journal, journal)
	w.mustHold("everything restarted", 0)
	for _, h := range w.keep {
		if status := w.call(w.f.Edges[0], h); status != http.StatusServiceUnavailable {
			t.Errorf("nobody has lived through it, and %v gets %d", h.order, status)
		}
	}
	s := w.f.Home
	if r := s.mustSend("POST", s.Admin+"/admin/v1/recover", map[string]any{"accept_loss": true}, bearer(rootToken)...); r.Status != http.StatusOK {
		t.Fatalf("recover: %d %s", r.Status, r.Body)
	}
	w.mustPass("recovered")
	w.mustHold("recovered", 0)
}

// TestChaosEverythingRestartsWithoutJournals shows what is not covered: the store that
// nobody knew before vouches for everything, but for our own tokens that are older.
func TestChaosEverythingRestartsWithoutJournals(t *testing.T) {
	t.Parallel()
	none := func(int) []string { return nil }
	w := everythingRestarts(t, none, none)
	passed := 0
	for _, h := range append(append([]*held(nil), w.keep...), w.acked...) {
		status, err := w.ask(w.f.Edges[1], h.raw)
		foreign := h.order["issuer"] == foreignIssuer
		switch {
		case err != nil || !foreign && status != http.StatusServiceUnavailable && status != http.StatusUnauthorized:
			t.Errorf("%v: %d %v", h.order, status, err)
		case foreign && status == http.StatusOK:
			passed++
		}
	}
	t.Logf("%d of %d foreign tokens pass, revoked ones with them: docs/guarantees.md", passed, len(w.keep)-5+len(w.acked))
	own := w.f.logInHeldAnew()
	if own == nil {
		t.Fatal("nobody can log in after it")
	}
	// An edge that was up before the issuer has yet to fetch its keys.
	status := 0
	for end := time.Now().Add(backWithin); time.Now().Before(end) && status != http.StatusOK; time.Sleep(50 * time.Millisecond) {
		status = w.call(w.f.Edges[2], own)
	}
	if status != http.StatusOK {
		t.Errorf("a log-in after it does not pass: %d", status)
	}
}
