package main

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestRecover: everybody who knew what was revoked is gone, and so is the store. Own
// tokens from before answer 503 until a person decides; then they pass, or their
// owners log in again.
func TestRecover(t *testing.T) {
	for flag, want := range map[string]int{"--accept-loss": http.StatusOK, "--end-all": http.StatusUnauthorized} {
		t.Run(flag, func(t *testing.T) {
			s := mustSystem(t, "TOLLGATE_KEY_STORE=file:"+t.TempDir())
			s.mustAddUser("alice", "correct horse battery staple")
			alice := s.mustLogin("alice", "correct horse battery staple")
			if got := s.call(alice.Access); got.Status != http.StatusOK {
				t.Fatal(got)
			}
			s.stop()
			s.Redis.MustRestartEmpty()
			s.mustServe()
			if got := s.call(alice.Access); got.Status != http.StatusServiceUnavailable {
				t.Fatalf("a token older than the store: %d", got.Status)
			}
			command := exec.Command(mustBinary(t), "recover", flag, "--yes", "--server", s.Admin)
			command.Env = append(s.Env, "TOLLGATE_ADMIN_TOKEN="+rootToken)
			if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), strings.ReplaceAll(flag[2:], "-", "_")) {
				t.Errorf("%v\n%s", err, out)
			}
			s.eventually("decided", 10*time.Second, func() bool { return s.call(alice.Access).Status == want })
		})
	}
}
