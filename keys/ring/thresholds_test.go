package ring_test

import (
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

func TestThresholds(t *testing.T) {
	s := ring.Settings{RotateEvery: time.Hour, Prepublish: 15 * time.Minute, ServedAge: 5 * time.Minute}
	k := ring.Key{Created: at(0), Activated: at(time.Hour)}
	if got := s.RipeAt(k); !got.Equal(at(15 * time.Minute)) {
		t.Errorf("ripe at %s", got)
	}
	if got := s.SafeAt(k); !got.Equal(at(20 * time.Minute)) {
		t.Errorf("safe at %s", got)
	}
	if got, ever := s.DueAt(k); !ever || !got.Equal(at(2*time.Hour)) {
		t.Errorf("due at %s %v", got, ever)
	}
	s.RotateEvery = 0
	if _, ever := s.DueAt(k); ever {
		t.Error("due although it is turned by hand")
	}
}

// TestTakeoverWaitsForServedAge: by itself a key takes over only when a set that
// was old when it was fetched is out of use; by hand it need not.
func TestTakeoverWaitsForServedAge(t *testing.T) {
	s := hourly(keys.ES256)
	s.RotateEvery, s.ServedAge = time.Minute, 5*time.Minute
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	for _, c := range []struct {
		after time.Duration
		want  uint64
	}{{15 * time.Minute, 1}, {20*time.Minute - 1, 1}, {20 * time.Minute, 2}} {
		if got := mustAdvance(t, r, at(c.after), s); got.Version != c.want {
			t.Errorf("after %s the version is %d, want %d", c.after, got.Version, c.want)
		}
	}
	if _, _, err := r.Rotate(at(15*time.Minute), s, false); err != nil {
		t.Errorf("by hand: %v", err)
	}
}

// TestTimelineComesTrue: what the time line foretells is what Advance does.
func TestTimelineComesTrue(t *testing.T) {
	s := hourly(keys.ES256, keys.EdDSA)
	s.ServedAge = 5 * time.Minute
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	told := map[string]ring.Line{}
	for _, l := range r.Timeline(at(0), s) {
		told[l.ID] = l
	}
	for now := time.Duration(0); now <= 3*time.Hour; now += time.Minute {
		r = mustAdvance(t, r, at(now), s)
	}
	for id, l := range told {
		k, there := byID(r, id)
		switch l.State {
		case ring.Active: // retired after an hour, gone ten minutes later
			if !l.SignsFrom.Equal(at(0)) || !l.SignsUntil.Equal(at(time.Hour)) || !l.PublishedUntil.Equal(at(70*time.Minute)) || there {
				t.Errorf("active: %+v, still there: %v", l, there)
			}
		case ring.Pending:
			if !l.SignsFrom.Equal(at(time.Hour)) || !l.TokensUntil.IsZero() || there && !k.Activated.Equal(l.SignsFrom) {
				t.Errorf("pending: %+v, signed from %s", l, k.Activated)
			}
		default:
			t.Errorf("%s", l.State)
		}
	}
}

func TestTimelineOfWhatIsOver(t *testing.T) {
	s := hourly(keys.ES256)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	first, next := only(t, r, keys.ES256, ring.Active), only(t, r, keys.ES256, ring.Pending)
	r, _, err := r.Rotate(at(20*time.Minute), s, false)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err = r.Revoke(next.ID, at(30*time.Minute), s)
	if err != nil {
		t.Fatal(err)
	}
	s.RotateEvery = 0
	for _, l := range r.Timeline(at(31*time.Minute), s) {
		switch {
		case l.ID == first.ID:
			if !l.TokensUntil.Equal(at(30*time.Minute)) || !l.SignsUntil.Equal(at(20*time.Minute)) {
				t.Errorf("retired: %+v", l)
			}
		case l.ID == next.ID:
			if !l.TokensUntil.IsZero() || !l.SignsUntil.Equal(at(30*time.Minute)) {
				t.Errorf("revoked: %+v", l)
			}
		case l.State == ring.Active:
			if !l.SignsUntil.IsZero() || !l.TokensUntil.Equal(at(41*time.Minute)) {
				t.Errorf("active, turned by hand: %+v", l)
			}
		case l.State == ring.Pending:
			if !l.SignsFrom.IsZero() {
				t.Errorf("pending, turned by hand: %+v", l)
			}
		}
	}
	if got := (ring.Ring{}).Timeline(at(0), s); len(got) != 0 {
		t.Errorf("the time line of nothing: %v", got)
	}
}
