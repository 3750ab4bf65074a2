package ring_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// registry is what the edges report: who lacks which set.
type registry struct {
	lacking atomic.Pointer[[]string]
	asked   atomic.Pointer[string] // the hash that was asked for last
	err     atomic.Pointer[error]
}

func (r *registry) ready(_ context.Context, hash string) (bool, []string, error) {
	r.asked.Store(&hash)
	if err := r.err.Load(); err != nil {
		return false, nil, *err
	}
	if l := r.lacking.Load(); l != nil {
		return len(*l) == 0, *l, nil
	}
	return true, nil, nil
}

func (r *registry) lack(names ...string) { r.lacking.Store(&names) }

// TestTakeoverWaitsForEdges: a key that is due waits for the last live edge, says
// for whom, and goes on when it has it.
func TestTakeoverWaitsForEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reg registry
		cfg := config(newShaky())
		cfg.Ready = reg.ready
		reg.lack("edge 7")
		m := mustOpen(t, cfg)
		defer run(t, m)()
		first := only(t, m.Ring(), keys.ES256, ring.Active).ID
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if got := only(t, m.Ring(), keys.ES256, ring.Active).ID; got != first || !slices.Equal(m.Waiting(), []string{"edge 7"}) {
			t.Fatalf("%s signs, waiting for %v", got, m.Waiting())
		}
		published, err := keys.Publish(m.Set(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if asked := *reg.asked.Load(); published.ETag != `"`+asked+`"` {
			t.Errorf("asked for the set %s, published is %s", asked, published.ETag)
		}
		// By hand neither, unless it is forced.
		if _, _, err := m.Rotate(t.Context(), false); !errors.Is(err, ring.ErrNotYetPublished) || !strings.Contains(err.Error(), "edge 7") {
			t.Errorf("rotate: %v", err)
		}
		if _, _, err := m.Retire(t.Context(), first); !errors.Is(err, ring.ErrNotYetPublished) {
			t.Errorf("retire: %v", err)
		}
		reg.lack()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := only(t, m.Ring(), keys.ES256, ring.Active).ID; got == first || m.Waiting() != nil {
			t.Errorf("the first key signs still, waiting for %v", m.Waiting())
		}
	})
}

// TestDeadEdgeDoesNotBlockForEver: after a day an edge that cannot fetch has no
// set that it could use anyway. Nor does a registry that cannot be asked.
func TestDeadEdgeDoesNotBlockForEver(t *testing.T) {
	for _, name := range []string{"lacking", "unknown"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reg registry
				if reg.lack("edge"); name == "unknown" {
					err := errors.New("registry away")
					reg.err.Store(&err)
				}
				cfg := config(newShaky())
				cfg.Ready = reg.ready
				m := mustOpen(t, cfg)
				defer run(t, m)()
				first := only(t, m.Ring(), keys.ES256, ring.Active).ID
				time.Sleep(25*time.Hour - time.Minute)
				synctest.Wait()
				if got := only(t, m.Ring(), keys.ES256, ring.Active).ID; got != first {
					t.Fatal("it did not wait")
				}
				if w := m.Waiting(); len(w) != 1 || name == "unknown" && w[0] != "unknown" {
					t.Errorf("waiting for %v", w)
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if got := only(t, m.Ring(), keys.ES256, ring.Active).ID; got == first {
					t.Error("it waits for ever")
				}
			})
		})
	}
}

// TestEmergenciesWaitForNobody: a revoked key's successor signs at once.
func TestEmergenciesWaitForNobody(t *testing.T) {
	var reg registry
	reg.lack("edge")
	cfg := config(newShaky())
	cfg.Ready = reg.ready
	m := mustOpen(t, cfg)
	first := only(t, m.Ring(), keys.ES256, ring.Active).ID
	next := only(t, m.Ring(), keys.ES256, ring.Pending).ID
	r, _, err := m.Revoke(t.Context(), first)
	if err != nil || only(t, r, keys.ES256, ring.Active).ID != next {
		t.Errorf("revoke: %v", err)
	}
	if r, _, err := m.Rotate(t.Context(), true); err != nil || only(t, r, keys.ES256, ring.Active).ID == next {
		t.Errorf("rotate --now: %v", err)
	}
	if got := m.Lacking(t.Context()); !slices.Equal(got, []string{"edge"}) {
		t.Errorf("lacking: %v", got)
	}
}

// TestEachAlgorithmSigns: several are active at once, the first unless asked.
func TestEachAlgorithmSigns(t *testing.T) {
	cfg := config(newShaky())
	cfg.Settings = hourly(keys.ES256, keys.EdDSA, keys.PS256)
	m := mustOpen(t, cfg)
	for asked, want := range map[keys.Algorithm]keys.Algorithm{"": keys.ES256, keys.ES256: keys.ES256, keys.EdDSA: keys.EdDSA, keys.PS256: keys.PS256} {
		raw, kid, err := m.SignWith(t.Context(), asked, []byte(`{}`), "JWT")
		if err != nil {
			t.Fatal(err)
		}
		if header, _ := mustVerify(t, m.Set(), raw, kid); !strings.Contains(header, `"alg":"`+string(want)+`"`) {
			t.Errorf("asked for %q, the header is %s", asked, header)
		}
	}
	if _, _, err := m.SignWith(t.Context(), keys.RS512, nil, ""); !errors.Is(err, ring.ErrNotConfigured) {
		t.Errorf("an algorithm that is not there: %v", err)
	}
}
