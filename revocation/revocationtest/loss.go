package revocationtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate/revocation"
)

func testFirstEpoch(t *testing.T, h Harness) {
	e, err := h.Store.Epoch(t.Context())
	if err != nil || e.ID == "" || e.CompleteSince != 0 || e.Born == 0 || e.Clock < e.Born {
		t.Fatalf("epoch %+v, %v", e, err)
	}
	hour := time.Now().Add(-time.Hour).Unix()
	h.wantClear(t, "another issuer's token from before the store", &revocation.Token{Issuer: foreign, JTI: "j", IssuedAt: hour})
	for range 100 {
		h.wantClear(t, "own, just born", h.token(t, "j", "s", "u"))
	}
	h.wantUnknown(t, "own, born before the store",
		&revocation.Token{Issuer: own, JTI: "j", Born: e.Born - 1, IssuedAt: e.Born / 1e6, Own: true}, revocation.CauseLost)
	h.wantClear(t, "own, without a birth, of the store's first second",
		&revocation.Token{Issuer: own, JTI: "j", IssuedAt: e.Born / 1e6, Own: true})
	h.wantUnknown(t, "own, without a birth, of the second before",
		&revocation.Token{Issuer: own, JTI: "j", IssuedAt: e.Born/1e6 - 1, Own: true}, revocation.CauseLost)
	r := h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "j"})
	later, err := h.Store.Epoch(t.Context())
	if err != nil || later.ID != e.ID || later.Born != e.Born || later.N != r.Seq || later.Clock < e.Clock {
		t.Fatalf("epoch %+v, %v; was %+v", later, err, e)
	}
}

// testLoss: whichever call meets the empty store, it begins an epoch that vouches
// only for what is born from then on, and takes no revocations until somebody has read
// what is left.
func testLoss(t *testing.T, h Harness) {
	if h.Lose == nil {
		t.Skip("this store does not lose")
	}
	finders := map[string]func(*testing.T, *revocation.Token){
		"check": func(t *testing.T, tok *revocation.Token) {
			h.wantUnknown(t, "first check", tok, revocation.CauseLost)
		},
		"now": func(t *testing.T, _ *revocation.Token) { h.birth(t) },
		"revoke": func(t *testing.T, _ *revocation.Token) {
			if r, err := h.Store.Revoke(t.Context(), revocation.Order{Kind: revocation.KindAll, Issuer: "x"}); !errors.Is(err, revocation.ErrUnavailable) {
				t.Fatalf("revoke: %+v, %v", r, err)
			}
		},
		"undo": func(t *testing.T, tok *revocation.Token) {
			id := revocation.DigestOf(own, revocation.KindJTI, tok.JTI).String() + "-1"
			if r, err := h.Store.Undo(t.Context(), id); !errors.Is(err, revocation.ErrUnavailable) || errors.Is(err, revocation.ErrNotFound) {
				t.Fatalf("undo: %+v, %v", r, err)
			}
		},
	}
	if o, ok := h.Store.(interface{ Open(context.Context) error }); ok {
		finders["open"] = func(t *testing.T, _ *revocation.Token) {
			if err := o.Open(t.Context()); err != nil {
				t.Fatalf("open: %v", err)
			}
		}
	}
	for name, find := range finders {
		t.Run(name, func(t *testing.T) {
			tok := h.token(t, "j", "s", "u")
			r := h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "j"})
			h.wantRevoked(t, "revoked", tok, revocation.KindJTI)
			before, err := h.Store.Epoch(t.Context())
			if err != nil {
				t.Fatalf("epoch: %v", err)
			}
			h.Lose(t)
			if e, err := h.Store.Epoch(t.Context()); !errors.Is(err, revocation.ErrNotFound) {
				t.Fatalf("epoch of an empty store: %+v, %v", e, err)
			}
			if r, err := h.Store.Get(t.Context(), r.ID); !errors.Is(err, revocation.ErrNotFound) {
				t.Fatalf("get: %+v, %v", r, err)
			}
			find(t, tok)

			after, err := h.Store.Epoch(t.Context())
			if err != nil || after.ID == before.ID || after.Born <= before.Born || after.CompleteSince != after.Born {
				t.Fatalf("epoch %+v, %v; was %+v", after, err, before)
			}
			h.wantUnknown(t, "revoked before the loss", tok, revocation.CauseLost)
			h.wantUnknown(t, "another issuer's, from before",
				&revocation.Token{Issuer: foreign, JTI: "f", IssuedAt: after.CompleteSince / 1e6}, revocation.CauseLost)
			h.wantClear(t, "another issuer's, from the second after",
				&revocation.Token{Issuer: foreign, JTI: "f", IssuedAt: after.CompleteSince/1e6 + 1})
			h.wantClear(t, "born after", h.token(t, "j", "s", "u"))
			h.Admit(t)
			h.wantNotFound(t, r.ID)
		})
	}
}

func testHitWins(t *testing.T, h Harness) {
	if h.Lose == nil {
		t.Skip("this store does not lose")
	}
	tok := h.token(t, "j", "s", "u")
	h.Lose(t)
	h.Admit(t)
	h.mustRevoke(t, revocation.Order{Kind: revocation.KindSession, Value: "s"}) // put back
	h.wantRevoked(t, "older than the epoch, but known to be revoked", tok, revocation.KindSession)
	tok.SID = "s2"
	h.wantUnknown(t, "older than the epoch", tok, revocation.CauseLost)
}

func testUnreachable(t *testing.T, h Harness) {
	if h.Break == nil {
		t.Skip("this store is always there")
	}
	tok := h.token(t, "j", "s", "u")
	r := h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "j"})
	h.Break(t)
	calls := map[string]func(context.Context) error{
		"check": func(ctx context.Context) error {
			v := h.Store.Check(ctx, tok)
			if v.State != revocation.Unknown || v.Cause != revocation.CauseUnreachable || v.Err == nil {
				t.Errorf("verdict %+v", v)
			}
			return v.Err
		},
		"revoke": func(ctx context.Context) error {
			_, err := h.Store.Revoke(ctx, revocation.Order{Kind: revocation.KindJTI, Value: "k"})
			return err
		},
		"undo":  func(ctx context.Context) error { _, err := h.Store.Undo(ctx, r.ID); return err },
		"get":   func(ctx context.Context) error { _, err := h.Store.Get(ctx, r.ID); return err },
		"list":  func(ctx context.Context) error { _, err := h.Store.List(ctx, revocation.Filter{}); return err },
		"now":   func(ctx context.Context) error { _, err := h.Store.Now(ctx); return err },
		"epoch": func(ctx context.Context) error { _, err := h.Store.Epoch(ctx); return err },
	}
	if h.Stale > 0 { // it knows, and says how long it has not heard more
		delete(calls, "check")
		h.wantRevoked(t, "revoked before", tok, revocation.KindJTI)
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			const budget = 150 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), budget)
			defer cancel()
			start := time.Now()
			err := call(ctx)
			if took := time.Since(start); took > budget+2*time.Second {
				t.Errorf("answered after %s, the context ended after %s", took, budget)
			}
			if !errors.Is(err, revocation.ErrUnavailable) || errors.Is(err, revocation.ErrNotFound) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func testContext(t *testing.T, h Harness) {
	tok := h.token(t, "j", "s", "u")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v := h.Store.Check(ctx, tok); h.Stale == 0 && (v.State != revocation.Unknown || v.Cause != revocation.CauseUnreachable) {
		t.Errorf("verdict %+v", v)
	}
	if _, err := h.Store.Revoke(ctx, revocation.Order{Kind: revocation.KindJTI, Value: "j"}); !errors.Is(err, revocation.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("revoke: %v", err)
	}
	h.wantClear(t, "with a living context", tok)
}

// testConcurrent: writers and checkers side by side. A token is refused from the
// moment its revocation was answered; sequences are never given out twice.
func testConcurrent(t *testing.T, h Harness) {
	const writers, each = 8, 25
	var mu sync.Mutex
	seqs := map[uint64]string{}
	var wg sync.WaitGroup
	for w := range writers {
		tok := h.token(t, "", "s", "u")
		wg.Go(func() {
			for i := range each {
				mine := *tok
				mine.JTI = fmt.Sprint(w, "-", i)
				r, err := h.Store.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: mine.JTI})
				if err != nil {
					t.Errorf("revoke: %v", err)
					return
				}
				if v := h.Store.Check(t.Context(), &mine); v.State != revocation.Revoked {
					t.Errorf("%s after its revocation: %+v", mine.JTI, v)
				}
				mu.Lock()
				if other, taken := seqs[r.Seq]; taken {
					t.Errorf("sequence %d of %s and %s", r.Seq, other, mine.JTI)
				}
				seqs[r.Seq] = mine.JTI
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if e, err := h.Store.Epoch(t.Context()); err != nil || e.N != writers*each {
		t.Errorf("epoch %+v, %v", e, err)
	}
}

func testTwoProcesses(t *testing.T, h Harness) {
	if h.Another == nil {
		t.Skip("this store is of one process")
	}
	tok := h.token(t, "j", "s", "u")
	r, err := h.Another.Revoke(t.Context(), revocation.Order{Kind: revocation.KindSubject, Value: "u"})
	if err != nil {
		t.Fatalf("revoke: %v", err)
	}
	h.wantRevoked(t, "revoked by the other", tok, revocation.KindSubject)
	fresh := h.token(t, "j", "s", "u")
	h.want(t, h.Another, "born by this one, right after", fresh, revocation.Verdict{State: revocation.Clear})
	h.mustUndo(t, r.ID)
	h.want(t, h.Another, "undone by this one", tok, revocation.Verdict{State: revocation.Clear})
}
