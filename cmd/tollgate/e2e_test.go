package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

const ada, adaPassword = "ada", "correct horse battery"

// Logging out everywhere ends every earlier token of the user, and a log-in that
// follows at once, within the same second, is accepted: 200 rounds, and the very
// first log-in after the store's first start with them.
func TestLogoutAllSparesTheNextLogin(t *testing.T) {
	s := mustSystem(t)
	s.mustAddUser(ada, adaPassword)
	s.mustAddUser("bob", adaPassword)
	bystander := s.mustLogin("bob", adaPassword)
	before := []pair{s.mustLogin(ada, adaPassword), s.mustLogin(ada, adaPassword)}
	s.wantCall(before[0].Access, 200, "")
	sameSecond := 0
	for round := range 200 {
		ending := before[len(before)-1]
		r := s.mustSend("POST", s.Public+"/api/logout/", map[string]string{"all": "1"}, bearer(ending.Access)...)
		if r.Status != 200 || r.Body != `{"status":"OK, goodbye, all refresh tokens blacklisted"}` {
			t.Fatalf("round %d: logout: %d %s", round, r.Status, r.Body)
		}
		next := s.mustLogin(ada, adaPassword)
		if claimsOf(t, next.Access)["iat"] == claimsOf(t, ending.Access)["iat"] {
			sameSecond++
		}
		for i, p := range before {
			if r := s.call(p.Access); r.Status != 401 || !strings.Contains(r.Body, `"reason":"revoked"`) {
				t.Fatalf("round %d: earlier token %d: %d %s", round, i, r.Status, r.Body)
			}
			if r := s.mustSend("POST", s.Public+"/api/token/refresh/", map[string]string{"refresh": p.Refresh}); r.Status != 401 {
				t.Fatalf("round %d: earlier refresh token %d: %d %s", round, i, r.Status, r.Body)
			}
		}
		if r := s.call(next.Access); r.Status != 200 {
			t.Fatalf("round %d: the next log-in is refused: %d %s", round, r.Status, r.Body)
		}
		before = []pair{ending, next}
	}
	if sameSecond == 0 {
		t.Error("no round fell within one second: nothing was shown")
	}
	s.wantCall(bystander.Access, 200, "")
}

// Rotation while a client calls: not one refused request. The old token passes
// until it expires; a revoked key's tokens are refused.
func TestRotateUnderLoad(t *testing.T) {
	s := mustSystem(t, busyMachine...)
	s.mustAddUser(ada, adaPassword)
	old := s.mustLogin(ada, adaPassword)
	var calls, refused atomic.Int64
	var firstRefusal atomic.Value
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			current := s.mustLogin(ada, adaPassword)
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if n%20 == 19 {
					r, err := s.send("POST", s.Public+"/api/token/", map[string]string{"username": ada, "password": adaPassword})
					if err != nil || r.Status != 200 {
						refused.Add(1)
						firstRefusal.CompareAndSwap(nil, fmt.Sprint("log-in: ", r, err))
						continue
					}
					_, access, _ := strings.Cut(r.Body, `"access":"`)
					current.Access, _, _ = strings.Cut(access, `"`)
				}
				r, err := s.send("GET", s.Public+"/x", nil, bearer(current.Access)...)
				calls.Add(1)
				if err != nil || r.Status != 200 {
					refused.Add(1)
					firstRefusal.CompareAndSwap(nil, fmt.Sprint(r, err))
				}
			}
		})
	}
	kids := map[any]bool{headerOf(t, old.Access)["kid"]: true}
	for range 8 {
		r := s.mustSend("POST", s.Admin+"/admin/v1/keys/rotate", map[string]bool{"now": true}, bearer(rootToken)...)
		if r.Status != 200 {
			t.Fatalf("rotate: %d %s", r.Status, r.Body)
		}
		time.Sleep(150 * time.Millisecond) // let the clients call between two rotations
		kids[headerOf(t, s.mustLogin(ada, adaPassword).Access)["kid"]] = true
	}
	close(stop)
	wg.Wait()
	if refused.Load() != 0 || calls.Load() < 100 {
		t.Errorf("%d of %d calls refused: %v", refused.Load(), calls.Load(), firstRefusal.Load())
	}
	if len(kids) != 9 {
		t.Errorf("%d keys signed, want 9", len(kids))
	}
	t.Logf("%d calls over 8 rotations, %d refused", calls.Load(), refused.Load())
	s.wantCall(old.Access, 200, "")

	current := s.mustLogin(ada, adaPassword)
	kid := headerOf(t, current.Access)["kid"].(string)
	if r := s.mustSend("POST", s.Admin+"/admin/v1/keys/"+kid+"/revoke", nil, bearer(rootToken)...); r.Status != 200 {
		t.Fatalf("revoke key: %d %s", r.Status, r.Body)
	}
	if r := s.call(current.Access); r.Status != 401 {
		t.Errorf("a token of the revoked key: %d %s", r.Status, r.Body)
	}
	s.wantCall(old.Access, 200, "")
	s.wantCall(s.mustLogin(ada, adaPassword).Access, 200, "")
	if r := s.mustSend("GET", s.Public+"/.well-known/jwks.json", nil); r.Status != 200 || strings.Contains(r.Body, kid) {
		t.Errorf("the revoked key is published: %d %s", r.Status, r.Body)
	}
}

// Redis is killed: what is known is old after max_stale, and each request gets 503
// within 300 ms, if the machine does not stand still; the revoked token stays refused.
// It comes back: 200 again, and what was revoked is still refused.
func TestRedisKilledAndRestarted(t *testing.T) {
	r := testkit.MustStartRedis(t, "--appendfsync", "always") // what is acknowledged is there after the kill
	s := mustSystemOn(t, r, "TOLLGATE_REDIS_OP_TIMEOUT=100ms", "TOLLGATE_REVOCATION_MAX_STALE=500ms")
	s.mustAddUser(ada, adaPassword)
	good, bad := s.mustLogin(ada, adaPassword), s.mustLogin(ada, adaPassword)
	s.mustRevoke(map[string]string{"kind": "token", "value": bad.Access})
	s.wantCall(good.Access, 200, "")
	s.wantCall(bad.Access, 401, "revoked")
	s.Redis.MustKill()
	s.eventually("old", 20*time.Second, func() bool { return s.call(good.Access).Status == 503 })
	before := len(s.requests())
	var took []time.Duration
	for range 20 {
		s.wantCall(bad.Access, 401, "revoked")
		for _, p := range []pair{good, good} {
			start := time.Now()
			r := s.call(p.Access)
			took = append(took, time.Since(start))
			if r.Status != 503 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.Body, `"reason":"unavailable"`) {
				t.Fatalf("Redis is down: %d %s", r.Status, r.Body)
			}
		}
	}
	slices.Sort(took)
	most, slowest := took[len(took)*3/4], took[len(took)-1]
	t.Logf("without Redis three of four answers took %s, the slowest of %d %s", most, len(took), slowest)
	if most > 300*time.Millisecond || slowest > 3*time.Second { // Redis's client alone would wait longer each time
		t.Errorf("three of four answers within %s, the slowest %s", most, slowest)
	}
	for _, path := range []string{"/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/"} {
		body := map[string]string{"username": ada, "password": adaPassword, "refresh": good.Refresh, "token": good.Access}
		if r := s.mustSend("POST", s.Public+path, body); r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s without Redis: %d %s", path, r.Status, r.Body)
		}
	}
	if n := len(s.requests()); n != before {
		t.Errorf("%d requests reached the back end without Redis", n-before)
	}
	s.Redis.MustRestart()
	start := time.Now()
	s.eventually("open again", 20*time.Second, func() bool { return s.call(good.Access).Status == 200 })
	t.Logf("200 again %s after the restart", time.Since(start))
	s.wantCall(bad.Access, 401, "revoked")
	if p := s.mustLogin(ada, adaPassword); s.call(p.Access).Status != 200 {
		t.Error("a log-in after the restart is refused")
	}
}

// Requests in flight finish after SIGTERM, new ones are refused, readiness fails
// first.
func TestGracefulShutdown(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_SHUTDOWN_TIMEOUT=10s")
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	answered := make(chan reply, 1)
	go func() {
		r, err := s.send("GET", s.Public+"/slow", nil, bearer(p.Access)...)
		if err != nil {
			r.Body = err.Error()
		}
		answered <- r
	}()
	s.eventually("at the back end", 20*time.Second, func() bool { return len(s.requests()) == 1 })
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.eventually("refusing new requests", 20*time.Second, func() bool {
		_, err := s.send("GET", s.Public+"/x", nil, bearer(p.Access)...)
		return err != nil
	})
	if r := <-answered; r.Status != 200 {
		t.Errorf("the request in flight: %d %s", r.Status, r.Body)
	}
	<-s.exited
	if code := s.process.ProcessState.ExitCode(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(s.logs.String(), "draining") {
		t.Errorf("no word of draining in the log:\n%s", &s.logs)
	}
}

// With nothing in flight the end is quick and orderly, however short its limit.
func TestIdleShutdown(t *testing.T) {
	for range 3 {
		s := mustSystem(t, "TOLLGATE_SHUTDOWN_TIMEOUT=1s")
		start := time.Now()
		if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-s.exited
		if code := s.process.ProcessState.ExitCode(); code != exitDone || time.Since(start) > 5*time.Second {
			t.Errorf("exit code %d after %s\n%s", code, time.Since(start), &s.logs)
		}
	}
}

// Whatever a scenario used as a secret is nowhere in what was logged, at the
// debug level, nor in the metrics.
func TestNoSecretIsLogged(t *testing.T) {
	s := mustSystem(t)
	s.mustAddUser(ada, adaPassword)
	p := s.mustLogin(ada, adaPassword)
	secrets := []string{adaPassword, "wrong password", rootToken, testSealing, p.Access, p.Refresh, "query-secret", "cookie-secret", "basic-secret"}
	s.mustSend("POST", s.Public+"/api/token/", map[string]string{"username": ada, "password": "wrong password"})
	s.mustSend("POST", s.Public+"/api/token/?password=query-secret", "username=ada&password=wrong password", "Content-Type", "application/x-www-form-urlencoded")
	s.mustSend("GET", s.Public+"/x?token=query-secret&"+p.Access, nil, append(bearer(p.Access), "Cookie", "sid=cookie-secret")...)
	s.mustSend("GET", s.Public+"/x", nil, "Authorization", "Basic basic-secret")
	s.mustSend("GET", s.Public+"/x", nil, bearer(p.Access+"x")...)
	s.mustSend("GET", s.Public+"/"+p.Access, nil, bearer(p.Refresh)...)
	refreshed := s.mustSend("POST", s.Public+"/api/token/refresh/", map[string]string{"refresh": p.Refresh})
	secrets = append(secrets, strings.Split(refreshed.Body, `"`)[3], strings.Split(refreshed.Body, `"`)[7])
	s.mustSend("POST", s.Public+"/api/token/verify/", map[string]string{"token": p.Access})
	s.mustRevoke(map[string]string{"kind": "token", "value": p.Access, "reason": "test"})
	s.mustSend("POST", s.Admin+"/admin/v1/revocations", map[string]string{"kind": "token", "value": p.Access + "x"}, bearer(rootToken)...)
	s.mustSend("GET", s.Admin+"/admin/v1/keys?token=query-secret", nil, bearer("wrong-"+rootToken)...)
	s.wantCall(p.Access, 401, "revoked")
	s.mustSend("POST", s.Public+"/api/logout/", map[string]string{"all": "1"}, bearer(p.Access)...)
	s.Redis.MustKill()
	s.call(p.Access)
	metrics := s.mustSend("GET", s.Ops+"/metrics", nil)
	s.Redis.MustRestart()
	for _, want := range []string{`"route":"site"`, `"route":"issuer:token"`, `"reason":"revoked"`, `"decision":"allow"`, `"jti":"` + claimsOf(t, p.Access)["jti"].(string), `"kid":`, `"request_id":`, `"duration_ms":`} {
		s.eventually("logs "+want, 20*time.Second, func() bool { return s.logs.Count(want) > 0 })
	}
	logged := s.logs.String() + metrics.Body
	// A signature alone is as good as the token to whoever has the rest.
	for _, secret := range secrets {
		for _, part := range strings.Split(secret, ".") {
			if len(part) > 8 && strings.Contains(logged, part) {
				t.Errorf("%q is in the log or the metrics", part)
			}
		}
	}
}

// A faulty configuration: exit 2, every fault by the name of its variable, no
// secret.
func TestFaultyConfiguration(t *testing.T) {
	cmd := exec.Command(mustBinary(t), "serve")
	cmd.Env = []string{
		"PATH=/usr/bin", "TOLLGATE_LISTEN=nonsense", "TOLLGATE_ACCESS_TTL=soon", "TOLLGATE_SIGNING_ALG=HS256", "TOLLGATE_ADMIN_TOKEN=hunter2",
		"TOLLGATE_KEY_ENCRYPTION_KEY=aHVudGVyMg==", "TOLLGATE_REDIS_URL=redis://u:hunter2@h:x/0", "TOLLGATE_CLAIMS=sub=id", "TOLLGATE_UPSTREAM=ftp://user:hunter2@h",
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	for _, name := range []string{"LISTEN", "ACCESS_TTL", "SIGNING_ALG", "ADMIN_TOKEN", "KEY_ENCRYPTION_KEY", "REDIS_URL", "CLAIMS", "UPSTREAM", "ISSUER"} {
		if !strings.Contains(out.String(), "TOLLGATE_"+name) {
			t.Errorf("TOLLGATE_%s is not named", name)
		}
	}
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "aHVudGVyMg") {
		t.Error("a secret is shown")
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

// Private keys do not lie open in a Redis that is not the process's own.
func TestUnsealedKeysAreRefused(t *testing.T) {
	s := mustSystem(t)
	cmd := exec.Command(mustBinary(t), "serve")
	cmd.Env = append(slices.DeleteFunc(slices.Clone(s.Env), func(v string) bool { return strings.HasPrefix(v, "TOLLGATE_KEY_ENCRYPTION_KEY=") }),
		"TOLLGATE_LISTEN=127.0.0.1:0", "TOLLGATE_ADMIN_LISTEN=127.0.0.1:0", "TOLLGATE_OPS_LISTEN=")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitUsage || !strings.Contains(string(out), "TOLLGATE_KEY_ENCRYPTION_KEY") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

func TestOpsListener(t *testing.T) {
	s := mustSystem(t)
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/healthz": 200, "/metrics": 200, "/x": 404} {
		if r := s.mustSend("GET", s.Ops+path, nil); r.Status != want {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	s.Redis.MustKill()
	if r := s.mustSend("GET", s.Ops+"/readyz?verbose", nil); r.Status != http.StatusServiceUnavailable || !strings.Contains(r.Body, "redis") {
		t.Errorf("readiness without Redis: %d %s", r.Status, r.Body)
	}
	if r := s.mustSend("GET", s.Ops+"/livez", nil); r.Status != 200 {
		t.Errorf("liveness without Redis: %d", r.Status)
	}
}
