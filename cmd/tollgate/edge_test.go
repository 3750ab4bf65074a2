package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mustEdgeOf starts a second process as an edge of the first: no issuer role, the
// keys by HTTP from the first, revocations from the same Redis.
func mustEdgeOf(t *testing.T, s *system, settings ...string) *system {
	t.Helper()
	file := filepath.Join(t.TempDir(), "issuers.yaml")
	text := fmt.Sprintf("issuers:\n  - issuer: %s\n    jwks_url: %s/.well-known/jwks.json\n    audiences: [shop-api]\n    algorithms: [ES256]\n", testIssuer, s.Public)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustSystem(t, append([]string{
		"TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false", "TOLLGATE_TRUSTED_ISSUERS_FILE=" + file, "TOLLGATE_REDIS_URL=" + s.Redis.URL,
	}, settings...)...)
}

// An edge without the issuer role verifies by the published keys, and refuses at
// once what is revoked elsewhere, births and all.
func TestEdgeWithoutIssuer(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_AUDIENCE=shop-api")
	s.mustAddUser(ada, adaPassword)
	edge := mustEdgeOf(t, s)
	first := s.mustLogin(ada, adaPassword)
	edge.wantCall(first.Access, 200, "")
	if r := edge.call(first.Refresh); r.Status != 401 {
		t.Errorf("a refresh token at the edge: %d", r.Status)
	}
	for round := range 50 {
		s.mustSend("POST", s.Public+"/api/logout/", map[string]string{"all": "1"}, bearer(first.Access)...)
		next := s.mustLogin(ada, adaPassword)
		// The log-out is answered when it is in Redis; the edge reads it from there.
		edge.eventually("refused", 20*time.Second, func() bool { return edge.call(first.Access).Status == 401 })
		if r := edge.call(first.Access); r.Status != 401 || !strings.Contains(r.Body, `"reason":"revoked"`) {
			t.Fatalf("round %d: the earlier token at the edge: %d %s", round, r.Status, r.Body)
		}
		if r := edge.call(next.Access); r.Status != 200 {
			t.Fatalf("round %d: the next log-in at the edge: %d %s", round, r.Status, r.Body)
		}
		first = next
	}
	// A key that the edge has not heard of: one fetch, no refusal.
	if r := s.mustSend("POST", s.Admin+"/admin/v1/keys/rotate", map[string]bool{"now": true}, bearer(rootToken)...); r.Status != 200 {
		t.Fatalf("rotate: %d %s", r.Status, r.Body)
	}
	edge.wantCall(s.mustLogin(ada, adaPassword).Access, 200, "")
	edge.wantCall(first.Access, 200, "")
	// The rows of the issuer are not there: their paths are ordinary ones.
	if r := edge.mustSend("POST", edge.Public+"/api/token/", map[string]string{"username": ada, "password": adaPassword}); r.Status != 401 {
		t.Errorf("log-in at the edge: %d %s", r.Status, r.Body)
	}
}

// Routes are swapped under load, half of the versions broken: no request fails,
// and a broken file changes nothing and says why.
func TestReloadUnderLoad(t *testing.T) {
	requests, swaps := 2000, 20
	if nightly {
		requests, swaps = 10000, 50
	}
	file := filepath.Join(t.TempDir(), "routes.yaml")
	var backend string
	write := func(version int) {
		text := fmt.Sprintf("version: 1\nupstreams: {app: {urls: [%q]}}\nroutes:\n  - {name: app-%d, match: {path: /}, upstream: app}\n", backend, version)
		if version%2 == 1 {
			text = "version: 1\nroutes: [{name: broken, match: {pathh: /}}]\n"
		}
		next := file + ".next"
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(next, file); err != nil { // as a ConfigMap is swapped
			t.Error(err)
		}
	}
	backend = "http://127.0.0.1:1"
	write(0)
	s := mustSystem(t, "TOLLGATE_UPSTREAM=", "TOLLGATE_ROUTES_FILE="+file, "TOLLGATE_ROUTES_POLL=20ms", "TOLLGATE_LOG_LEVEL=info", "TOLLGATE_ACCESS_LOG=false")
	backend = s.backend
	write(0)
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	s.eventually("in front of the back end", 20*time.Second, func() bool { return s.call(p.Access).Status == 200 })
	var sent, failed atomic.Int64
	var first atomic.Value
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for sent.Add(1) <= int64(requests) {
				r, err := s.send("GET", s.Public+"/x", nil, bearer(p.Access)...)
				if err != nil || r.Status != http.StatusOK {
					failed.Add(1)
					first.CompareAndSwap(nil, fmt.Sprint(r, err))
				}
			}
		})
	}
	const taken, left = "the configuration was reloaded", "the configuration was not reloaded"
	for version := 1; version <= swaps; version++ {
		said := s.logs.Count(taken) + s.logs.Count(left)
		write(version)
		s.eventually(fmt.Sprintf("version %d read", version), 20*time.Second, func() bool { return s.logs.Count(taken)+s.logs.Count(left) > said })
	}
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed: %v", failed.Load(), requests, first.Load())
	}
	logs := s.logs.String()
	reloaded, refused := strings.Count(logs, taken), strings.Count(logs, left)
	t.Logf("%d requests, %d swaps: %d reloads, %d broken files refused, %d failed", requests, swaps, reloaded, refused, failed.Load())
	if reloaded < swaps/4 || refused < swaps/4 || !strings.Contains(logs, "pathh") {
		t.Errorf("%d reloads and %d refusals of %d swaps", reloaded, refused, swaps)
	}
	s.eventually("the last reload counts as successful", 20*time.Second, func() bool {
		return strings.Contains(s.mustSend("GET", s.Ops+"/metrics", nil).Body, "tollgate_config_last_reload_successful 1")
	})
}
