package token

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"tollgate/keys"
)

// TestChecksAreJoined: who asks while one checks gets its answer, a refusal as one's
// own; who has another key or issuer, or comes when the one has panicked, checks.
func TestChecksAreJoined(t *testing.T) {
	t.Parallel()
	key, issuer := &keys.Key{}, &Issuer{}
	for _, row := range []struct {
		name   string
		key    *keys.Key
		issuer *Issuer
		give   func() (*Identity, *Refusal)
		own    bool // each asker checks
	}{
		{"accepted", key, issuer, func() (*Identity, *Refusal) { return &Identity{Subject: "42"}, nil }, false},
		{"refused", key, issuer, func() (*Identity, *Refusal) { return nil, refuse(ReasonSignature, "x") }, false},
		{"another key", &keys.Key{}, issuer, func() (*Identity, *Refusal) { return &Identity{Subject: "42"}, nil }, true},
		{"another issuer", key, &Issuer{}, func() (*Identity, *Refusal) { return &Identity{Subject: "42"}, nil }, true},
		{"panicked", key, issuer, func() (*Identity, *Refusal) { panic("x") }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const askers = 20
				var c checks
				var first, own atomic.Int32
				hold := make(chan struct{})
				var all sync.WaitGroup
				all.Go(func() {
					defer func() { _ = recover() }()
					_, _ = c.do(digest{1}, key, issuer, func() (*Identity, *Refusal) { first.Add(1); <-hold; return row.give() })
				})
				synctest.Wait()
				refusals := map[*Refusal]bool{}
				var mu sync.Mutex
				for range askers {
					all.Go(func() {
						id, refusal := c.do(digest{1}, row.key, row.issuer, func() (*Identity, *Refusal) { own.Add(1); return &Identity{Subject: "42"}, nil })
						if (refusal == nil) != (id != nil && id.Subject == "42") {
							t.Errorf("%v, %v", id, refusal)
						}
						mu.Lock()
						defer mu.Unlock()
						if refusal != nil {
							refusal.Reason = ReasonMalformed
							refusals[refusal] = true
						}
					})
				}
				synctest.Wait()
				_, _ = c.do(digest{2}, key, issuer, func() (*Identity, *Refusal) { return nil, nil }) // of another token: does not wait
				close(hold)
				all.Wait()
				if want := map[bool]int32{true: askers}[row.own]; first.Load() != 1 || own.Load() != want {
					t.Errorf("checked %d and %d times, want 1 and %d", first.Load(), own.Load(), want)
				}
				if row.name == "refused" && len(refusals) != askers {
					t.Errorf("%d refusals for %d askers", len(refusals), askers)
				}
				if len(c.under) != 0 {
					t.Errorf("%d checks are left", len(c.under))
				}
			})
		})
	}
}
