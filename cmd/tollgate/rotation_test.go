package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// busyMachine is for tests in which nothing may be refused, on a machine that does
// much else: a Redis that has to wait for the processor is not one that is away.
var busyMachine = []string{"TOLLGATE_REDIS_OP_TIMEOUT=5s", "TOLLGATE_REVOCATION_MAX_STALE=20s"}

// mustIssuers starts issuers that share one Redis, without the gateway role.
func mustIssuers(t *testing.T, n int, settings ...string) []*system {
	t.Helper()
	all := []*system{mustSystem(t, append([]string{"TOLLGATE_ENABLE_GATEWAY=false", "TOLLGATE_UPSTREAM="}, settings...)...)}
	for len(all) < n {
		all = append(all, mustSystem(t, append([]string{
			"TOLLGATE_ENABLE_GATEWAY=false", "TOLLGATE_UPSTREAM=", "TOLLGATE_REDIS_URL=" + all[0].Redis.URL,
		}, settings...)...))
	}
	return all
}

// mustFront is the load balancer before the issuers: it asks one after the other
// until somebody answers.
func mustFront(t *testing.T, issuers []*system) *httptest.Server {
	t.Helper()
	client := &http.Client{Timeout: 2 * time.Second}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, n := range rand.Perm(len(issuers)) {
			req, err := http.NewRequestWithContext(r.Context(), r.Method, issuers[n].Public+r.URL.RequestURI(), http.NoBody)
			if err != nil {
				continue
			}
			req.Header = r.Header.Clone()
			res, err := client.Do(req)
			if err != nil {
				continue
			}
			defer res.Body.Close()
			for name, values := range res.Header {
				w.Header()[name] = values
			}
			w.WriteHeader(res.StatusCode)
			_, _ = io.Copy(w, res.Body)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(front.Close)
	return front
}

// mustEdges starts edges that fetch the issuers' keys at the address given.
func mustEdges(t *testing.T, n int, redis, jwks string, settings ...string) []*system {
	t.Helper()
	file := filepath.Join(t.TempDir(), "issuers.yaml")
	text := fmt.Sprintf("issuers:\n  - {issuer: %q, jwks_url: %q, audiences: [shop-api], algorithms: [ES256, RS256, EdDSA]}\n", testIssuer, jwks+"/.well-known/jwks.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*system
	for range n {
		all = append(all, mustSystem(t, append([]string{
			"TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false", "TOLLGATE_TRUSTED_ISSUERS_FILE=" + file, "TOLLGATE_REDIS_URL=" + redis,
			"TOLLGATE_JWKS_REFRESH=1s", "TOLLGATE_JWKS_MIN_REFETCH=1s",
		}, settings...)...))
	}
	return all
}

// traffic is clients that log in, call every edge, and refresh, over and over.
type traffic struct {
	issuers, edges []*system

	mu     sync.Mutex
	kids   map[string]string // kid: its algorithm
	calls  int
	faults []string
}

func (c *traffic) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// post asks an issuer; one that was just killed is no answer, and another is asked.
func (c *traffic) post(path string, body map[string]string) (pair, bool) {
	for try := range 200 {
		i := c.issuers[rand.IntN(len(c.issuers))]
		r, err := i.send("POST", i.Public+path, body)
		if err != nil {
			time.Sleep(time.Duration(min(try, 10)) * 10 * time.Millisecond)
			continue
		}
		var p pair
		if r.Status != http.StatusOK || json.Unmarshal([]byte(r.Body), &p) != nil {
			c.fault("%s: %d %s", path, r.Status, r.Body)
			return pair{}, false
		}
		return p, true
	}
	c.fault("%s: nobody answers", path)
	return pair{}, false
}

func (c *traffic) call(t *testing.T, access string) {
	header := headerOf(t, access)
	for _, e := range c.edges {
		r, err := e.send("GET", e.Public+"/x", nil, bearer(access)...)
		if err != nil || r.Status != http.StatusOK {
			c.fault("a call with a token of %v: %d %s %v", header["kid"], r.Status, r.Body, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls += len(c.edges)
	c.kids[header["kid"].(string)] = header["alg"].(string)
}

func (c *traffic) run(t *testing.T, stop <-chan struct{}) {
	for {
		p, ok := c.post("/api/token/", map[string]string{"username": ada, "password": adaPassword})
		for n := 0; ok && n < 20; n++ {
			c.call(t, p.Access)
			if n%4 == 3 {
				next, refreshed := c.post("/api/token/refresh/", map[string]string{"refresh": p.Refresh})
				if ok = refreshed; ok {
					p = pair{next.Access, p.Refresh}
					if next.Refresh != "" {
						p.Refresh = next.Refresh
					}
				}
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

// Two issuers turn their keys every few seconds, across a change of algorithm,
// while one of them is killed again and again: no token is refused. Nightly: as
// the numbers stand in the documentation, for two minutes.
func TestRotationWithoutRefusal(t *testing.T) {
	every, prepublish, length, kill, least := "4s", "1s", 20*time.Second, 4*time.Second, 2
	if nightly {
		every, prepublish, length, kill, least = "10s", "3s", 2*time.Minute, 10*time.Second, 8
	}
	settings := []string{"TOLLGATE_AUDIENCE=shop-api", "TOLLGATE_KEY_ROTATE_EVERY=" + every, "TOLLGATE_KEY_PREPUBLISH=" + prepublish, "TOLLGATE_ACCESS_LOG=false", "TOLLGATE_LOG_LEVEL=info"}
	settings = append(settings, busyMachine...)
	issuers := mustIssuers(t, 2, settings...)
	edges := mustEdges(t, 2, issuers[0].Redis.URL, mustFront(t, issuers).URL, append([]string{"TOLLGATE_KEY_PREPUBLISH=" + prepublish, "TOLLGATE_ACCESS_LOG=false", "TOLLGATE_LOG_LEVEL=info"}, busyMachine...)...)
	issuers[0].mustAddUser(ada, adaPassword)
	c := &traffic{issuers: issuers, edges: edges, kids: map[string]string{}}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() { c.run(t, stop) })
	}
	kills := 0
	algs := []string{"ES256", "RS256", "EdDSA"}
	if !nightly { // there is time for one change
		algs = []string{"RS256"}
	}
	for end := time.Now().Add(length); time.Until(end) > kill/2; kills++ {
		time.Sleep(kill)
		i := issuers[kills%2]
		_ = i.process.Process.Kill()
		<-i.exited
		// Both instances go over to the next algorithm, one after the other.
		share := int(length/kill) / len(algs)
		alg := algs[min((kills+1)/max(share, 1), len(algs)-1)]
		i.Env = append(i.Env, "TOLLGATE_SIGNING_ALG="+alg)
		i.mustServe()
	}
	close(stop)
	clients.Wait()
	seen := map[string]int{}
	for _, alg := range c.kids {
		seen[alg]++
	}
	t.Logf("%d calls, %d kills, %d keys signed (%v), %d refused", c.calls, kills, len(c.kids), seen, len(c.faults))
	if len(c.faults) > 0 {
		t.Errorf("refused:\n%s", strings.Join(c.faults[:min(10, len(c.faults))], "\n"))
	}
	if rotations := len(c.kids) - 1; rotations < least || len(seen) < 2 || nightly && len(seen) < 3 {
		t.Errorf("%d rotations, algorithms %v", rotations, seen)
	}
}
