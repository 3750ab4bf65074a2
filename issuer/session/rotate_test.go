package session

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/revocation"
)

func TestRotate(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		first := b.mustStart(t, "7")
		b.mustAge(t, first.SID, time.Hour)
		second := b.mustRotate(t, first)
		at := second.Access.IssuedAt
		want := Pair{
			SID: first.SID, Generation: 2, Subject: "7",
			Refresh: Stamp{JTI: second.Refresh.JTI, IssuedAt: at, ExpiresAt: at.Add(24 * time.Hour)},
			Access:  Stamp{JTI: second.Access.JTI, IssuedAt: at, ExpiresAt: at.Add(5 * time.Minute)},
		}
		if diff := cmp.Diff(want, second); diff != "" {
			t.Errorf("Rotate (-want +got):\n%s", diff)
		}
		seen := map[string]bool{first.Refresh.JTI: true, first.Access.JTI: true}
		p := second
		for range 5 {
			if seen[p.Refresh.JTI] || seen[p.Access.JTI] || !hex32.MatchString(p.Refresh.JTI) || !hex32.MatchString(p.Access.JTI) {
				t.Errorf("generation %d repeats a jti: %+v", p.Generation, p)
			}
			seen[p.Refresh.JTI], seen[p.Access.JTI] = true, true
			p = b.mustDeliver(t, p)
		}
		s, err := b.Get(t.Context(), p.SID)
		if err != nil || s.Generation != 7 || !s.LastRefresh.Equal(p.Refresh.IssuedAt) || !s.ExpiresAt.Equal(p.Refresh.ExpiresAt) {
			t.Errorf("Get = %+v, %v", s, err)
		}
		for _, jti := range []string{first.Refresh.JTI, p.Refresh.JTI} {
			if sid, err := b.ByJTI(t.Context(), jti); err != nil || sid != p.SID {
				t.Errorf("ByJTI = %q, %v", sid, err)
			}
		}
	})
}

// What a token is worth after its session has moved on.
func TestPlaces(t *testing.T) {
	const aLot = 11 * time.Minute
	tests := []struct {
		name      string
		rotations int           // before the token is presented
		delivered bool          // each of their answers
		age       time.Duration // of the last rotation
		present   int           // generation of the token presented
		change    func(*Pair)   // of the token presented
		want      error
		replay    bool
		peek      State
	}{
		{name: "current", rotations: 2, delivered: true, present: 3, peek: Current},
		{name: "current, long after", rotations: 2, delivered: true, age: 20 * time.Hour, present: 3, peek: Current},
		{name: "previous within the grace", rotations: 2, delivered: true, age: 30 * time.Second, present: 2, replay: true, peek: Previous},
		{name: "previous after the grace", rotations: 2, delivered: true, age: 61 * time.Second, present: 2, want: ErrReuse, peek: Spent},
		{name: "previous after the grace, undelivered", rotations: 2, age: 9 * time.Minute, present: 2, replay: true, peek: Previous},
		{name: "previous after the cap, undelivered", rotations: 2, age: aLot, present: 2, want: ErrReuse, peek: Spent},
		{name: "the one before, within the grace", rotations: 2, present: 1, want: ErrReuse, peek: Spent},
		{name: "the one before, delivered", rotations: 5, delivered: true, present: 1, want: ErrReuse, peek: Spent},
		{name: "previous with another jti", rotations: 2, present: 2, change: func(p *Pair) { p.Refresh.JTI = newJTI() }, want: ErrReuse, peek: Spent},
		{name: "current with another jti", rotations: 2, present: 3, change: func(p *Pair) { p.Refresh.JTI = newJTI() }, want: ErrLost, peek: Lost},
		{name: "current with the access jti", rotations: 2, present: 3, change: func(p *Pair) { p.Refresh.JTI = p.Access.JTI }, want: ErrLost, peek: Lost},
		{name: "higher generation", rotations: 2, present: 3, change: func(p *Pair) { p.Generation = 4 }, want: ErrLost, peek: Lost},
		{name: "generation below one", rotations: 2, present: 3, change: func(p *Pair) { p.Generation = 0 }, want: ErrLost, peek: Lost},
		{name: "no sid of ours", rotations: 2, present: 3, change: func(p *Pair) { p.SID = "x" }, want: ErrLost, peek: Lost},
		{name: "no record", rotations: 2, present: 3, change: func(p *Pair) { p.SID = NewID(time.Now().UnixMicro()) }, want: ErrLost, peek: Lost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := ordinary()
			s.Grace = time.Minute // no busy machine takes the rest of it
			onEach(t, s, func(t *testing.T, b box) {
				line := []Pair{{}, b.mustStart(t, "7")}
				for range tt.rotations {
					p := line[len(line)-1]
					if tt.delivered {
						line = append(line, b.mustDeliver(t, p))
					} else {
						line = append(line, b.mustRotate(t, p))
					}
				}
				current := line[len(line)-1]
				b.mustAge(t, current.SID, tt.age)
				p := line[tt.present]
				if tt.change != nil {
					tt.change(&p)
				}
				before := b.fields(t, current.SID)
				if state, err := b.Peek(t.Context(), p.SID, p.Generation, p.Refresh.JTI); state != tt.peek || err != nil {
					t.Errorf("Peek = %v, %v; want %v", state, err, tt.peek)
				}
				if diff := cmp.Diff(before, b.fields(t, current.SID)); diff != "" {
					t.Errorf("Peek changed the record (-before +after):\n%s", diff)
				}
				got, err := b.refresh(t, p)
				if !errors.Is(err, tt.want) {
					t.Fatalf("Rotate = %v, want %v", err, tt.want)
				}
				switch {
				case tt.replay:
					b.checkReplay(t, current, got, tt.age)
				case errors.Is(tt.want, ErrReuse):
					b.checkEnded(t, current, reasonReuse)
				case errors.Is(tt.want, ErrLost):
					if diff := cmp.Diff(before, b.fields(t, current.SID)); diff != "" {
						t.Errorf("a loss changed the record (-before +after):\n%s", diff)
					}
					b.mustRotate(t, current)
				case got.Replay || got.Generation != current.Generation+1:
					t.Errorf("Rotate = %+v", got)
				}
			})
		})
	}
}

// checkReplay fails unless got is the standing pair, aged with its record, and the
// line goes on from it.
func (b box) checkReplay(t *testing.T, standing, got Pair, age time.Duration) {
	t.Helper()
	want := standing
	want.Replay = true
	for _, at := range []*time.Time{&want.Refresh.IssuedAt, &want.Refresh.ExpiresAt, &want.Access.IssuedAt, &want.Access.ExpiresAt} {
		*at = at.Add(-age)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replay (-standing pair +got):\n%s", diff)
	}
	if next := b.mustRotate(t, got); next.Generation != standing.Generation+1 || next.Replay {
		t.Errorf("the replayed pair rotates to %+v", next)
	}
}

// checkEnded fails unless the session is ended for refreshes and for edges.
func (b box) checkEnded(t *testing.T, p Pair, reason string) {
	t.Helper()
	if _, err := b.refresh(t, p); !errors.Is(err, ErrEnded) {
		t.Errorf("refresh of an ended session = %v, want ErrEnded", err)
	}
	if state, err := b.Peek(t.Context(), p.SID, p.Generation, p.Refresh.JTI); state != Ended || err != nil {
		t.Errorf("Peek = %v, %v; want Ended", state, err)
	}
	if v := b.verdict(t, p); v.State != revocation.Revoked || v.Kind != revocation.KindSession {
		t.Errorf("an edge finds %+v, want revoked by session", v)
	}
	s, err := b.Get(t.Context(), p.SID)
	if err != nil || s.State != StateEnded || s.Reason != reason || s.EndedAt.IsZero() {
		t.Errorf("Get = %+v, %v; want ended for %q", s, err, reason)
	}
	if n := b.client.ZCard(t.Context(), b.names.ending()).Val(); n != 0 {
		t.Errorf("%d sessions left for the sweep", n)
	}
}

// Fifty tabs, or 200 goroutines, with one token: one successor, by jti, for all.
func TestOneSuccessor(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustStart(t, "7")
		for round := range 3 {
			var mu sync.Mutex
			got := map[Pair]int{}
			fresh := 0
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() {
					next, err := b.refresh(t, p)
					if err != nil {
						t.Errorf("round %d: %v", round, err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if !next.Replay {
						fresh++
					}
					next.Replay = false
					got[next]++
				})
			}
			wg.Wait()
			if len(got) != 1 || fresh != 1 {
				t.Fatalf("round %d: %d successors, %d of them not replays: %v", round, len(got), fresh, got)
			}
			for next := range got {
				if next.Generation != p.Generation+1 {
					t.Fatalf("generation %d after %d", next.Generation, p.Generation)
				}
				p = next
			}
		}
	})
}

// A thief and the owner of one stolen token: whoever comes second after the grace
// ends the session for both.
func TestReuseEndsTheSessionForBoth(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		stolen := b.mustStart(t, "7")
		other := b.mustStart(t, "7")
		thief := b.mustDeliver(t, stolen)
		b.mustAge(t, thief.SID, time.Minute)
		thief = b.mustDeliver(t, thief)
		if _, err := b.refresh(t, stolen); !errors.Is(err, ErrReuse) {
			t.Fatalf("the owner's refresh = %v, want ErrReuse", err)
		}
		b.checkEnded(t, thief, reasonReuse)
		if _, err := b.refresh(t, stolen); !errors.Is(err, ErrEnded) || errors.Is(err, ErrReuse) {
			t.Errorf("again = %v, want ErrEnded: one theft is counted once", err)
		}
		if v := b.verdict(t, other); v.State != revocation.Clear {
			t.Errorf("the subject's other session = %+v", v)
		}
	})
}
