package revocation_test

import (
	"context"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestHint: a hint arrives at whoever follows the feed, is no revocation to anybody,
// and does not disturb the chain of those that come after it.
func TestHint(t *testing.T) {
	_, client := testkit.MustMini(t)
	store := mustOpen(t, client, revocationtest.Settings())
	heard := make(chan revocation.Record, 10)
	m, err := revocation.NewMirror(revocation.MirrorConfig{
		Store: store, Client: client, Prefix: "tg:",
		Heard: func(records []revocation.Record) {
			for _, r := range records {
				heard <- r
			}
		},
		Doubt: func(reason string) { t.Errorf("doubt: %s", reason) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if err := store.Hint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []revocation.Kind{revocation.HintRing, revocation.KindJTI} {
		select {
		case r := <-heard:
			if r.Kind != want {
				t.Errorf("heard %+v, want %s", r, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s was not heard", want)
		}
	}
	page, err := store.List(t.Context(), revocation.Filter{})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("list %+v, %v", page, err)
	}
	if s := m.Status(); s.Entries != 1 {
		t.Errorf("%d entries", s.Entries)
	}
}
