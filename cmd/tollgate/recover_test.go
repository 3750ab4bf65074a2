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
			command := func(args ...string) (string, int) {
				command := exec.Command(mustBinary(t), append([]string{"recover", "--server", s.Admin}, args...)...)
				command.Env = append(s.Env, "TOLLGATE_ADMIN_TOKEN="+rootToken)
				out, _ := command.CombinedOutput()
				return string(out), command.ProcessState.ExitCode()
			}
			for _, wrong := range [][]string{
				{"--end-all", "--issuer", testIssuer + "/typo", "--yes"}, {"--end-all", "--issuer", testIssuer + "/typo", "--accept-loss", "--yes"}, {"--end-all", "--issuer", testIssuer + "/typo"},
			} {
				if out, code := command(wrong...); code != exitUsage || !strings.Contains(out, "Trusted are "+testIssuer) {
					t.Errorf("%v: exit %d\n%s", wrong, code, out)
				}
			}
			if out, code := command(flag); code != exitUsage || !strings.Contains(out, ": "+testIssuer+".\n") || !strings.Contains(out, "nothing was done: add --yes") {
				t.Errorf("not asked to do it: exit %d\n%s", code, out)
			}
			if got := s.call(alice.Access); got.Status != http.StatusServiceUnavailable {
				t.Fatalf("a token older than the store, and nothing was decided: %d", got.Status)
			}
			if out, code := command(flag, "--yes"); code != exitDone || !strings.Contains(out, strings.ReplaceAll(flag[2:], "-", "_")) {
				t.Errorf("exit %d\n%s", code, out)
			}
			s.eventually("decided", 10*time.Second, func() bool { return s.call(alice.Access).Status == want })
		})
	}
}
