package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestLookupMendsALoss: one process alone that asks Redis about each request. Redis
// forgets the end of what it has acknowledged, under the same epoch: it is noticed, and
// refused again, and what was not revoked passes again.
func TestLookupMendsALoss(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_REVOCATION_MODE=lookup")
	s.mustAddUser(ada, adaPassword)
	revoked, other := s.mustLogin(ada, adaPassword), s.mustLogin(ada, adaPassword)
	made := s.mustRevoke(map[string]string{"kind": "token", "value": revoked.Access, "wait": "2s"})
	s.wantCall(revoked.Access, 401, "revoked")
	s.wantCall(other.Access, 200, "")
	client := testkit.MustClient(t, s.Redis.Addr)
	digest, _, _ := strings.Cut(made["id"].(string), "-")
	n, err := client.Del(t.Context(), "tg:{rev}:e:"+digest).Result()
	if err == nil {
		err = client.XTrimMaxLen(t.Context(), "tg:{rev}:feed", 0).Err()
	}
	if err != nil || n != 1 {
		t.Fatalf("%d entries deleted, %v", n, err)
	}
	s.eventually("refused again", 20*time.Second, func() bool { return s.call(revoked.Access).Status == 401 })
	s.eventually("passing again", 20*time.Second, func() bool { return s.call(other.Access).Status == 200 })
	s.wantCall(revoked.Access, 401, "revoked")
}

// TestReloadOfMaxStale: routes that are reloaded with another max_stale change how often
// the feed is asked, and how long others wait for this edge.
func TestReloadOfMaxStale(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes.yaml")
	write := func(backend, maxStale string) {
		text := fmt.Sprintf("version: 1\nupstreams: {app: {urls: [%q]}}\nroutes:\n  - {name: app, match: {path: /}, upstream: app, revocation: {max_stale: %s}}\n", backend, maxStale)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("http://127.0.0.1:1", "30s")
	s := mustSystem(t, "TOLLGATE_UPSTREAM=", "TOLLGATE_ROUTES_FILE="+file, "TOLLGATE_ROUTES_POLL=50ms")
	closes := func() time.Duration {
		var list struct {
			Items []struct {
				ClosesAfter string `json:"closes_after"`
			}
		}
		if err := json.Unmarshal([]byte(s.mustSend("GET", s.Admin+"/admin/v1/edges", nil, bearer(rootToken)...).Body), &list); err != nil || len(list.Items) > 1 {
			t.Fatalf("edges: %+v, %v", list, err)
		}
		if len(list.Items) == 0 { // its word is over and the next is on its way
			return 0
		}
		d, err := time.ParseDuration(list.Items[0].ClosesAfter)
		if err != nil {
			t.Fatalf("%+v", list)
		}
		return d
	}
	s.eventually("at the first one", 20*time.Second, func() bool { return closes() == 30*time.Second })
	for _, maxStale := range []time.Duration{2 * time.Minute, 300 * time.Millisecond, time.Minute} {
		write(s.backend, maxStale.String())
		s.eventually("at "+maxStale.String(), 20*time.Second, func() bool { return closes() == maxStale })
	}
}
