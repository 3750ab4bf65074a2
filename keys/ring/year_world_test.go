package ring_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/remote"
	"tollgate/keys/ring"
)

// The numbers of the simulated year. Verifiers keep a set for exactly Prepublish,
// whatever its max-age says; others obey the max-age.
const (
	yearPrepublish = 15 * time.Minute
	yearMaxAge     = 5 * time.Minute
	yearConfirm    = 5 * time.Second
	yearTokenLife  = time.Hour
	silentAfter    = 10 * time.Second // an edge that is cut off is live for so long
)

// year is everybody who has to do with one ring: the instances that share it, the
// edges that fetch from them, and other people's verifiers that fetch from either.
// The managers, the handler and the edges' key sets are the real ones; the store
// and the network between them are the test's.
type year struct {
	t   *testing.T
	rnd *rand.Rand
	s   ring.Settings

	store   *shaky
	outage  bool // of the store
	issuers [3]*instance
	edges   [5]*edge
	others  [6]*cache

	tokens  []token
	revoked map[string]bool
	moved   map[string]time.Time // kid: when it was first seen retired or revoked in the store
	early   map[string]time.Time // kid: until when verifiers may lack it, because of somebody's hand
	hidden  map[string]time.Time // the same for verifiers that do not obey the max-age
	version uint64               // the highest that was ever stored

	lastDoc string // the document that was read last
	lastSet *keys.Set

	signed, refused, takeovers int
}

// instance is one issuer process.
type instance struct {
	y       *year
	m       *ring.Manager // nil: crashed
	cut     bool          // from the store
	paused  bool
	version uint64 // the highest that this process ever held
	handler http.Handler
}

var errCut = errors.New("no route to the store")

// Load and Swap are the store as this instance reaches it.
func (i *instance) Load(ctx context.Context) (ring.Ring, error) {
	if i.cut || i.y.outage {
		return ring.Ring{}, errCut
	}
	return i.y.store.Load(ctx)
}

func (i *instance) Swap(ctx context.Context, from uint64, to ring.Ring) error {
	if i.cut || i.y.outage {
		return errCut
	}
	if err := i.y.store.Swap(ctx, from, to); err != nil {
		return err
	}
	// Half of those that are written look as if they were not.
	if i.y.rnd.IntN(20) == 0 {
		return errCut
	}
	return nil
}

// start makes a process of the instance; it stays down while the store is away.
func (i *instance) start() {
	m, err := ring.Open(i.y.t.Context(), ring.Config{
		Store: i, Issuer: issuer, Settings: i.y.s, ConfirmWithin: yearConfirm, Ready: i.y.ready,
	})
	if err != nil {
		return
	}
	fresh := keys.ConfirmedFreshness(yearMaxAge, yearConfirm)
	i.m, i.version, i.paused = m, 0, false
	i.handler = keys.Handler(keys.NewPublisher(func() (*keys.Set, time.Duration) { return m.Set(), fresh.Left(m.Age()) }).Current)
}

// look is what the ticks of Run come to: between two steps of the year nothing
// happens, so that the last tick alone counts.
func (i *instance) look() {
	if i.m != nil && !i.paused {
		_ = i.m.Refresh(i.y.t.Context()) // an outage is one of the things that happen
	}
}

// RoundTrip is the network between edges and instances: one that answers is found.
func (y *year) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, n := range y.rnd.Perm(len(y.issuers)) {
		i := y.issuers[n]
		if i.m == nil || i.paused {
			continue
		}
		i.look()
		w := httptest.NewRecorder()
		i.handler.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			return w.Result(), nil
		}
	}
	return nil, errors.New("no issuer answers")
}

// edge is one gateway with the keys that it fetched.
type edge struct {
	y      *year
	keys   *remote.Issuers // nil: crashed
	noHTTP time.Time       // since when it is cut off from the issuers; zero: it is not
	cutAt  time.Time       // the same from Redis, and from everything
	silent bool            // it was not live for a while, and has fetched nothing since
}

// lose cuts the edge off from everything or from the issuers alone.
func (e *edge) lose(everything, issuers time.Time) {
	if e.cutAt.IsZero() {
		e.cutAt = everything
	}
	if e.noHTTP.IsZero() {
		e.noHTTP = issuers
	}
}

// mend ends what lose began, in either order.
func (e *edge) mend() {
	e.silent = e.silent || !e.live()
	if e.cutAt = (time.Time{}); e.y.rnd.IntN(2) == 0 {
		e.noHTTP = time.Time{}
	}
}

// excused: an edge that cannot fetch, and for which nobody waited: it was not live
// when the key took over, or had its day (ring.Config.ReadyWithin), or somebody
// let the key sign without waiting.
func (e *edge) excused(kid string) bool {
	_, forced := e.y.early[kid]
	return !e.noHTTP.IsZero() && (e.silent || forced || time.Since(e.noHTTP) >= 24*time.Hour)
}

// RoundTrip is the edge's way to the issuers.
func (e *edge) RoundTrip(r *http.Request) (*http.Response, error) {
	if !e.noHTTP.IsZero() || !e.cutAt.IsZero() {
		return nil, errCut
	}
	e.silent = false
	return e.y.RoundTrip(r)
}

func (e *edge) start() {
	opened, err := remote.Open(e.y.t.Context(), []remote.Spec{{Issuer: issuer, JWKSURL: "http://issuer.example/.well-known/jwks.json"}},
		remote.Config{Client: &http.Client{Transport: e}, Own: issuer, OwnMaxAge: yearMaxAge})
	if err != nil {
		e.y.t.Fatal(err)
	}
	if e.keys = opened; e.keys.SetHash(issuer) == "" { // it is not ready, and registers when it is
		e.crash()
	}
}

func (e *edge) crash() {
	if e.keys != nil {
		e.keys.Close()
	}
	e.keys = nil
}

// live is what the registry says.
func (e *edge) live() bool {
	return e.keys != nil && (e.cutAt.IsZero() || time.Since(e.cutAt) < silentAfter)
}

// serving reports whether the edge lets anybody through: without Redis it answers
// 503, which refuses nobody.
func (e *edge) serving() bool { return e.keys != nil && e.cutAt.IsZero() }

func (e *edge) look() {
	if e.keys != nil {
		e.keys.Refetch(issuer)
		synctest.Wait()
	}
}

// ready is ring.Config.Ready, as the registry of edges answers it.
func (y *year) ready(_ context.Context, hash string) (bool, []string, error) {
	if y.outage {
		return false, nil, errCut
	}
	var waiting []string
	for n, e := range y.edges {
		if e.live() && e.keys.SetHash(issuer) != hash {
			waiting = append(waiting, "edge "+strconv.Itoa(n))
		}
	}
	return len(waiting) == 0, waiting, nil
}

// cache is somebody's verifier: it fetches when what it has is used up, from
// whoever answers, and lets nobody through while nobody does.
type cache struct {
	y     *year
	obeys bool
	set   *keys.Set
	until time.Time
}

func (c *cache) look() {
	if time.Now().Before(c.until) {
		return
	}
	c.set = nil
	for _, n := range c.y.rnd.Perm(len(c.y.edges) + 1) {
		req := httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil)
		var res *http.Response
		if n == len(c.y.edges) {
			var err error
			if res, err = c.y.RoundTrip(req); err != nil {
				continue
			}
		} else if e := c.y.edges[n]; e.keys != nil {
			w := httptest.NewRecorder()
			keys.Handler(func() *keys.Published { return e.keys.Published(issuer) }).ServeHTTP(w, req)
			res = w.Result()
		}
		if res == nil || res.StatusCode != http.StatusOK {
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			c.y.t.Fatal(err)
		}
		c.set, c.until = c.y.read(body), time.Now().Add(yearPrepublish)
		if c.obeys {
			c.until = time.Now().Add(maxAgeOf(c.y.t, res))
		}
		return
	}
}

func maxAgeOf(t *testing.T, res *http.Response) time.Duration {
	t.Helper()
	var seconds int
	text := res.Header.Get("Cache-Control")
	n, err := strconv.Atoi(text[len("public, max-age="):])
	if err != nil {
		t.Fatalf("Cache-Control %q", text)
	}
	seconds = n
	return time.Duration(seconds) * time.Second
}
