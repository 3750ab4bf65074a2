package revocationsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/revocation"
)

// thing is what is revoked, and a token that this ends.
type thing struct {
	order revocation.Order
	token *revocation.Token
	id    string    // of the statement in force; empty: undone
	acked time.Time // when the last change was acknowledged
	n     int       // counts changes
}

// book is all that was revoked and undone. It is the only writer of the store.
type book struct {
	store *revocation.Redis

	mu      sync.Mutex
	things  []*thing
	changes int
}

// write changes something so many times a second: four times in five something new is
// revoked, else an earlier thing is undone, or revoked again.
func (b *book) write(ctx context.Context, t *testing.T, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b.mu.Lock()
		var is *thing
		if n := len(b.things); n > 0 && b.changes%5 == 4 {
			is = b.things[rand.IntN(n)]
		} else {
			is = newThing(n)
		}
		id := is.id
		b.mu.Unlock()
		var err error
		if id != "" {
			_, err = b.store.Undo(t.Context(), id)
			id = ""
		} else {
			var r revocation.Revocation
			r, err = b.store.Revoke(t.Context(), is.order)
			id = r.ID
			if is.order.Kind.CutOff() && err == nil {
				born := *is.token
				born.Born = r.RevokedAt.UnixMicro()
				is = &thing{order: is.order, token: &born, n: is.n}
			}
		}
		if err != nil {
			t.Errorf("write: %v", err)
			return
		}
		b.note(is, id)
	}
}

// note takes down what was acknowledged.
func (b *book) note(is *thing, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes++
	next := *is
	next.id, next.acked, next.n = id, time.Now(), is.n+1
	for i, was := range b.things {
		if was.order == next.order {
			b.things[i] = &next
			return
		}
	}
	b.things = append(b.things, &next)
}

func newThing(n int) *thing {
	kinds := []revocation.Kind{revocation.KindJTI, revocation.KindJTI, revocation.KindJTI, revocation.KindSession, revocation.KindSubject, revocation.KindKey}
	kind, value := kinds[n%len(kinds)], fmt.Sprintf("v%d", n)
	token := &revocation.Token{Issuer: own, Own: true, JTI: "none", SID: "none", Subject: "none", KeyID: "none", Born: 1 << 60, IssuedAt: 1 << 40}
	switch kind {
	case revocation.KindJTI:
		token.JTI = value
	case revocation.KindSession:
		token.SID = value
	case revocation.KindSubject:
		token.Subject = value
	case revocation.KindKey:
		token.KeyID = value
	}
	return &thing{order: revocation.Order{Kind: kind, Value: value}, token: token}
}

// revoked returns a thing that is revoked.
func (b *book) revoked() (*thing, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.things) == 0 {
		return nil, false
	}
	is := b.things[rand.IntN(len(b.things))]
	return is, is.id != ""
}

// still says whether nothing was begun about the thing since it was returned, as far as
// was acknowledged, and the store agrees that it is revoked.
func (b *book) still(is *thing) bool {
	return b.store.Check(context.Background(), is.token).State == revocation.Revoked && b.newest(is)
}

func (b *book) newest(is *thing) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, other := range b.things {
		if other.order == is.order {
			return other.n == is.n
		}
	}
	return false
}

// mustAgree checks that every mirror holds exactly what the store does: each thing in
// force, none that is undone, and as many entries as are in force.
func (b *book) mustAgree(t *testing.T, edges []*edge) {
	t.Helper()
	inForce := 0
	for _, is := range b.things {
		want := revocation.Clear
		if is.id != "" {
			want = revocation.Revoked
			inForce++
		}
		if v := b.store.Check(t.Context(), is.token); v.State != want {
			t.Fatalf("the store says %+v of %+v", v, is)
		}
		after := *is.token
		after.Born++
		for _, e := range edges {
			m := e.mirror.Load()
			if v := m.Check(t.Context(), is.token); v.State != want {
				t.Errorf("%s says %+v of %+v", e.name, v, is)
			}
			if v := m.Check(t.Context(), &after); is.order.Kind.CutOff() && v.State != revocation.Clear {
				t.Errorf("%s says %+v of a token born after the cut-off %+v", e.name, v, is)
			}
		}
	}
	epoch, err := b.store.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edges {
		if s := e.mirror.Load().Status(); s.Entries != inForce || s.N != epoch.N || s.Losses != 0 || s.Epoch.ID != epoch.ID {
			t.Errorf("%s: %+v; the store has %d entries and %+v", e.name, s, inForce, epoch)
		}
	}
	if inForce == 0 || inForce == len(b.things) {
		t.Errorf("%d of %d things in force: nothing was tried", inForce, len(b.things))
	}
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
