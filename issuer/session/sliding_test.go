package session

import (
	"errors"
	"testing"
	"time"

	"tollgate/revocation"
)

func (b box) mustStartSliding(t *testing.T, subject string) Pair {
	t.Helper()
	p, err := b.StartSliding(t.Context(), Start{Birth: b.mustBirth(t), Subject: subject, Username: "name of " + subject})
	if err != nil {
		t.Fatalf("StartSliding: %v", err)
	}
	return p
}

// A sliding token keeps its jti and the end of its refresh period, and gets new times.
func TestSlide(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStartSliding(t, "7")
		if p.Generation != 0 || p.Access.JTI != p.Refresh.JTI || p.Access.ExpiresAt.Sub(p.Access.IssuedAt) != defaultSliding ||
			p.Refresh.ExpiresAt.Sub(p.Access.IssuedAt) != defaultSlidingRefresh {
			t.Fatalf("started %+v", p)
		}
		const pause = time.Minute
		b.mustAge(t, p.SID, pause)
		next, err := b.Slide(t.Context(), p.SID, p.Access.JTI, ForSubject("7"), SignedBy("key"))
		if err != nil {
			t.Fatal(err)
		}
		if next.Access.JTI != p.Access.JTI || next.Subject != "7" || next.Replay || next.Generation != 0 ||
			next.Access.ExpiresAt.Sub(next.Access.IssuedAt) != defaultSliding || !next.Refresh.ExpiresAt.Equal(p.Refresh.ExpiresAt.Add(-pause)) {
			t.Errorf("after %s: %+v, was %+v", pause, next, p)
		}
		again, err := b.Slide(t.Context(), p.SID, p.Access.JTI) // the client did not get the answer
		if err != nil || again.Access.JTI != next.Access.JTI || again.Access.ExpiresAt.Before(next.Access.ExpiresAt) {
			t.Errorf("asked again: %+v, %v", again, err)
		}
		list, err := b.List(t.Context(), "7")
		if err != nil || len(list) != 1 || list[0].State != StateLive || list[0].LastRefresh.IsZero() || !list[0].ExpiresAt.Equal(list[0].Created.Add(defaultSlidingRefresh)) {
			t.Errorf("listed as %+v, %v", list, err)
		}
		if sid, err := b.ByJTI(t.Context(), p.Access.JTI); err != nil || sid != p.SID {
			t.Errorf("by its jti: %q, %v", sid, err)
		}
		if v := b.verdict(t, next); v.State != revocation.Clear {
			t.Errorf("an edge finds %+v", v)
		}
	})
}

// Both ends of a sliding token: its refresh period, which it may outlive, and the
// longest life of a session, which it may not.
func TestSlideEnds(t *testing.T) {
	s := ordinary()
	s.SlidingTTL, s.SlidingRefreshTTL, s.MaxTTL = 10*time.Minute, time.Hour, 90*time.Minute
	onEach(t, s, func(t *testing.T, b box) {
		p := b.mustStartSliding(t, "7")
		b.mustAge(t, p.SID, 59*time.Minute)
		late, err := b.Slide(t.Context(), p.SID, p.Access.JTI)
		if err != nil || !late.Access.ExpiresAt.After(late.Refresh.ExpiresAt) {
			t.Fatalf("within the refresh period: %+v, %v", late, err)
		}
		if ttl := b.client.TTL(t.Context(), b.names.jti(p.Access.JTI)).Val(); ttl < 10*time.Minute {
			t.Errorf("the jti of a token that lives 10m is kept for %s", ttl)
		}
		b.mustAge(t, p.SID, time.Minute+s.Leeway)
		if _, err := b.Slide(t.Context(), p.SID, p.Access.JTI); !errors.Is(err, ErrExpired) {
			t.Errorf("after the refresh period: %v, want ErrExpired", err)
		}
		long := b.with(func(s *Settings) { s.SlidingRefreshTTL = 720 * time.Hour })
		p = long.mustStartSliding(t, "7")
		if got := p.Refresh.ExpiresAt.Sub(p.Access.IssuedAt); got != s.MaxTTL {
			t.Errorf("refresh period of %s beyond the longest life", got)
		}
		long.mustAge(t, p.SID, 85*time.Minute)
		// Not "5 m after it was made": a second may have begun since the start.
		ends := p.Access.IssuedAt.Add(s.MaxTTL - 85*time.Minute)
		if last, err := long.Slide(t.Context(), p.SID, p.Access.JTI); err != nil || !last.Access.ExpiresAt.Equal(ends) {
			t.Errorf("near the longest life: %+v, %v", last, err)
		}
		long.mustAge(t, p.SID, 5*time.Minute)
		if _, err := long.Slide(t.Context(), p.SID, p.Access.JTI); !errors.Is(err, ErrExpired) {
			t.Errorf("after the longest life: %v, want ErrExpired", err)
		}
	})
}

// Whatever ends a session ends a sliding one, a statement about its jti included: the
// jti never changes, so a shorter-lived statement would be outlived.
func TestSlideRefused(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		slide := func(p Pair, opts ...Option) error {
			_, err := b.Slide(t.Context(), p.SID, p.Access.JTI, opts...)
			return err
		}
		p := b.mustStartSliding(t, "7")
		for name, err := range map[string]error{
			"another jti":     slide(Pair{SID: p.SID, Access: Stamp{JTI: newJTI()}}),
			"another subject": slide(p, ForSubject("8")),
			"no session":      slide(Pair{SID: NewID(b.mustBirth(t)), Access: p.Access}),
			"no sid of ours":  slide(Pair{SID: "x", Access: p.Access}),
			"a pair's":        func() error { pair := b.mustStart(t, "7"); return slide(Pair{SID: pair.SID, Access: pair.Refresh}) }(),
			"rotated":         func() error { _, err := b.Rotate(t.Context(), p.SID, 1, p.Access.JTI); return err }(),
		} {
			if !errors.Is(err, ErrLost) {
				t.Errorf("%s: %v, want ErrLost", name, err)
			}
		}
		if err := slide(p); err != nil {
			t.Errorf("refusals ended it: %v", err)
		}
		for name, end := range map[string]func(p Pair) error{
			"End":    func(p Pair) error { return b.End(t.Context(), p.SID, "why", "who") },
			"EndAll": func(p Pair) error { _, err := b.EndAll(t.Context(), p.Subject, "why", "who"); return err },
			"jti": func(p Pair) error {
				_, err := b.rev.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Issuer: issuer, Value: p.Access.JTI, Reason: "why", Actor: "who"})
				return err
			},
		} {
			p := b.mustStartSliding(t, "of "+name)
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			if err := slide(p); !errors.Is(err, ErrEnded) {
				t.Errorf("after %s: %v, want ErrEnded", name, err)
			}
			if v := b.verdict(t, p); v.State != revocation.Revoked {
				t.Errorf("after %s an edge finds %+v", name, v)
			}
			if name == "jti" && b.mustState(t, p.SID) != StateEnded {
				t.Error("the session of a revoked jti lives on")
			}
		}
	})
}

// A sliding refresh that dies at any of its commands costs nothing.
func TestSlideCutAtEachCommand(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		b.mustWarm(t)
		for _, deaf := range []bool{false, true} {
			finished := false
			for n := 0; n < 20 && !finished; n++ {
				p := b.mustStartSliding(t, "7")
				_, err := b.mustCut(t, n, deaf).Slide(t.Context(), p.SID, p.Access.JTI)
				if finished = err == nil; !finished && !errors.Is(err, ErrUnavailable) {
					t.Fatalf("cut at %d: %v, want ErrUnavailable", n, err)
				}
				if again, err := b.Slide(t.Context(), p.SID, p.Access.JTI); err != nil || again.Access.JTI != p.Access.JTI {
					t.Errorf("cut at %d: the retry got %+v, %v", n, again, err)
				}
			}
			if !finished {
				t.Error("no run came to its end: the test cuts too few commands")
			}
		}
	})
}
