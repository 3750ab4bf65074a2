package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/revocation"
)

func (b box) mustRevocation(t *testing.T, sid string) revocation.Revocation {
	t.Helper()
	page, err := b.rev.List(t.Context(), revocation.Filter{Kind: revocation.KindSession})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Items {
		if r.Value == sid {
			return r
		}
	}
	t.Fatalf("no revocation of session %s", sid)
	return revocation.Revocation{}
}

func TestEnd(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustDeliver(t, b.mustStart(t, "7"))
		other := b.mustStart(t, "7")
		if err := b.End(t.Context(), p.SID, "logout", "user 7"); err != nil {
			t.Fatal(err)
		}
		b.checkEnded(t, p, "logout")
		r := b.mustRevocation(t, p.SID)
		if !r.ExpiresAt.Equal(p.Refresh.ExpiresAt) || r.Subject != "7" || r.Reason != "logout" || r.Actor != "user 7" || r.Issuer != issuer {
			t.Errorf("revocation %+v, want it to end with the session at %v", r, p.Refresh.ExpiresAt)
		}
		if err := b.End(t.Context(), p.SID, "again", "somebody else"); err != nil {
			t.Errorf("again: %v", err)
		}
		if again := b.mustRevocation(t, p.SID); again.ID != r.ID {
			t.Errorf("ending again made another statement: %s, %s", again.ID, r.ID)
		}
		if s, err := b.Get(t.Context(), p.SID); err != nil || s.Reason != "logout" || s.Actor != "user 7" {
			t.Errorf("Get = %+v, %v; want the first reason", s, err)
		}
		if v := b.verdict(t, other); v.State != revocation.Clear {
			t.Errorf("the other session = %+v", v)
		}
		b.mustRotate(t, other)
	})
}

// What an administrator undid is revoked again by ending again.
func TestEndAfterUndo(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		for range 2 {
			if err := b.End(t.Context(), p.SID, "why", "who"); err != nil {
				t.Fatal(err)
			}
			b.checkEnded(t, p, "why")
			if _, err := b.rev.Undo(t.Context(), b.mustRevocation(t, p.SID).ID); err != nil {
				t.Fatal(err)
			}
			if _, err := b.refresh(t, p); !errors.Is(err, ErrEnded) {
				t.Errorf("the record's end was undone too: %v", err)
			}
		}
	})
}

func TestEndOfAnUnknownSession(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		b.mustForget(t, p.SID)
		if err := b.End(t.Context(), p.SID, strings.Repeat("é", 2000), "who\x00"); err != nil {
			t.Fatal(err)
		}
		if v := b.verdict(t, p); v.State != revocation.Revoked {
			t.Errorf("an edge finds %+v, want revoked", v)
		}
		if r := b.mustRevocation(t, p.SID); time.Until(r.ExpiresAt) < 719*time.Hour {
			t.Errorf("revoked until %v, want the longest life", r.ExpiresAt)
		}
		if n := b.client.Exists(t.Context(), b.names.session(p.SID), b.names.ending()).Val(); n != 0 {
			t.Errorf("%d keys were made for a session that is not there", n)
		}
		for _, sid := range []string{"", strings.Repeat("x", 256)} {
			if err := b.End(t.Context(), sid, "", ""); !errors.Is(err, ErrInvalid) {
				t.Errorf("End(%d bytes) = %v, want ErrInvalid", len(sid), err)
			}
		}
	})
}

// doors are the ways in which somebody meets a session.
func doors() map[string]func(t *testing.T, b box, p Pair) {
	return map[string]func(t *testing.T, b box, p Pair){
		"refresh": func(t *testing.T, b box, p Pair) {
			if _, err := b.refresh(t, p); !errors.Is(err, ErrEnded) {
				t.Errorf("Rotate = %v, want ErrEnded", err)
			}
		},
		"peek": func(t *testing.T, b box, p Pair) {
			if st, err := b.Peek(t.Context(), p.SID, p.Generation, p.Refresh.JTI); st != Ended || err != nil {
				t.Errorf("Peek = %v, %v; want Ended", st, err)
			}
		},
		"get": func(t *testing.T, b box, p Pair) {
			if s, err := b.Get(t.Context(), p.SID); s.State != StateEnded || err != nil {
				t.Errorf("Get = %v, %v; want ended", s.State, err)
			}
		},
		"list": func(t *testing.T, b box, p Pair) {
			if l, err := b.List(t.Context(), p.Subject); err != nil || len(l) != 1 || l[0].State != StateEnded {
				t.Errorf("List = %v, %v; want one ended", l, err)
			}
		},
		"end": func(t *testing.T, b box, p Pair) {
			if err := b.End(t.Context(), p.SID, "other", "other"); err != nil {
				t.Errorf("End = %v", err)
			}
		},
		"sweep": func(t *testing.T, b box, _ Pair) {
			if err := b.Sweep(t.Context()); err != nil {
				t.Errorf("Sweep = %v", err)
			}
		},
		"scan": func(t *testing.T, b box, _ Pair) {
			if err := errors.Join(b.scan(t.Context()), b.Sweep(t.Context())); err != nil {
				t.Errorf("scan = %v", err)
			}
		},
	}
}

// A process may die at each command of an end, with or without the command having
// been executed. As soon as the session is marked, nothing refreshes it, and
// whoever meets it completes its end, whichever door they come by.
func TestEndCutAtEachCommand(t *testing.T) {
	causes := map[string]func(b box, ctx context.Context, spent, current Pair) error{
		"end": func(b box, ctx context.Context, _, current Pair) error {
			return b.End(ctx, current.SID, "why", "who")
		},
		"reuse": func(b box, ctx context.Context, spent, _ Pair) error {
			_, err := b.Rotate(ctx, spent.SID, spent.Generation, spent.Refresh.JTI)
			return err
		},
	}
	reasons := map[string]string{"end": "why", "reuse": reasonReuse}
	onEach(t, ordinary(), func(t *testing.T, b box) {
		b.mustWarm(t)
		for cause, do := range causes {
			for door, meet := range doors() {
				for _, deaf := range []bool{false, true} {
					marked, finished := 0, false
					for n := 0; n < 20 && !finished; n++ {
						spent := b.mustStart(t, fmt.Sprintf("%s %s %v %d", cause, door, deaf, n))
						current := b.mustDeliver(t, spent)
						b.mustAge(t, spent.SID, time.Minute)
						err := do(b.mustCut(t, n, deaf), t.Context(), spent, current)
						finished = err == nil || errors.Is(err, ErrReuse) && !strings.Contains(err.Error(), "not complete")
						if b.mustState(t, current.SID) == "" {
							b.mustRotate(t, current)
							continue
						}
						marked++
						if _, err := b.withRevoker(deadRevoker{clear: true}).refresh(t, current); !errors.Is(err, ErrEnded) {
							t.Errorf("%s cut at %d: a marked session is refreshed: %v", cause, n, err)
						}
						meet(t, b, current)
						b.checkState(t, current, StateEnded)
						if v := b.verdict(t, current); v.State != revocation.Revoked {
							t.Errorf("%s cut at %d, met by %s: an edge finds %+v", cause, n, door, v)
						}
						if err := b.Sweep(t.Context()); err != nil { // what is ended may still stand in the set
							t.Error(err)
						}
						b.checkEnded(t, current, reasons[cause])
					}
					if !finished || marked < 3 {
						t.Errorf("%s: finished %v, cut %d times after the mark: the test cuts too few commands", cause, finished, marked)
					}
				}
			}
		}
	})
}

// mustWarm makes every script known to the server, so that each is one command.
func (b box) mustWarm(t *testing.T) {
	t.Helper()
	p := b.mustStart(t, "warm")
	next := b.mustDeliver(t, p)
	b.mustAge(t, p.SID, time.Minute)
	_, _ = b.Peek(t.Context(), p.SID, 1, p.Refresh.JTI)
	if _, err := b.refresh(t, p); !errors.Is(err, ErrReuse) {
		t.Fatal(err)
	}
	b.checkEnded(t, next, reasonReuse)
}

// A reuse that cannot be revoked is refused all the same, and so is the session.
func TestReuseWhileRevocationsAreAway(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		spent := b.mustStart(t, "7")
		current := b.mustDeliver(t, spent)
		b.mustAge(t, spent.SID, time.Minute)
		away := b.withRevoker(deadRevoker{clear: true})
		_, err := away.refresh(t, spent)
		if !errors.Is(err, ErrReuse) || errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "unavailable") {
			t.Errorf("Rotate = %v, want ErrReuse alone, and the cause in its text", err)
		}
		if _, err := away.refresh(t, current); !errors.Is(err, ErrEnded) {
			t.Errorf("the current token = %v, want ErrEnded", err)
		}
		if err := away.Sweep(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Sweep = %v, want ErrUnavailable", err)
		}
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.checkEnded(t, current, reasonReuse)
	})
}

// Whoever replays a spent token must not be able to stop what follows by hanging up.
func TestEndOutlivesItsCaller(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.End(gone, p.SID, "why", "who"); err != nil {
			t.Errorf("End = %v", err)
		}
		b.checkEnded(t, p, "why")
	})
}
