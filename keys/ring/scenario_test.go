package ring_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// world is a ring with everyone who depends on it: tokens that must verify, and
// verifiers that fetch the set when what they have is as old as Prepublish.
type world struct {
	t         *testing.T
	rnd       *rand.Rand
	now       time.Time
	s         ring.Settings
	ring      ring.Ring
	past      []ring.Ring
	states    map[string]ring.State // the furthest state that each key ever had
	tokens    []token
	verifiers [3]verifier
}

type token struct {
	kid string
	exp time.Time
}

type verifier struct {
	fetched time.Time
	set     *keys.Set
}

// TestScenarios takes a ring through thousands of random steps and checks every
// rule after each. The seed of a failure is in its name.
func TestScenarios(t *testing.T) {
	rounds, steps := 8, 200
	if testing.Short() {
		rounds = 3
	}
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := &world{
				t: t, rnd: rand.New(rand.NewPCG(seed, 1)), now: begin, s: hourly(keys.ES256),
				ring: ring.Ring{Issuer: issuer}, states: map[string]ring.State{},
			}
			w.take("begin", false, w.advance)
			for range steps {
				w.step()
			}
		})
	}
}

func (w *world) advance() (ring.Ring, []ring.Change, error) { return w.ring.Advance(w.now, w.s) }

// step does one random thing.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.rnd.Int64N(int64(12 * time.Minute))))
	switch w.rnd.IntN(12) {
	case 0:
		w.take("rotate", true, func() (ring.Ring, []ring.Change, error) { return w.ring.Rotate(w.now, w.s, false) })
	case 1:
		w.take("rotate by force", false, func() (ring.Ring, []ring.Change, error) { return w.ring.Rotate(w.now, w.s, true) })
	case 2:
		w.take("retire", true, func() (ring.Ring, []ring.Change, error) { return w.ring.Retire(w.anyKey(), w.now, w.s) })
	case 3:
		w.take("revoke", false, func() (ring.Ring, []ring.Change, error) { return w.ring.Revoke(w.anyKey(), w.now, w.s) })
	case 4:
		w.take("roll back", false, w.rollBack)
	case 5:
		algs := []keys.Algorithm{keys.ES256, keys.EdDSA, keys.ES384}
		w.rnd.Shuffle(len(algs), func(i, j int) { algs[i], algs[j] = algs[j], algs[i] })
		w.s.Algorithms = algs[:1+w.rnd.IntN(2)]
	}
	w.take("advance", true, w.advance)
	for _, alg := range w.s.Algorithms {
		only(w.t, w.ring, alg, ring.Pending)
	}
	if again, changes, err := w.advance(); err != nil || len(changes) != 0 || again.Version != w.ring.Version {
		w.t.Fatalf("advance done twice: %v, %v", changes, err)
	}
}

func (w *world) anyKey() string { return w.ring.Keys[w.rnd.IntN(len(w.ring.Keys))].ID }

// rollBack is what an instance does that reads an old ring from its store.
func (w *world) rollBack() (ring.Ring, []ring.Change, error) {
	old := w.past[w.rnd.IntN(len(w.past))]
	if w.rnd.IntN(2) == 0 { // someone went on from there before we looked
		next, _, err := old.Rotate(w.now, w.s, true)
		if err != nil {
			return old, nil, err
		}
		old = next
		old.Version += uint64(w.rnd.IntN(3))
	}
	// A key that is gone is forgotten for good, so a line that got further than
	// ours could have it in use again; the rules here are those of ours.
	if old.Version > w.ring.Version {
		old.Version = w.ring.Version
	}
	m := ring.Merge(w.ring, old, w.now, w.s)
	return m.Advance(w.now, w.s)
}

// take does a transition and checks everything. careful says that whoever became
// active must be in the set of every verifier.
func (w *world) take(name string, careful bool, f func() (ring.Ring, []ring.Change, error)) {
	w.t.Helper()
	before := w.ring
	next, changes, err := f()
	if errors.Is(err, ring.ErrNotYetPublished) {
		if next.Version != before.Version || len(changes) != 0 {
			w.t.Fatalf("%s was refused and changed %v", name, changes)
		}
		return
	}
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	if len(changes) > 0 && next.Version <= before.Version {
		w.t.Fatalf("%s: version %d after %d", name, next.Version, before.Version)
	}
	mustHold(w.t, next)
	w.ring = next
	w.past = append(w.past, next)
	w.onlyForward(name)
	for _, c := range changes {
		if careful && c.To == ring.Active {
			w.everyoneKnows(name, c.ID)
		}
	}
	w.sign()
	w.fetch()
	w.verify(name)
}

// onlyForward holds that no key goes back in its life, a retired one with its
// private half least of all.
func (w *world) onlyForward(name string) {
	w.t.Helper()
	order := map[ring.State]int{ring.Pending: 1, ring.Active: 2, ring.Retired: 3, ring.Revoked: 4}
	for _, k := range w.ring.Keys {
		if order[k.State] < order[w.states[k.ID]] {
			w.t.Fatalf("%s: key %s was %s and is %s", name, k.ID, w.states[k.ID], k.State)
		}
		w.states[k.ID] = k.State
	}
	for id, state := range w.states {
		if _, ok := byID(w.ring, id); !ok && state == ring.Revoked {
			w.t.Fatalf("%s: the revoked key %s was forgotten", name, id)
		}
	}
}

func (w *world) everyoneKnows(name, id string) {
	w.t.Helper()
	for i, v := range w.verifiers {
		age := w.now.Sub(v.fetched) // at Prepublish it would be fetched anew
		if _, ok := v.set.Key(id); !ok && v.set.Len() > 0 && age < w.s.Prepublish {
			w.t.Fatalf("%s: key %s signs, verifier %d has a set of %s ago without it", name, id, i, age)
		}
	}
}

// sign makes a token with every key that may sign.
func (w *world) sign() {
	for _, k := range w.ring.Keys {
		if k.State == ring.Active {
			w.tokens = append(w.tokens, token{k.ID, w.now.Add(w.s.TokenLife)})
		}
	}
}

func (w *world) fetch() {
	set, err := w.ring.PublicSet()
	if err != nil {
		w.t.Fatal(err)
	}
	for i, v := range w.verifiers {
		if due := v.fetched.Add(w.s.Prepublish); !w.now.Before(due) || w.rnd.IntN(8) == 0 {
			w.verifiers[i] = verifier{w.now, set}
		}
	}
}

// verify holds that each token alive verifies, unless its key was revoked.
func (w *world) verify(name string) {
	w.t.Helper()
	set, err := w.ring.PublicSet()
	if err != nil {
		w.t.Fatal(err)
	}
	alive := w.tokens[:0]
	for _, tok := range w.tokens {
		if !w.now.Before(tok.exp) {
			continue
		}
		alive = append(alive, tok)
		if _, ok := set.Key(tok.kid); !ok && w.states[tok.kid] != ring.Revoked {
			w.t.Fatalf("%s: key %s is not published, a token of it lives until %s", name, tok.kid, tok.exp)
		}
	}
	w.tokens = alive
}
