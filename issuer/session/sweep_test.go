package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

func TestSweepTakesEverything(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		away := b.withRevoker(deadRevoker{clear: true})
		var pairs []Pair
		for range sweepBatch + 30 {
			p := b.mustStart(t, "7")
			pairs = append(pairs, p)
			if err := away.End(t.Context(), p.SID, "why", "who"); !errors.Is(err, ErrUnavailable) {
				t.Fatalf("End = %v", err)
			}
		}
		err := away.Sweep(t.Context())
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), fmt.Sprintf("and %d more", len(pairs)-1)) {
			t.Errorf("Sweep without revocations = %v, want one failure for each", err)
		}
		var wg sync.WaitGroup
		for range 3 { // several processes sweep
			wg.Go(func() {
				if err := b.Sweep(t.Context()); err != nil {
					t.Errorf("Sweep = %v", err)
				}
			})
		}
		wg.Wait()
		if err := b.Sweep(t.Context()); err != nil {
			t.Errorf("Sweep = %v", err)
		}
		for _, p := range pairs {
			if v := b.verdict(t, p); v.State != revocation.Revoked || b.mustState(t, p.SID) != StateEnded {
				t.Fatalf("left %s, an edge finds %+v", b.mustState(t, p.SID), v)
			}
		}
	})
}

// One session that cannot be ended does not keep the sweep from the others.
func TestSweepPassesOverFailures(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		bad, good := b.mustStart(t, "bad"), b.mustStart(t, "good")
		for _, p := range []Pair{bad, good} {
			if err := b.register(t.Context(), p.SID); err != nil {
				t.Fatal(err)
			}
		}
		picky := b.withRevoker(refusing{b.rev, bad.SID})
		if err := picky.Sweep(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Sweep = %v, want the failure", err)
		}
		b.checkState(t, good, StateEnded)
		b.checkState(t, bad, StateEnding)
		if err := b.Sweep(t.Context()); err != nil {
			t.Errorf("the next Sweep = %v", err)
		}
		b.checkState(t, bad, StateEnded)
	})
}

func (b box) checkState(t *testing.T, p Pair, want string) {
	t.Helper()
	if got := b.mustState(t, p.SID); got != want {
		t.Errorf("state %q, want %q", got, want)
	}
}

// refusing cannot revoke one session.
type refusing struct {
	Revoker
	sid string
}

func (r refusing) Revoke(ctx context.Context, o revocation.Order) (revocation.Revocation, error) {
	if o.Value == r.sid {
		return revocation.Revocation{}, revocation.ErrUnavailable
	}
	return r.Revoker.Revoke(ctx, o)
}

// A session that was entered a moment ago is left to whoever entered it: the reason
// is theirs to write.
func TestSweepLeavesTheYoung(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		if err := b.register(t.Context(), p.SID); err != nil {
			t.Fatal(err)
		}
		b.settle = time.Minute
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.checkState(t, p, "")
		if _, err := b.mark(t.Context(), p.SID, "why", "who"); err != nil {
			t.Fatal(err)
		}
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.checkEnded(t, p, "why")
	})
}

// The script that finds a reuse marks the session, and its answer may be lost while
// the process lives on.
func TestSweepLooksAtSuspects(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		b.mustWarm(t)
		ended := 0
		for n := range 6 {
			spent := b.mustStart(t, "7")
			current := b.mustDeliver(t, spent)
			b.mustAge(t, spent.SID, time.Minute)
			other := b.mustCut(t, n, true)
			_, _ = other.refresh(t, spent)
			other.client, other.Store.rev = b.client, b.rev // the connection is back
			if err := other.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if b.mustState(t, spent.SID) != "" {
				b.checkState(t, current, StateEnded) // before checkEnded meets it
				b.checkEnded(t, current, reasonReuse)
				ended++
			} else {
				b.mustRotate(t, current)
			}
			if len(other.suspects) != 0 {
				t.Errorf("cut at %d: %d suspects left", n, len(other.suspects))
			}
		}
		if ended == 0 {
			t.Error("no cut came after the mark")
		}
		for i := range maxSuspects + 10 {
			b.suspect(fmt.Sprint(i))
		}
		if n := len(b.takeSuspects()); n != maxSuspects {
			t.Errorf("%d suspects kept, want %d at most", n, maxSuspects)
		}
	})
}

// A process that died right after its script marked a reuse left nothing but the
// mark: the next one to start finds it.
func TestRunFindsWhatDiedUnregistered(t *testing.T) {
	s := ordinary()
	s.SweepEvery = time.Millisecond
	onEach(t, s, func(t *testing.T, b box) {
		var marked []Pair
		for i := range 20 {
			p := b.mustStart(t, fmt.Sprint(i))
			if i%2 == 0 {
				if err := b.client.HSet(t.Context(), b.names.session(p.SID), "state", StateEnding).Err(); err != nil {
					t.Fatal(err)
				}
				marked = append(marked, p)
			}
		}
		for _, r := range []string{"t:s:{x", "u:s:{y}"} { // neither is a record of ours
			b.client.Set(t.Context(), r, "", time.Minute)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		testkit.MustAwait(t, "Run ended what was left", func() bool {
			for _, p := range marked {
				if b.mustState(t, p.SID) != StateEnded {
					return false
				}
			}
			return true
		})
		late := b.mustStart(t, "late")
		if err := b.register(t.Context(), late.SID); err != nil {
			t.Fatal(err)
		}
		testkit.MustAwait(t, "Run swept", func() bool { return b.mustState(t, late.SID) == StateEnded })
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if list, err := b.List(t.Context(), "1"); err != nil || len(list) != 1 || list[0].State != StateLive {
			t.Errorf("a live session = %v, %v", list, err)
		}
	})
}

func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Second)
		defer cancel()
		began, calls := time.Now(), 0
		loop(ctx, 5*time.Second, func(context.Context) { calls++ })
		if calls != 5 || time.Since(began) != 21*time.Second {
			t.Errorf("%d calls in %v, want 5 in 21s", calls, time.Since(began))
		}
		loop(ctx, time.Hour, func(context.Context) { t.Error("called after the end") })
	})
}

func TestRunLogsAndGoesOn(t *testing.T) {
	s := ordinary()
	s.SweepEvery = time.Millisecond
	onEach(t, s, func(t *testing.T, b box) {
		var log testkit.Buffer
		logged := b.with(func(s *Settings) { s.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		cut := logged.mustCut(t, 0, false)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- cut.Run(ctx) }()
		testkit.MustAwait(t, "two failed sweeps and the search in the log", func() bool {
			return log.Count("left ending failed") > 0 && log.Count("sweep of ending") >= 2
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestGlobQuote(t *testing.T) {
	if got, want := globQuote(`a*b?[c]\`), `a\*b\?\[c\]\\`; got != want {
		t.Errorf("globQuote = %s, want %s", got, want)
	}
}
