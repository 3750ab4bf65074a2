//go:build chaos

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosLoginStraddlesACutOff: sessions begin while the subject's are ended, over
// and over. Whichever came first, what passes afterwards was begun after the cut-off
// was asked for, and no refresh brings an older one back.
func TestChaosLoginStraddlesACutOff(t *testing.T) {
	t.Parallel()
	f := mustFleet(t, plan{Redis: testkit.MustStartRedis(t), Edges: 1})
	for round := range full(100, 10) {
		f.Home.mustAddUser(fmt.Sprint("u", round), adaPassword)
		id := claimsOf(t, f.Home.mustLogin(fmt.Sprint("u", round), adaPassword).Access)["sub"].(string)
		var work sync.WaitGroup
		var mu sync.Mutex
		var before, all []pair
		for range 3 {
			work.Go(func() {
				// 401: the cut-off came while the password was looked at.
				r, err := f.Home.send("POST", f.Home.Public+"/api/token/", map[string]string{"username": fmt.Sprint("u", round), "password": adaPassword})
				var p pair
				if err != nil || r.Status != 401 && (r.Status != 200 || json.Unmarshal([]byte(r.Body), &p) != nil) {
					t.Errorf("log in: %d %s, %v", r.Status, r.Body, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if p.Access != "" {
					all = append(all, p)
				}
			})
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		mu.Lock()
		before = append(before, all...) // answered before the cut-off was asked for
		mu.Unlock()
		f.Home.mustRevoke(map[string]string{"kind": "subject", "value": id, "wait": "20s"})
		for _, p := range before {
			f.Edges[0].wantCall(p.Access, 401, "revoked")
		}
		work.Wait()
		for _, p := range all {
			passes := f.Edges[0].call(p.Access).Status == 200
			r := f.Home.mustSend("POST", f.Home.Public+"/api/token/refresh/", map[string]string{"refresh": p.Refresh})
			if refreshed := r.Status == 200; refreshed != passes {
				t.Errorf("round %d: passes %t, is refreshed %t: %s", round, passes, refreshed, r.Body)
			}
		}
		after := f.Home.mustLogin(fmt.Sprint("u", round), adaPassword)
		f.Edges[0].wantCall(after.Access, 200, "")
	}
}

// TestChaosEndingIsInterrupted: the issuer's process is killed while it ends a
// session. Once somebody meets the session again it is ended, or it was never touched:
// never is it refused a refresh for good while its access tokens pass.
func TestChaosEndingIsInterrupted(t *testing.T) {
	t.Parallel()
	f := mustFleet(t, plan{Redis: testkit.MustStartRedis(t), Edges: 1})
	total := 0
	for round := 0; round < full(40, 5) || total == 0 && round < 60; round++ { // some must end
		var these []pair
		for range 8 {
			these = append(these, f.Home.mustLogin(ada, adaPassword))
		}
		var work sync.WaitGroup
		for _, p := range these {
			work.Go(func() {
				_, _ = f.Home.send("POST", f.Home.Public+"/api/logout/", map[string]string{"refresh": p.Refresh}, bearer(p.Access)...)
			})
		}
		time.Sleep(time.Duration(rand.IntN(40_000*(1+round/5))) * time.Microsecond)
		f.Home.signal(syscall.SIGKILL)
		work.Wait()
		<-f.Home.exited
		f.Home.mustServe()
		ended := 0
		for _, p := range these {
			r := f.Home.mustSend("POST", f.Home.Public+"/api/token/refresh/", map[string]string{"refresh": p.Refresh})
			switch r.Status {
			case 200:
				f.Edges[0].wantCall(p.Access, 200, "")
			case 401:
				ended, total = ended+1, total+1
				f.Edges[0].wantEnded(p.Access)
			default:
				t.Errorf("round %d: %d %s", round, r.Status, r.Body)
			}
		}
		t.Logf("round %d: %d of %d sessions ended", round, ended, len(these))
	}
	if total == 0 {
		t.Error("no session ended: nothing was shown")
	}
}
