package ring_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// mustVerify checks a compact JWS against a set and returns header and payload.
func mustVerify(t *testing.T, set *keys.Set, token, kid string) (header, payload string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d segments", len(parts))
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			t.Fatal(err)
		}
	}
	k, ok := set.Key(kid)
	if !ok {
		t.Fatalf("key %s is not published", kid)
	}
	if err := k.Verify([]byte(parts[0]+"."+parts[1]), raw[2]); err != nil {
		t.Fatal(err)
	}
	return string(raw[0]), string(raw[1])
}

func TestSignWithEveryAlgorithm(t *testing.T) {
	for _, alg := range keys.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			cfg := config(newShaky())
			cfg.Settings.Algorithms = []keys.Algorithm{alg}
			cfg.ConfirmWithin = time.Minute // RSA keys take their time under -race
			m := mustOpen(t, cfg)
			token, kid, err := m.Sign(t.Context(), []byte(`{"sub":"1"}`), "JWT")
			if err != nil {
				t.Fatal(err)
			}
			header, payload := mustVerify(t, m.Set(), token, kid)
			if want := `{"alg":"` + string(alg) + `","kid":"` + kid + `","typ":"JWT"}`; header != want || payload != `{"sub":"1"}` {
				t.Errorf("%s %s, want %s", header, payload, want)
			}
			if kid != only(t, m.Ring(), alg, ring.Active).ID {
				t.Errorf("signed with %s", kid)
			}
		})
	}
}

func TestSignWithoutType(t *testing.T) {
	m := mustOpen(t, config(newShaky()))
	token, kid, err := m.Sign(t.Context(), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if header, payload := mustVerify(t, m.Set(), token, kid); header != `{"alg":"ES256","kid":"`+kid+`"}` || payload != "" {
		t.Errorf("%s %q", header, payload)
	}
}

func TestSignNeedsAConfirmedRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		m := mustOpen(t, config(st))
		away := errors.New("away")
		st.fail(away)
		time.Sleep(5 * time.Second)
		if _, _, err := m.Sign(t.Context(), nil, "JWT"); err != nil {
			t.Errorf("after 5 s: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, _, err := m.Sign(t.Context(), nil, "JWT"); !errors.Is(err, ring.ErrUnconfirmed) || !errors.Is(err, away) {
			t.Errorf("after more than 5 s: %v", err)
		}
		st.fail(nil)
		if _, _, err := m.Sign(t.Context(), nil, "JWT"); err != nil {
			t.Errorf("once the store is back: %v", err)
		}
	})
}

// TestSignConfirmsByItself lets an instance without a loop, or one that was
// stopped for a minute, sign: it must see what happened meanwhile.
func TestSignConfirmsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		a, b := mustOpen(t, config(st)), mustOpen(t, config(st))
		old := only(t, a.Ring(), keys.ES256, ring.Active).ID
		if _, _, err := b.Revoke(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		before := st.count("load")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, kid, err := a.Sign(t.Context(), nil, "JWT"); err != nil || kid == old {
					t.Errorf("signed with %s, %v", kid, err)
				}
			})
		}
		wg.Wait()
		if n := st.count("load") - before; n != 1 {
			t.Errorf("%d looks at the store for 50 signatures", n)
		}
	})
}

// TestSignNoticesAPause stops the process between the look at the confirmation
// and the signature: the clock jumps by a minute, and the key was revoked in it.
func TestSignNoticesAPause(t *testing.T) {
	var mu sync.Mutex
	now, jumpIn := at(0), -1 // readings of the clock until it jumps
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if jumpIn == 0 {
			now = now.Add(time.Minute)
		}
		jumpIn--
		return now
	}
	st := newShaky()
	cfg := config(st)
	cfg.Now = clock
	a := mustOpen(t, cfg)
	b := mustOpen(t, cfg)
	old := only(t, a.Ring(), keys.ES256, ring.Active).ID
	if _, _, err := b.Revoke(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if _, kid, err := a.Sign(t.Context(), nil, "JWT"); err != nil || kid != old {
		t.Fatalf("without a pause: %s, %v", kid, err) // a has not heard of it yet
	}
	mu.Lock()
	jumpIn = 1
	mu.Unlock()
	if _, kid, err := a.Sign(t.Context(), nil, "JWT"); err != nil || kid == old {
		t.Errorf("after a pause of a minute: signed with the revoked key (%v), %v", kid == old, err)
	}
}

func TestSignGivesUpOnASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{shaky: newShaky()}
		m := mustOpen(t, config(st))
		time.Sleep(time.Minute)
		st.delay = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := m.Sign(ctx, nil, "JWT"); !errors.Is(err, ring.ErrUnconfirmed) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller with one second: %v", err)
		}
		if _, _, err := m.Sign(t.Context(), nil, "JWT"); !errors.Is(err, ring.ErrUnconfirmed) {
			t.Errorf("a caller with patience: %v", err)
		}
		// While the loop hangs on the store, others do not wait beyond their time.
		go func() { _, _, _ = m.Sign(t.Context(), nil, "JWT") }()
		synctest.Wait()
		if _, _, err := m.Revoke(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("revoke meanwhile: %v", err)
		}
		time.Sleep(10 * time.Second) // let the look end within the bubble
	})
}

// slow is a store that takes its time, but hears a context.
type slow struct {
	*shaky
	delay time.Duration
}

func (s *slow) Load(ctx context.Context) (ring.Ring, error) {
	select {
	case <-ctx.Done():
		return ring.Ring{}, ctx.Err()
	case <-time.After(s.delay):
		return s.shaky.Load(ctx)
	}
}

func BenchmarkSign(b *testing.B) {
	payload := []byte(`{"sub":"42","iss":"` + issuer + `","exp":1767225600,"iat":1767225300,"jti":"0123456789abcdef0123456789abcdef"}`)
	for _, alg := range []keys.Algorithm{keys.ES256, keys.RS256, keys.EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			cfg := config(newShaky())
			cfg.Settings.Algorithms, cfg.ConfirmWithin = []keys.Algorithm{alg}, time.Hour
			m := mustOpen(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := m.Sign(b.Context(), payload, "JWT"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
