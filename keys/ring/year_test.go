package ring_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

var (
	yearSeed  = flag.Uint64("year.seed", 0, "run the simulated year with this seed alone")
	yearSeeds = flag.Int("year.seeds", 4, "number of simulated years")
	yearDense = flag.Bool("year.dense", false, "four times as many steps in a year")
)

// TestYear lives through a year: three issuer instances, five edges and six other
// verifiers, with crashes, pauses, partitions, a store that is away, rolled back
// or emptied, rotations by hand and revoked keys. Every rule is checked at every
// step. The seed of a failure is in its name; -year.seed runs it again.
func TestYear(t *testing.T) {
	first, n := uint64(1), *yearSeeds
	if raceDetector {
		n = min(n, 2)
	}
	if *yearSeed > 0 {
		first, n = *yearSeed, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { live(t, seed) })
		})
	}
}

func live(t *testing.T, seed uint64) {
	y := &year{
		t: t, rnd: rand.New(rand.NewPCG(seed, 2026)), store: newShaky(), revoked: map[string]bool{}, moved: map[string]time.Time{},
		early: map[string]time.Time{}, hidden: map[string]time.Time{},
		s: ring.Settings{
			Algorithms: []keys.Algorithm{keys.ES256}, Prepublish: yearPrepublish, TokenLife: yearTokenLife,
			RotateEvery: []time.Duration{time.Minute, 24 * time.Hour, 168 * time.Hour, 720 * time.Hour}[seed%4],
			ServedAge:   keys.ConfirmedFreshness(yearMaxAge, yearConfirm).Oldest(),
		},
	}
	for n := range y.issuers {
		y.issuers[n] = &instance{y: y}
		y.issuers[n].start()
	}
	for n := range y.edges {
		y.edges[n] = &edge{y: y}
		y.edges[n].start()
	}
	for n := range y.others {
		y.others[n] = &cache{y: y, obeys: n%2 == 0}
	}
	defer func() {
		for _, e := range y.edges {
			e.crash()
		}
	}()
	steps := 0
	length := 365 * 24 * time.Hour
	if y.hurried() { // a key takes over as soon as it may: a week of that is as much as a year
		length = 7 * 24 * time.Hour
	}
	for end := time.Now().Add(length); time.Now().Before(end); steps++ {
		time.Sleep(y.pause())
		y.happen()
		y.everybodyLooks()
		y.check()
	}
	t.Logf("%d steps, %d tokens, %d takeovers, version %d, %d keys revoked, %d signatures refused for want of a store",
		steps, y.signed, y.takeovers, y.version, len(y.revoked), y.refused)
	if y.signed < steps/2 || y.takeovers < 50 || len(y.revoked) == 0 {
		t.Error("the year was too quiet to show anything")
	}
}

func (y *year) hurried() bool { return y.s.RotateEvery < yearPrepublish }

// pause is how long nothing happens: seconds, minutes or hours.
func (y *year) pause() time.Duration {
	longest := []time.Duration{8 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute, 12 * time.Hour, 30 * time.Hour}
	if y.hurried() {
		longest = []time.Duration{8 * time.Second, time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute}
	} else if *yearDense {
		longest = []time.Duration{8 * time.Second, 8 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute, 12 * time.Hour}
	}
	return 1 + time.Duration(y.rnd.Int64N(int64(longest[y.rnd.IntN(len(longest))])))
}

// happen lets one thing happen, or two, or none.
func (y *year) happen() {
	i, e := y.issuers[y.rnd.IntN(len(y.issuers))], y.edges[y.rnd.IntN(len(y.edges))]
	switch y.rnd.IntN(24) {
	case 0, 1:
		i.m = nil
	case 2:
		i.paused = true
	case 3:
		i.cut = true
	case 4:
		e.crash()
	case 5:
		e.lose(time.Time{}, time.Now())
	case 6:
		e.lose(time.Now(), time.Time{})
	case 7:
		y.outage = y.rnd.IntN(3) == 0
	case 8:
		y.lose()
	case 9, 10:
		y.byHand()
	case 11:
		y.revoke()
	case 12:
		y.change()
	default: // things mend
		y.outage = false
		i.cut, i.paused = false, false
		e.mend()
	}
	for _, i := range y.issuers {
		if i.m == nil && y.rnd.IntN(3) > 0 {
			i.start()
		}
	}
	for _, e := range y.edges {
		if e.keys == nil && y.rnd.IntN(3) > 0 {
			e.start()
		}
	}
}

// worker returns an instance that can do something, or nil.
func (y *year) worker() *instance {
	for _, n := range y.rnd.Perm(len(y.issuers)) {
		if i := y.issuers[n]; i.m != nil && !i.paused && !i.cut && !y.outage {
			return i
		}
	}
	return nil
}

// lose empties the store or rolls it back. Somebody has to be there who knows what
// was in it: a ring that nobody holds is gone.
func (y *year) lose() {
	i := y.worker()
	if i == nil || i.m.Refresh(y.t.Context()) != nil {
		return
	}
	old := ring.Ring{}
	if y.rnd.IntN(2) == 0 {
		for back := range uint64(5) {
			if r, there := y.store.past[y.version-min(y.version, back+1)]; there {
				old = r
			}
		}
	}
	y.store.put(y.t, old)
	i.look()
}

// byHand rotates, now and then without waiting.
func (y *year) byHand() {
	i := y.worker()
	if i == nil {
		return
	}
	force := y.rnd.IntN(4) == 0
	r, changes, err := i.m.Rotate(y.t.Context(), force)
	if err != nil {
		if !errors.Is(err, ring.ErrNotYetPublished) && !errors.Is(err, errCut) {
			y.t.Fatalf("rotate: %v", err)
		}
		// It may have been written all the same.
		y.everyActive(y.store.mustLoad(y.t), force)
		return
	}
	_ = changes
	y.everyActive(r, force)
}

// everyActive excuses verifiers for a while that lack what signs because somebody
// said so.
func (y *year) everyActive(r ring.Ring, force bool) {
	until := time.Now().Add(yearPrepublish + y.s.ServedAge)
	for _, k := range r.Keys {
		if k.State != ring.Active {
			continue
		}
		y.hidden[k.ID] = until
		if force {
			y.early[k.ID] = until
		}
	}
}

// revoke kills a key, and tells the edges as the feed does.
func (y *year) revoke() {
	i := y.worker()
	if i == nil || y.rnd.IntN(4) > 0 {
		return
	}
	ks := i.m.Ring().Keys
	kid := ks[y.rnd.IntN(len(ks))].ID
	if _, _, err := i.m.Revoke(y.t.Context(), kid); err != nil && !errors.Is(err, errCut) && !errors.Is(err, ring.ErrUnknownKey) {
		y.t.Fatalf("revoke: %v", err)
	}
	stored := y.store.mustLoad(y.t)
	if k, ok := byID(stored, kid); !ok || k.State != ring.Revoked {
		return // it was not written, and said so
	}
	y.revoked[kid] = true
	y.everyActive(stored, true)
	for _, e := range y.edges {
		if e.keys != nil { // one that is cut off hears of it when it is back, before it lets anybody through
			e.keys.Withdraw(issuer, kid)
			synctest.Wait() // one after the other, or a seed would not say what happens
		}
	}
}

// change restarts the instances one after the other with other algorithms.
func (y *year) change() {
	if y.rnd.IntN(6) > 0 {
		return
	}
	y.s.Algorithms = [][]keys.Algorithm{{keys.ES256}, {keys.EdDSA}, {keys.ES256, keys.EdDSA}, {keys.EdDSA, keys.ES384}}[y.rnd.IntN(4)]
	for _, i := range y.issuers {
		i.m = nil
	}
	if y.worker() == nil {
		y.issuers[0].start()
	}
}

// everybodyLooks lets all do what they do by themselves, in any order.
func (y *year) everybodyLooks() {
	var all []func()
	for _, i := range y.issuers {
		all = append(all, i.look)
	}
	for _, e := range y.edges {
		all = append(all, e.look)
	}
	for _, c := range y.others {
		all = append(all, c.look)
	}
	y.rnd.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	for _, look := range all {
		look()
	}
}

// check holds every rule.
func (y *year) check() {
	stored, err := y.store.Load(y.t.Context())
	if errors.Is(err, ring.ErrEmpty) {
		return // nobody was there to give it back yet
	} else if err != nil {
		y.t.Fatal(err)
	}
	y.checkStored(stored)
	for n, i := range y.issuers {
		if i.m == nil || i.paused {
			continue
		}
		y.checkInstance(n, i, stored)
		y.sign(n, i)
	}
	y.checkTokens()
	for n, e := range y.edges {
		if e.keys == nil {
			continue
		}
		if p := e.keys.Published(issuer); p != nil {
			for _, k := range y.read(p.JWKS).Keys() {
				if y.revoked[k.ID()] && e.cutAt.IsZero() {
					y.t.Fatalf("edge %d publishes the revoked key %s", n, k.ID())
				}
			}
		}
	}
}

// checkStored: the ring is sound, has no private half that should be gone, and
// forgets no revoked key.
func (y *year) checkStored(stored ring.Ring) {
	mustHold(y.t, stored) // Validate: a retired or revoked key with a private half is a fault
	for _, k := range stored.Keys {
		if k.State == ring.Retired || k.State == ring.Revoked {
			if _, known := y.moved[k.ID]; !known {
				y.moved[k.ID] = time.Now()
				if k.State == ring.Retired {
					y.takeovers++
				}
			}
		}
	}
	somebody := slices.ContainsFunc(y.issuers[:], func(i *instance) bool { return i.m != nil && !i.paused && !i.cut })
	if y.outage || !somebody {
		return
	}
	for kid := range y.revoked {
		if k, ok := byID(stored, kid); !ok || k.State != ring.Revoked {
			y.t.Fatalf("the revoked key %s is %q", kid, k.State)
		}
	}
	if stored.Version < y.version {
		y.t.Fatalf("version %d after %d", stored.Version, y.version)
	}
	y.version = stored.Version
}

// checkInstance: one ring, whose version never falls.
func (y *year) checkInstance(n int, i *instance, stored ring.Ring) {
	r := i.m.Ring()
	if r.Version < i.version {
		y.t.Fatalf("instance %d: version %d after %d", n, r.Version, i.version)
	}
	i.version = r.Version
	for _, k := range r.Keys {
		if k.Private != nil {
			y.t.Fatalf("instance %d shows a private key", n)
		}
	}
	if y.outage || i.cut {
		return
	}
	// Others may have had their turn after it; and a write may seem to have failed.
	for range 5 {
		if i.m.Refresh(y.t.Context()) == nil {
			break
		}
	}
	want, err := y.store.Load(y.t.Context())
	if err != nil {
		y.t.Fatal(err)
	}
	if got := i.m.Ring(); got.Version != want.Version || len(ring.Diff(got, want, time.Now())) > 0 {
		y.t.Fatalf("instance %d has version %d, the store %d (was %d)", n, got.Version, want.Version, stored.Version)
	}
}

// sign asks an instance for a token, and holds that nobody who is entitled to it
// lacks the key.
func (y *year) sign(n int, i *instance) {
	raw, kid, err := i.m.Sign(y.t.Context(), []byte(`{}`), "JWT")
	if err != nil {
		if !errors.Is(err, ring.ErrUnconfirmed) || !y.outage && !i.cut {
			y.t.Fatalf("instance %d: %v", n, err)
		}
		y.refused++
		return
	}
	_ = raw
	y.signed++
	now := time.Now()
	if at, over := y.moved[kid]; over && now.Sub(at) > yearConfirm {
		y.t.Fatalf("instance %d signs with %s, which was retired or revoked %s ago", n, kid, now.Sub(at))
	}
	if at, over := y.moved[kid]; over && y.revoked[kid] {
		_ = at
		return // within ConfirmWithin; the token is refused everywhere
	}
	y.tokens = append(y.tokens, token{kid, now.Add(yearTokenLife)})
	if now.Before(y.early[kid]) {
		return
	}
	for m, c := range y.others {
		if _, has := c.set.Key(kid); !has && c.set != nil && now.Before(c.until) && (c.obeys || !now.Before(y.hidden[kid])) {
			y.t.Fatalf("instance %d signs with %s, which verifier %d does not have (obeys: %v)", n, kid, m, c.obeys)
		}
	}
}

// checkTokens: no token is refused before it expires, unless its key was revoked.
func (y *year) checkTokens() {
	now := time.Now()
	y.tokens = slices.DeleteFunc(y.tokens, func(tok token) bool { return !now.Before(tok.exp) || y.revoked[tok.kid] })
	seen := map[string]bool{}
	for _, tok := range y.tokens {
		if seen[tok.kid] {
			continue
		}
		seen[tok.kid] = true
		for n, c := range y.others {
			if _, has := c.set.Key(tok.kid); !has && c.set != nil && now.Before(c.until) && !now.Before(y.early[tok.kid]) && (c.obeys || !now.Before(y.hidden[tok.kid])) {
				y.t.Fatalf("verifier %d refuses a token of %s, which lives until %s", n, tok.kid, tok.exp)
			}
		}
		for n, e := range y.edges {
			if !e.serving() {
				continue
			}
			set := e.keys.Issuers()[0].Keys.(interface {
				Await(context.Context, string) *keys.Set
			}).Await(y.t.Context(), tok.kid)
			if _, has := set.Key(tok.kid); !has && set != nil && !now.Before(y.early[tok.kid]) && !e.excused(tok.kid) {
				y.t.Fatalf("edge %d refuses a token of %s, which lives until %s", n, tok.kid, tok.exp)
			}
		}
	}
}

// read reads a published document, each one once.
func (y *year) read(doc []byte) *keys.Set {
	if y.lastDoc == string(doc) {
		return y.lastSet
	}
	set, faults := keys.ParseJWKS(doc, nil)
	if len(faults) > 0 {
		y.t.Fatalf("the set has faults: %v", faults)
	}
	y.wantNoPrivate(doc)
	y.lastDoc, y.lastSet = string(doc), set
	return set
}

// wantNoPrivate: a published document has public members alone.
func (y *year) wantNoPrivate(doc []byte) {
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(doc, &set); err != nil {
		y.t.Fatal(err)
	}
	for _, k := range set.Keys {
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, there := k[name]; there {
				y.t.Fatalf("%v is published with %q", k["kid"], name)
			}
		}
	}
}
