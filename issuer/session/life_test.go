package session

import (
	"errors"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

func TestLongestLife(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		end := p.Refresh.IssuedAt.Add(720 * time.Hour)
		for range 29 { // a day at a time, always before the refresh token's end
			b.mustAge(t, p.SID, 24*time.Hour-time.Minute)
			p, end = b.mustDeliver(t, p), end.Add(-24*time.Hour+time.Minute)
			if p.Refresh.ExpiresAt.After(end) || p.Access.ExpiresAt.After(end) {
				t.Fatalf("generation %d outlives the session: %v, %v after %v", p.Generation, p.Refresh.ExpiresAt, p.Access.ExpiresAt, end)
			}
		}
		b.mustAge(t, p.SID, 12*time.Hour)
		p, end = b.mustDeliver(t, p), end.Add(-12*time.Hour)
		b.mustAge(t, p.SID, end.Sub(p.Refresh.IssuedAt)-time.Minute)
		end = p.Refresh.IssuedAt.Add(time.Minute)
		p = b.mustDeliver(t, p)
		if got := p.Refresh.ExpiresAt; got.Sub(end).Abs() > 2*time.Second || !p.Access.ExpiresAt.Equal(got) {
			t.Errorf("the last pair ends %v and %v, want both %v", got, p.Access.ExpiresAt, end)
		}
		b.mustAge(t, p.SID, time.Minute)
		if _, err := b.refresh(t, p); !errors.Is(err, ErrExpired) {
			t.Errorf("at its longest life = %v, want ErrExpired", err)
		}
		if state, err := b.Peek(t.Context(), p.SID, p.Generation, p.Refresh.JTI); state != Ended || err != nil {
			t.Errorf("Peek = %v, %v; want Ended", state, err)
		}
	})
}

// The record lives a leeway longer than its token, and so does the token's right.
func TestRefreshTokensOwnEnd(t *testing.T) {
	s := ordinary()
	s.Leeway = time.Minute // no busy machine takes the rest of it
	onEach(t, s, func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		b.mustAge(t, p.SID, 24*time.Hour+5*time.Second)
		p = b.mustDeliver(t, p)
		b.client.Persist(t.Context(), b.names.session(p.SID))
		b.mustAge(t, p.SID, 24*time.Hour+61*time.Second)
		b.client.Persist(t.Context(), b.names.session(p.SID))
		if _, err := b.refresh(t, p); !errors.Is(err, ErrExpired) {
			t.Errorf("past exp and leeway = %v, want ErrExpired", err)
		}
	})
}

func TestNonRotating(t *testing.T) {
	s := ordinary()
	s.Rotate = false
	onEach(t, s, func(t *testing.T, b box) {
		first := b.mustStart(t, "7")
		seen := map[string]bool{first.Access.JTI: true}
		for range 3 {
			b.mustAge(t, first.SID, time.Hour)
			got := b.mustRotate(t, first)
			if got.Generation != 1 || got.Refresh.JTI != first.Refresh.JTI || got.Replay {
				t.Errorf("the refresh token changed: %+v", got)
			}
			if life := got.Access.ExpiresAt.Sub(got.Access.IssuedAt); life != 5*time.Minute || seen[got.Access.JTI] {
				t.Errorf("access token lives %v, jti seen before: %v", life, seen[got.Access.JTI])
			}
			if left := got.Refresh.ExpiresAt.Sub(got.Access.IssuedAt); left > 23*time.Hour+time.Second {
				t.Errorf("the refresh token's life grew: %v left", left)
			}
			seen[got.Access.JTI] = true
		}
		// An access token minted at the very end outlives the refresh token; so must
		// the record, and the revocation.
		b.mustAge(t, first.SID, 20*time.Hour+59*time.Minute)
		last := b.mustRotate(t, first)
		if got, err := b.Get(t.Context(), first.SID); err != nil || !got.ExpiresAt.Equal(last.Access.ExpiresAt) {
			t.Errorf("session ends %v, its last token %v (%v)", got.ExpiresAt, last.Access.ExpiresAt, err)
		}
		if ttl := b.client.TTL(t.Context(), b.names.session(first.SID)).Val(); ttl < 5*time.Minute {
			t.Errorf("record's TTL %v", ttl)
		}
	})
}

// TestRotateSwitchedOff: what was spent while refresh tokens were rotated stays spent.
func TestRotateSwitchedOff(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		off := b.with(func(s *Settings) { s.Rotate = false })
		first := b.mustStart(t, "7")
		kept := off.mustRotate(t, first)
		if kept.Generation != 1 || kept.Refresh != first.Refresh || kept.Access.JTI == first.Access.JTI {
			t.Errorf("Rotate = %+v", kept)
		}
		second := b.mustDeliver(t, first)
		b.mustAge(t, first.SID, time.Minute)
		if _, err := off.refresh(t, first); !errors.Is(err, ErrReuse) {
			t.Errorf("a token that was spent = %v, want ErrReuse in this mode too", err)
		}
		b.checkEnded(t, second, reasonReuse)
	})
}

// A clock that was set back must not keep a spent token alive.
func TestClockSetBack(t *testing.T) {
	m, client := testkit.MustMini(t)
	b := mustBox(t, client, ordinary())
	now := time.Now()
	m.SetTime(now)
	first := b.mustStart(t, "7")
	second := b.mustDeliver(t, first)
	m.SetTime(now.Add(-2 * time.Second))
	if got, err := b.refresh(t, first); err != nil || !got.Replay {
		t.Errorf("two seconds back = %+v, %v; want a replay", got, err)
	}
	m.SetTime(now.Add(-time.Hour))
	if _, err := b.refresh(t, first); !errors.Is(err, ErrReuse) {
		t.Errorf("an hour back = %v, want ErrReuse", err)
	}
	b.checkEnded(t, second, reasonReuse)
}

// Settings that a restart changed hold for sessions that stand, from their next
// refresh; the record never ends before what was minted under the old ones.
func TestShorterSettings(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		end := p.Refresh.ExpiresAt
		shorter := b.with(func(s *Settings) { s.RefreshTTL, s.MaxTTL = time.Hour, 2*time.Hour })
		next := shorter.mustDeliver(t, p)
		if life := next.Refresh.ExpiresAt.Sub(next.Refresh.IssuedAt); life != time.Hour {
			t.Errorf("the refresh token lives %v, want the new hour", life)
		}
		if s, err := shorter.Get(t.Context(), p.SID); err != nil || !s.ExpiresAt.Equal(end) {
			t.Errorf("the session ends %v, %v; want %v, when the first token does", s.ExpiresAt, err, end)
		}
		b.mustAge(t, p.SID, 2*time.Hour)
		if _, err := shorter.refresh(t, next); !errors.Is(err, ErrExpired) {
			t.Errorf("past the new longest life = %v, want ErrExpired", err)
		}
	})
}
