package ring_test

import (
	"flag"
	"math/rand/v2"
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
