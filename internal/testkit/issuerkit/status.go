package issuerkit

import (
	"context"
	"testing"
	"time"

	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// MustStatus returns status lists over the kit's stores, which follow its feed until
// the test ends. Options.Status has the kit use them.
func (k *Kit) MustStatus(tb testing.TB) *statuslist.Lists {
	tb.Helper()
	ledger := statuslist.NewLedger(nil)
	feed, err := revocation.NewFeed(revocation.FeedConfig{
		Client: k.Redis, Prefix: "t:", Block: 50 * time.Millisecond, Deadline: 5 * time.Second, Log: k.Logs.Logger(),
		Apply: ledger.Apply, Gap: ledger.Gap, Epoch: ledger.Epoch, Level: ledger.Level,
	})
	must(tb, err)
	lists, err := statuslist.New(statuslist.Config{
		Issuer: Issuer, Base: Issuer, AccessTTL: AccessTTL, Leeway: Leeway, Now: k.Now,
		Index: store.NewStatusLists(k.Redis, "t:"), Ledger: ledger, Things: k.Revocations.Things, Sign: k.Ring.Sign,
		Head: func(ctx context.Context) (uint64, error) { e, err := k.Revocations.Epoch(ctx); return e.N, err },
	})
	must(tb, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- feed.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		must(tb, <-done)
	})
	k.MustCatchUp(tb, lists)
	return lists
}

// MustCatchUp waits until the lists know of every revocation so far, and lets what
// was made before become too old to be served again.
func (k *Kit) MustCatchUp(tb testing.TB, lists *statuslist.Lists) {
	tb.Helper()
	e, err := k.Revocations.Epoch(tb.Context())
	must(tb, err)
	for end := time.Now().Add(10 * time.Second); lists.Ready() != nil || lists.Ledger.N() < e.N; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("the status lists are at record %d of %d", lists.Ledger.N(), e.N)
		}
	}
	k.Advance(3 * time.Second)
}
