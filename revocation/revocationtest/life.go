package revocationtest

import (
	"errors"
	"testing"
	"time"

	"tollgate/revocation"
)

// testLives compares what the server says is left of an entry with the life that
// it ends and the leeway, for each kind.
func testLives(t *testing.T, h Harness) {
	if h.TTL == nil {
		t.Skip("this store shows no TTL")
	}
	now := time.UnixMicro(h.birth(t))
	at := func(d time.Duration) time.Time { return now.Add(d).Truncate(time.Millisecond) }
	tests := []struct {
		name  string
		order revocation.Order
		life  time.Duration // without leeway; 0: as ExpiresAt says; -1: no end; -2: the least
	}{
		{"jti", revocation.Order{Kind: revocation.KindJTI, Value: "a"}, accessLife},
		{"signed", revocation.Order{Kind: revocation.KindSigned, Value: "a"}, accessLife},
		{"session", revocation.Order{Kind: revocation.KindSession, Value: "a"}, sessionLife},
		{"subject", revocation.Order{Kind: revocation.KindSubject, Value: "a"}, sessionLife},
		{"all", revocation.Order{Kind: revocation.KindAll}, sessionLife},
		{"key", revocation.Order{Kind: revocation.KindKey, Value: "a"}, -1},
		{"key with an end", revocation.Order{Kind: revocation.KindKey, Value: "b", ExpiresAt: at(time.Hour)}, -1},
		{"jti with an end", revocation.Order{Kind: revocation.KindJTI, Value: "b", ExpiresAt: at(42 * time.Second)}, 0},
		{"jti of a long life", revocation.Order{Kind: revocation.KindJTI, Value: "c", ExpiresAt: at(100 * 24 * time.Hour)}, 0},
		{"jti to the latest end", revocation.Order{Kind: revocation.KindJTI, Value: "d", ExpiresAt: time.Unix(revocation.Latest, 0)}, 0},
		{"jti to the year 9999", revocation.Order{Kind: revocation.KindJTI, Value: "l", ExpiresAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, 0},
		{"session with an end", revocation.Order{Kind: revocation.KindSession, Value: "b", ExpiresAt: at(time.Hour)}, 0},
		{"subject with an end", revocation.Order{Kind: revocation.KindSubject, Value: "b", ExpiresAt: at(time.Hour)}, 0},
		{"jti of an absurd exp", revocation.Order{Kind: revocation.KindJTI, Value: "m", ExpiresAt: time.Unix(1e18, 0)}, 0},
		{"jti of exp -1e18", revocation.Order{Kind: revocation.KindJTI, Value: "n", ExpiresAt: time.Unix(-1e18, 0)}, -2},
		{"expired, within the leeway", revocation.Order{Kind: revocation.KindJTI, Value: "e", ExpiresAt: at(-4 * time.Second)}, 0},
		{"expired, leeway nearly over", revocation.Order{Kind: revocation.KindJTI, Value: "f", ExpiresAt: at(-leeway + time.Millisecond)}, -2},
		{"expired", revocation.Order{Kind: revocation.KindJTI, Value: "g", ExpiresAt: at(-leeway)}, -2},
		{"expired long ago", revocation.Order{Kind: revocation.KindJTI, Value: "h", ExpiresAt: at(-24 * time.Hour)}, -2},
		{"expired in 1970", revocation.Order{Kind: revocation.KindJTI, Value: "i", ExpiresAt: time.Unix(0, 0)}, -2},
		{"expired before that", revocation.Order{Kind: revocation.KindJTI, Value: "k", ExpiresAt: time.Unix(-1e9, 0)}, -2},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			r := h.mustRevoke(t, tc.order)
			got := h.TTL(t, revocation.DigestOf(own, tc.order.Kind, tc.order.Value))
			took := time.Since(start)
			if tc.life == -1 {
				if got >= 0 || !r.ExpiresAt.IsZero() {
					t.Fatalf("it ends, in %s, at %s", got, r.ExpiresAt)
				}
				return
			}
			left := tc.life + leeway
			switch tc.life {
			case 0:
				left = max(r.ExpiresAt.Sub(r.RevokedAt)+leeway, time.Second) // the least, if the tests before took long
				if end := tc.order.ExpiresAt; !r.ExpiresAt.Equal(end) && (end.Unix() < revocation.Latest || r.ExpiresAt.Unix() != revocation.Latest) {
					t.Errorf("expires at %s, ordered %s", r.ExpiresAt, tc.order.ExpiresAt)
				}
			case -2:
				left = time.Second
			default:
				// Lives are cut to ms, and store time runs ahead of a clock that stands still.
				if d := r.ExpiresAt.Sub(r.RevokedAt) - tc.life; d.Abs() > 2*time.Millisecond {
					t.Errorf("expires %s off the kind's life", d)
				}
			}
			// Redis counts in ms; the second ms is that of rounding at both ends.
			if got > left+2*time.Millisecond || got < left-took-2*time.Millisecond {
				t.Fatalf("%s left, want %s (asking took %s)", got, left, took)
			}
		})
	}
}

func testNeverShorter(t *testing.T, h Harness) {
	if h.TTL == nil {
		t.Skip("this store shows no TTL")
	}
	now := time.UnixMicro(h.birth(t))
	for _, kind := range []revocation.Kind{revocation.KindJTI, revocation.KindSession, revocation.KindSubject, revocation.KindSigned} {
		digest := revocation.DigestOf(own, kind, "v")
		o := revocation.Order{Kind: kind, Value: "v", ExpiresAt: now.Add(time.Hour)}
		first := h.mustRevoke(t, o)
		long := h.TTL(t, digest)
		o.ExpiresAt = now.Add(time.Minute)
		second := h.mustRevoke(t, o)
		if got := h.TTL(t, digest); got > long || got < long-5*time.Second {
			t.Errorf("%s: %s left after a shorter statement, %s before", kind, got, long)
		}
		h.mustUndo(t, second.ID)
		h.mustUndo(t, first.ID)
		if got := h.TTL(t, digest); got > long || got < long-10*time.Second {
			t.Errorf("%s: %s left after undoing, %s before", kind, got, long)
		}
		o.ExpiresAt = now.Add(2 * time.Hour)
		h.mustRevoke(t, o)
		if got := h.TTL(t, digest); got < long+time.Hour-10*time.Second {
			t.Errorf("%s: %s left after a longer statement", kind, got)
		}
	}
}

func testExpiry(t *testing.T, h Harness) {
	if h.Advance == nil {
		t.Skip("time cannot be moved")
	}
	tok := h.token(t, "j", "s", "u")
	other := h.token(t, "j2", "s", "u")
	key := h.token(t, "j3", "s3", "u3")
	key.KeyID = "k"
	h.mustRevoke(t, revocation.Order{Kind: revocation.KindKey, Value: "k"})
	over := revocation.Order{Kind: revocation.KindJTI, Value: "j", ExpiresAt: time.UnixMicro(h.birth(t)).Add(-time.Hour)}
	began := time.Now()
	r := h.mustRevoke(t, over) // over already: kept for a second
	h.wantShortly(t, began, "just revoked", tok, revocation.KindJTI)
	bare := h.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "j2"})

	h.Advance(1100*time.Millisecond + h.late())
	h.wantClear(t, "a second later", tok)
	h.wantRevoked(t, "a longer life", other, revocation.KindJTI)
	h.wantNotFound(t, r.ID)
	for _, item := range h.mustList(t, revocation.Filter{Undone: true}).Items {
		if item.ID == r.ID {
			t.Error("listed after its life")
		}
	}
	again := h.mustRevoke(t, over)
	if again.ID == r.ID {
		t.Error("a statement came back from its end")
	}
	if !h.Virtual {
		return
	}
	h.Advance(accessLife + leeway - 1200*time.Millisecond - h.late())
	h.wantRevoked(t, "in the last moment of the leeway", other, revocation.KindJTI)
	h.mustGet(t, bare.ID)
	h.Advance(200*time.Millisecond + h.late())
	h.wantClear(t, "after the leeway", other)
	h.wantNotFound(t, bare.ID)
	h.Advance(10 * 365 * 24 * time.Hour)
	h.wantRevoked(t, "ten years later", key, revocation.KindKey)
}

func (h Harness) wantNotFound(t *testing.T, id string) {
	t.Helper()
	if r, err := h.Store.Get(t.Context(), id); !errors.Is(err, revocation.ErrNotFound) {
		t.Errorf("get: %+v, %v", r, err)
	}
	if r, err := h.Store.Undo(t.Context(), id); !errors.Is(err, revocation.ErrNotFound) {
		t.Errorf("undo: %+v, %v", r, err)
	}
}

// testPassedStatement: an entry lives as long as its longest statement, but each
// of them only for its own life.
func testPassedStatement(t *testing.T, h Harness) {
	if h.Advance == nil {
		t.Skip("time cannot be moved")
	}
	now := time.UnixMicro(h.birth(t))
	old := h.token(t, "j", "s", "u")
	long := h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u", ExpiresAt: now.Add(time.Hour)})
	between := h.token(t, "j", "s", "u")
	began := time.Now()
	short := h.mustRevoke(t, revocation.Order{Kind: revocation.KindSubject, Value: "u", ExpiresAt: now.Add(-time.Hour)})
	h.wantShortly(t, began, "before the later cut-off", between, revocation.KindSubject)

	h.Advance(1100 * time.Millisecond)
	h.wantRevoked(t, "before the first cut-off", old, revocation.KindSubject)
	h.wantNotFound(t, short.ID)
	p := h.mustList(t, revocation.Filter{Subject: "u"})
	if len(p.Items) != 1 || p.Items[0].ID != long.ID {
		t.Fatalf("listed: %+v", p.Items)
	}
	h.mustUndo(t, long.ID) // a write: what has passed is dropped
	h.wantClear(t, "nothing in force", old)
	h.wantClear(t, "nothing in force", between)
}
