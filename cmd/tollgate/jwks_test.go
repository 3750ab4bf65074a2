package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// foreign is an issuer of somebody else whose JWKS host can be made to fail.
type foreign struct {
	name    string
	host    *httptest.Server
	forge   *forge
	mode    atomic.Value // string: "", "slow", "down", "garbage"
	fetches atomic.Int64
}

// mustKeyDocument makes a key that the issuer has never signed with, and the document
// that publishes it.
func mustKeyDocument(t *testing.T) (ring.Key, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := keys.NewKey(&key.PublicKey, keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.NewSet(public)
	if err != nil {
		t.Fatal(err)
	}
	document, err := set.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	return ring.Key{ID: public.ID(), Private: key, Public: &key.PublicKey}, document
}

func mustForeign(t *testing.T) *foreign {
	t.Helper()
	key, document := mustKeyDocument(t)
	f := &foreign{name: "https://foreign.example", forge: &forge{tb: t, active: key}}
	f.mode.Store("")
	f.host = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.fetches.Add(1)
		switch f.mode.Load() {
		case "slow":
			select {
			case <-time.After(10 * time.Second):
			case <-r.Context().Done():
			}
		case "down":
			w.WriteHeader(http.StatusBadGateway)
		case "garbage":
			_, _ = w.Write([]byte("<html>maintenance</html>"))
		default:
			_, _ = w.Write(document)
		}
	}))
	t.Cleanup(f.host.Close)
	return f
}

func (f *foreign) token(kid string) string {
	header := f.forge.header(set("kid", kid))
	return f.forge.sign(f.forge.active, header, f.forge.claims(set("iss", f.name), unset("token_type")))
}

// A JWKS host that is slow, down or returns garbage, and a flood of unknown kids
// beside it, do not touch requests with known keys: none is refused, and the host
// is asked at most once per TOLLGATE_JWKS_MIN_REFETCH. The times are in the log of
// the test (-v).
func TestJWKSHostInTrouble(t *testing.T) {
	rate, length := 500, time.Second
	if nightly {
		rate, length = 5000, 10*time.Second
	}
	f := mustForeign(t)
	file := filepath.Join(t.TempDir(), "issuers.yaml")
	text := fmt.Sprintf("issuers: [{issuer: %q, jwks_url: %q, audiences: [shop-api], algorithms: [ES256]}]\n", f.name, f.host.URL+"/jwks.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustSystem(t, append([]string{"TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false", "TOLLGATE_TRUSTED_ISSUERS_FILE=" + file,
		"TOLLGATE_JWKS_REFRESH=1s", "TOLLGATE_JWKS_MIN_REFETCH=1s", "TOLLGATE_LOG_LEVEL=error", "TOLLGATE_ACCESS_LOG=false"}, busyMachine...)...)
	good := f.token(f.forge.active.ID)
	s.wantCall(good, 200, "")
	for _, mode := range []string{"", "slow", "down", "garbage"} {
		f.mode.Store(mode)
		for _, flood := range []int{0, rate} {
			before, start := f.fetches.Load(), time.Now()
			stop := make(chan struct{})
			var wg sync.WaitGroup
			var floods atomic.Int64
			if flood > 0 {
				for worker := range 16 {
					wg.Go(func() { f.flood(s, flood/16, worker, stop, &floods) })
				}
			}
			times := s.callFor(t, good, length)
			close(stop)
			wg.Wait()
			allowed := int64(time.Since(start)/time.Second) + 2
			fetched := f.fetches.Load() - before
			if fetched > allowed {
				t.Errorf("%q, flood %d: %d fetches in %s", mode, flood, fetched, time.Since(start))
			}
			slices.Sort(times)
			t.Logf("JWKS host %-8q unknown kids/s %5d (sent %d): %d calls, p50 %s, p99 %s, %d fetches in %s",
				mode, flood, floods.Load(), len(times), times[len(times)/2], times[len(times)*99/100], fetched, time.Since(start).Round(time.Millisecond))
		}
	}
}

// flood sends tokens with kids that nobody has, perSecond of them.
func (f *foreign) flood(s *system, perSecond, worker int, stop chan struct{}, sent *atomic.Int64) {
	// One signature for all: an unknown kid is met before any is checked.
	parts := strings.Split(f.token("x"), ".")
	tick := time.NewTicker(time.Second / time.Duration(max(perSecond, 1)))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		head, _ := json.Marshal(map[string]string{"alg": "ES256", "typ": "JWT", "kid": fmt.Sprintf("w%d-%d", worker, n)})
		wg := encoding.EncodeToString(head) + "." + parts[1] + "." + parts[2]
		go func() {
			if r, err := s.send("GET", s.Public+"/x", nil, bearer(wg)...); err == nil && r.Status == 200 {
				s.tb.Error("a token with an unknown key passed")
			}
			sent.Add(1)
		}()
	}
}

// callFor calls one after the other and returns how long each took; each must be
// let through.
func (s *system) callFor(t *testing.T, access string, length time.Duration) []time.Duration {
	t.Helper()
	var times []time.Duration
	for end := time.Now().Add(length); time.Now().Before(end); {
		start := time.Now()
		r, err := s.send("GET", s.Public+"/x", nil, bearer(access)...)
		times = append(times, time.Since(start))
		if err != nil || r.Status != http.StatusOK {
			t.Fatalf("a known key: %d %s %v", r.Status, r.Body, err)
		}
	}
	return times
}
