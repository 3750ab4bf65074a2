package users

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// turns lets the commands of several go one at a time, in an order drawn by a seed.
type turns struct {
	ask  chan chan struct{}
	done chan struct{}
}

// hook makes each command of a client wait for its turn.
func (s turns) hook(do func() error, _ ...redis.Cmder) error {
	turn := make(chan struct{})
	s.ask <- turn
	<-turn
	return do()
}

// run does the works at once and returns when each is done. Each has the client whose
// commands are its own.
func (s turns) run(rng *rand.Rand, works []func()) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, work := range works {
		all.Go(func() {
			work()
			s.done <- struct{}{}
		})
	}
	var waiting []chan struct{}
	for running := len(works); ; running++ {
		for ; running > 0; running-- {
			select {
			case turn := <-s.ask:
				waiting = append(waiting, turn)
			case <-s.done:
			}
		}
		if len(waiting) == 0 {
			return
		}
		i := rng.IntN(len(waiting))
		close(waiting[i])
		waiting = slices.Delete(waiting, i, i+1)
	}
}

// Two changes and a creation want one address, and another creation wants the one that
// the first change gives up, with their commands in many orders: no two have the same,
// whoever has one was told so or had it before, and the address leads there.
func TestOrdersOfTakingAnEmail(t *testing.T) {
	m, plain := testkit.MustMini(t)
	s := turns{ask: make(chan chan struct{}), done: make(chan struct{})}
	actors := []struct {
		name, wants string
		change      bool
		client      redis.UniversalClient
	}{
		{name: "first", wants: "wanted@x", change: true},
		{name: "second", wants: "wanted@x", change: true},
		{name: "third", wants: "wanted@x"},
		{name: "fourth", wants: "first@x"},
	}
	for i := range actors {
		actors[i].client = testkit.MustClient(t, m.Addr())
		actors[i].client.AddHook(testkit.Hook(s.hook))
	}
	for seed := range uint64(400) {
		space, settings := fmt.Sprint("t", seed, ":"), Settings{LoginByEmail: true}
		r := NewRedisWith(plain, space, cheap(), settings)
		errs := make([]error, len(actors))
		var works []func()
		for i, a := range actors {
			if a.change {
				mustAdd(t, r, New{Username: a.name, Email: a.name + "@x", NoPassword: true})
			}
			mine := NewRedisWith(a.client, space, cheap(), settings)
			works = append(works, func() {
				if a.change {
					_, errs[i] = mine.Update(t.Context(), a.name, Patch{Email: &a.wants})
				} else {
					_, errs[i] = mine.Add(t.Context(), New{Username: a.name, Email: a.wants, NoPassword: true})
				}
			})
		}
		s.run(rand.New(rand.NewPCG(seed, 1)), works)
		held := map[string]string{}
		for i, a := range actors {
			u, err := r.ByName(t.Context(), a.name)
			if errs[i] != nil && !errors.Is(errs[i], ErrExists) || (errs[i] == nil) != (err == nil && u.Email == a.wants) {
				t.Errorf("seed %d: %s was told %v, and holds %q, %v", seed, a.name, errs[i], u.Email, err)
			}
			if err != nil || u.Email == "" {
				continue
			}
			if other := held[u.Email]; other != "" {
				t.Errorf("seed %d: %s is held by %s and %s", seed, u.Email, other, a.name)
			}
			held[u.Email] = a.name
			if rec, err := r.byEmail(t.Context(), u.Email); err != nil || rec.user.ID != u.ID {
				t.Errorf("seed %d: %s holds what leads to %q, %v", seed, a.name, rec.user.ID, err)
			}
		}
	}
}
