package session

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/revocation"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (b box) mustSolo(t testing.TB, subject string, solo Solo) Pair {
	t.Helper()
	p, err := b.StartSolo(t.Context(), Start{Birth: b.mustBirth(t), Subject: subject, Username: "name of " + subject}, solo)
	if err != nil {
		t.Fatalf("StartSolo: %v", err)
	}
	return p
}

func TestSoloRenews(t *testing.T) {
	s := ordinary()
	s.MaxTTL = 20 * time.Minute
	onEach(t, s, func(t *testing.T, b box) {
		first := b.mustSolo(t, "7", Solo{UUID: true, Renews: true})
		want := Pair{SID: first.SID, Subject: "7", Refresh: first.Access, Access: first.Access}
		if diff := cmp.Diff(want, first); diff != "" || !uuid4.MatchString(first.Access.JTI) || first.Access.ExpiresAt.Sub(first.Access.IssuedAt) != s.AccessTTL {
			t.Errorf("%+v (-want +got):\n%s", first, diff)
		}
		seen := map[string]bool{first.Access.JTI: true}
		last := first.Access.IssuedAt.Add(s.MaxTTL)
		for age := time.Duration(0); age < 16*time.Minute; age += 4 * time.Minute {
			next, err := b.Renew(t.Context(), first.SID, first.Access.JTI, ForSubject("7"))
			if err != nil {
				t.Fatal(err)
			}
			if seen[next.Access.JTI] || !uuid4.MatchString(next.Access.JTI) || next.Refresh.JTI != first.Access.JTI {
				t.Errorf("%+v", next)
			}
			seen[next.Access.JTI] = true
			if life := next.Access.ExpiresAt.Sub(next.Access.IssuedAt); life != min(s.AccessTTL, last.Add(-age).Sub(next.Access.IssuedAt)) {
				t.Errorf("after %s: a life of %s", age, life)
			}
			if v := b.verdict(t, next); v.State != revocation.Clear {
				t.Errorf("%+v", v)
			}
			if sid, err := b.ByJTI(t.Context(), first.Access.JTI); err != nil || sid != first.SID {
				t.Errorf("ByJTI of the first: %q, %v", sid, err)
			}
			b.mustAge(t, first.SID, 4*time.Minute)
		}
		b.mustAge(t, first.SID, 4*time.Minute)
		if _, err := b.Renew(t.Context(), first.SID, first.Access.JTI); !errors.Is(err, ErrExpired) {
			t.Errorf("past the longest life: %v", err)
		}
	})
}

func TestSoloRenewRefusals(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustSolo(t, "7", Solo{UUID: true, Renews: true})
		renew := func(p Pair, subject string) error {
			_, err := b.Renew(t.Context(), p.SID, p.Access.JTI, ForSubject(subject))
			return err
		}
		fixed := b.mustSolo(t, "7", Solo{})
		acting := b.mustSolo(t, "8", Solo{Renews: true, Actor: "7", ActorSID: p.SID})
		pair := b.mustStart(t, "7")
		lost := b.mustSolo(t, "7", Solo{Renews: true})
		b.mustForget(t, lost.SID)
		for name, err := range map[string]error{
			"another subject": renew(p, "8"), "one that does not renew": renew(fixed, "7"), "an impersonator's": renew(acting, "8"),
			"a pair's": renew(pair, "7"), "no record": renew(lost, "7"), "no sid": renew(Pair{SID: "x"}, "7"),
		} {
			if !errors.Is(err, ErrLost) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, p := range []Pair{p, fixed, acting} { // nor are they any refresh token
			if _, err := b.Rotate(t.Context(), p.SID, 1, p.Access.JTI); !errors.Is(err, ErrLost) {
				t.Errorf("rotated: %v", err)
			}
		}
		next, err := b.Renew(t.Context(), p.SID, p.Access.JTI)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.End(t.Context(), p.SID, "logout", "user:7"); err != nil {
			t.Fatal(err)
		}
		for _, p := range []Pair{p, next} {
			if v := b.verdict(t, p); v.State != revocation.Revoked {
				t.Errorf("after the end: %+v", v)
			}
		}
		if err := renew(p, "7"); !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestActing: an impersonator's session lives shortly, stands in both lists, and does
// not outlive the log-in that it was begun from.
func TestActing(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		login := b.mustStart(t, "1")
		p := b.mustSolo(t, "7", Solo{Life: time.Minute, Actor: "1", ActorSID: login.SID})
		if life := p.Access.ExpiresAt.Sub(p.Access.IssuedAt); life != time.Minute || !hex32.MatchString(p.Access.JTI) {
			t.Errorf("%+v", p)
		}
		for _, subject := range []string{"1", "7"} {
			list, err := b.List(t.Context(), subject)
			if err != nil || len(list) == 0 || list[0].SID != p.SID || list[0].Subject != "7" || list[0].Impersonator != "1" || list[0].State != StateLive {
				t.Errorf("sessions of %s: %+v, %v", subject, list, err)
			}
		}
		short := b.mustSolo(t, "1", Solo{Life: 10 * time.Second})
		if p := b.mustSolo(t, "7", Solo{Life: time.Minute, Actor: "1", ActorSID: short.SID}); p.Access.ExpiresAt.After(short.Access.ExpiresAt) {
			t.Errorf("%v outlives %v", p.Access.ExpiresAt, short.Access.ExpiresAt)
		}
		b.mustAge(t, short.SID, 10*time.Second)
		for sid, want := range map[string]error{short.SID: ErrExpired, NewID(1): ErrUnavailable} { // the store knows of nobody so old
			if _, err := b.StartSolo(t.Context(), Start{Birth: b.mustBirth(t), Subject: "7"}, Solo{Actor: "1", ActorSID: sid}); !errors.Is(err, want) {
				t.Errorf("from %s: %v", sid, err)
			}
		}
		if _, err := b.StartSolo(t.Context(), Start{Birth: b.mustBirth(t), Subject: "7"}, Solo{Actor: "1", ActorSID: NewID(b.mustBirth(t))}); !errors.Is(err, ErrLost) {
			t.Errorf("from a log-in without a record: %v", err)
		}
	})
}

// TestActingEnds: whatever ends the actor's log-in keeps the session from beginning,
// even when it came before the session's birth, and shows in the list.
func TestActingEnds(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		for name, end := range map[string]func(login Pair) error{
			"its session": func(login Pair) error { return b.End(t.Context(), login.SID, "logout", "user:1") },
			"all of the actor's": func(Pair) error {
				_, err := b.EndAll(t.Context(), "1", "logout all", "user:1")
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				login := b.mustStart(t, "1")
				solo := Solo{Actor: "1", ActorSID: login.SID}
				p := b.mustSolo(t, "7", solo)
				if err := end(login); err != nil {
					t.Fatal(err)
				}
				if s, err := b.Get(t.Context(), p.SID); err != nil || s.State != StateRevoked {
					t.Errorf("%+v, %v", s, err)
				}
				if _, err := b.StartSolo(t.Context(), Start{Birth: b.mustBirth(t), Subject: "7"}, solo); !errors.Is(err, ErrEnded) {
					t.Errorf("another: %v", err)
				}
				again := b.mustSolo(t, "7", Solo{Actor: "1", ActorSID: b.mustStart(t, "1").SID})
				if s, err := b.Get(t.Context(), again.SID); err != nil || s.State != StateLive {
					t.Errorf("of a later log-in: %+v, %v", s, err)
				}
			})
		}
	})
}

func TestSoloInvalid(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		long := make([]byte, 256)
		birth := b.mustBirth(t)
		for name, row := range map[string]struct {
			start Start
			solo  Solo
		}{
			"no birth":      {Start{Subject: "7"}, Solo{}},
			"no subject":    {Start{Birth: birth}, Solo{}},
			"long subject":  {Start{Birth: birth, Subject: string(long)}, Solo{}},
			"long actor":    {Start{Birth: birth, Subject: "7"}, Solo{Actor: string(long)}},
			"negative life": {Start{Birth: birth, Subject: "7"}, Solo{Life: -1}},
		} {
			if _, err := b.StartSolo(t.Context(), row.start, row.solo); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
