package ring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// TestClockThatIsOff: an instance whose clock the store's contradicts moves no key by
// itself; it signs, follows the others and does what it is told.
func TestClockThatIsOff(t *testing.T) {
	s := hourly(keys.ES256)
	for name, c := range map[string]struct {
		skew time.Duration
		err  error
		held bool
	}{
		"right":                   {0, nil, false},
		"a minute ahead":          {time.Minute, nil, false},
		"more than that ahead":    {time.Minute + 1, nil, true},
		"two hours behind":        {-2 * time.Hour, nil, true},
		"nobody knows":            {0, errors.New("away"), true},
		"nobody knows, and ahead": {time.Hour, errors.New("away"), true},
	} {
		t.Run(name, func(t *testing.T) {
			store, now := newShaky(), begin
			cfg := ring.Config{
				Store: store, Issuer: issuer, Settings: s, Now: func() time.Time { return now },
				Skew: func(context.Context) (time.Duration, error) { return c.skew, c.err },
			}
			m := mustOpen(t, cfg) // the first ring of all is made by any clock
			first := store.mustLoad(t)
			if len(first.Keys) != 2 {
				t.Fatalf("the first ring has %d keys", len(first.Keys))
			}
			for range 3 {
				now = now.Add(time.Hour)
				if err := m.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got := store.mustLoad(t)
			if held := got.Version == first.Version; held != c.held {
				t.Errorf("version %d after %d", got.Version, first.Version)
			}
			if _, kid, err := m.Sign(t.Context(), []byte("{}"), ""); err != nil || kid != only(t, got, keys.ES256, ring.Active).ID {
				t.Errorf("signed with %q, %v", kid, err)
			}
			// A key is killed by any clock, and a store that lost the ring is given it back.
			dead := only(t, got, keys.ES256, ring.Active).ID
			if _, _, err := m.Revoke(t.Context(), dead); err != nil {
				t.Error(err)
			}
			store.put(t, first)
			if err := m.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
			if k, _ := byID(store.mustLoad(t), dead); k.State != ring.Revoked {
				t.Errorf("after a roll-back the dead key is %q", k.State)
			}
		})
	}
}
