package session

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/revocation"
)

// A refresh first asks the revocations, whatever the record says.
func TestRefreshOfWhatIsRevoked(t *testing.T) {
	tests := []struct {
		name  string
		order func(p Pair) revocation.Order
		opts  []Option
		want  error
		ends  bool // the session's record too
	}{
		{name: "the session", order: func(p Pair) revocation.Order { return revocation.Order{Kind: revocation.KindSession, Value: p.SID} }, want: ErrEnded},
		{name: "the subject", order: func(p Pair) revocation.Order { return revocation.Order{Kind: revocation.KindSubject, Value: p.Subject} }, want: ErrEnded},
		{
			name:  "the subject, named by the caller",
			order: func(p Pair) revocation.Order { return revocation.Order{Kind: revocation.KindSubject, Value: p.Subject} },
			opts:  []Option{ForSubject("7")}, want: ErrEnded,
		},
		{name: "all", order: func(Pair) revocation.Order { return revocation.Order{Kind: revocation.KindAll} }, want: ErrEnded},
		{name: "the key", order: func(Pair) revocation.Order { return revocation.Order{Kind: revocation.KindKey, Value: "k1"} }, opts: []Option{SignedBy("k1")}, want: ErrEnded},
		{name: "another key", order: func(Pair) revocation.Order { return revocation.Order{Kind: revocation.KindKey, Value: "k2"} }, opts: []Option{SignedBy("k1")}},
		{name: "the bare jti", order: func(p Pair) revocation.Order {
			return revocation.Order{Kind: revocation.KindJTI, Value: p.Refresh.JTI}
		}, want: ErrEnded, ends: true},
		{name: "its access token", order: func(p Pair) revocation.Order {
			return revocation.Order{Kind: revocation.KindJTI, Value: p.Access.JTI}
		}},
		{name: "another subject", order: func(Pair) revocation.Order { return revocation.Order{Kind: revocation.KindSubject, Value: "8"} }},
		{name: "another issuer", order: func(Pair) revocation.Order {
			return revocation.Order{Kind: revocation.KindAll, Issuer: "https://other.example"}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, ordinary(), func(t *testing.T, b box) {
				p := b.mustStart(t, "7")
				before := b.fields(t, p.SID)
				if _, err := b.rev.Revoke(t.Context(), tt.order(p)); err != nil {
					t.Fatal(err)
				}
				_, err := b.refresh(t, p, tt.opts...)
				if !errors.Is(err, tt.want) {
					t.Fatalf("Rotate = %v, want %v", err, tt.want)
				}
				if tt.ends {
					b.checkEnded(t, p, reasonJTI)
					return
				}
				if diff := cmp.Diff(before, b.fields(t, p.SID)); tt.want != nil && diff != "" {
					t.Errorf("the record changed (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// What a cut-off took back may live again: nothing was written into the record.
func TestUndoneCutOff(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		r, err := b.EndAll(t.Context(), "7", "why", "who")
		if err != nil || r.Kind != revocation.KindSubject || r.Value != "7" || r.Reason != "why" || r.Actor != "who" {
			t.Fatalf("EndAll = %+v, %v", r, err)
		}
		if got, err := b.Get(t.Context(), p.SID); err != nil || got.State != StateRevoked {
			t.Errorf("Get = %s, %v; want revoked", got.State, err)
		}
		if _, err := b.rev.Undo(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Get(t.Context(), p.SID); err != nil || got.State != StateLive {
			t.Errorf("Get = %s, %v; want live", got.State, err)
		}
		b.mustRotate(t, p)
		if _, err := b.EndAll(t.Context(), "", "", ""); !errors.Is(err, ErrInvalid) {
			t.Errorf("EndAll of nobody = %v", err)
		}
	})
}

func TestRefreshWhenNobodyCanTell(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		before := b.fields(t, p.SID)
		blind := b.withRevoker(deadRevoker{})
		if _, err := blind.refresh(t, p); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrEnded) {
			t.Errorf("Rotate = %v, want ErrUnavailable", err)
		}
		if diff := cmp.Diff(before, b.fields(t, p.SID)); diff != "" {
			t.Errorf("the record changed (-before +after):\n%s", diff)
		}
		if got, err := blind.Get(t.Context(), p.SID); err != nil || got.State != StateUnknown {
			t.Errorf("Get = %s, %v; want unknown", got.State, err)
		}
		if _, err := blind.EndAll(t.Context(), "7", "", ""); !errors.Is(err, ErrUnavailable) {
			t.Errorf("EndAll = %v, want ErrUnavailable", err)
		}
		b.mustRotate(t, p)
	})
}

// The subject in the token and in the record are one, or the record is another's.
func TestSubjectOfTheRecord(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		if _, err := b.refresh(t, p, ForSubject("8")); !errors.Is(err, ErrLost) {
			t.Errorf("another subject = %v, want ErrLost", err)
		}
		if next := b.mustRotate(t, p, ForSubject("7")); next.Subject != "7" {
			t.Errorf("Rotate = %+v", next)
		}
	})
}

// Every key of ours ends by itself, and none before the token it speaks of.
func TestEveryKeyHasATTL(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		begun := time.Now()
		var pairs []Pair
		for _, subject := range []string{"7", "7", "8"} {
			p := b.mustStart(t, subject)
			pairs = append(pairs, b.mustDeliver(t, b.mustRotate(t, p)))
		}
		spent := b.mustStart(t, "9")
		b.mustDeliver(t, b.mustDeliver(t, spent))
		if _, err := b.refresh(t, spent); !errors.Is(err, ErrReuse) {
			t.Fatal(err)
		}
		if err := b.End(t.Context(), pairs[0].SID, "why", "who"); err != nil {
			t.Fatal(err)
		}
		if err := b.End(t.Context(), NewID(b.mustBirth(t)), "why", "who"); err != nil {
			t.Fatal(err)
		}
		failing := b.withRevoker(deadRevoker{clear: true})
		if err := failing.End(t.Context(), pairs[1].SID, "why", "who"); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("End = %v", err)
		}
		_, _ = b.Get(t.Context(), pairs[2].SID)
		_ = b.Delivered(t.Context(), NewID(1), 1)
		keys := b.client.Keys(t.Context(), prefix+"*").Val()
		if len(keys) != 4+3+12+1 {
			t.Errorf("%d keys, want 4 sessions, 3 subjects, 12 jtis, the ending set: %q", len(keys), keys)
		}
		for _, key := range keys {
			ttl := b.client.TTL(t.Context(), key).Val()
			gone := time.Since(begun) + 2*time.Second // both ends of a TTL are whole seconds
			if least, most := 24*time.Hour+b.settings.Leeway-gone, b.settings.keep(); ttl < least || ttl > most {
				t.Errorf("%s has TTL %v, want between %v and %v", key, ttl, least, most)
			}
		}
	})
}

// A caller who has asked already is not made to ask again: where the revocations know
// nothing, only he is served.
func TestCheckedByTheCaller(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		blind := b.withRevoker(deadRevoker{})
		if _, err := blind.refresh(t, p); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("unasked: %v, want ErrUnavailable", err)
		}
		next, err := blind.refresh(t, p, Checked())
		if err != nil || next.Generation != 2 {
			t.Fatalf("asked by the caller: %+v, %v", next, err)
		}
		if err := b.End(t.Context(), p.SID, "test", "test"); err != nil {
			t.Fatal(err)
		}
		if _, err := blind.refresh(t, next, Checked()); !errors.Is(err, ErrEnded) {
			t.Errorf("the record counts all the same: %v, want ErrEnded", err)
		}
	})
}
