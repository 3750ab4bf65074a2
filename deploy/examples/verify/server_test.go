//go:build interop

package verify_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// server is a tollgate process of one test, on a redis-server of its own.
type server struct {
	t      *testing.T
	binary string
	issuer string // base URL of the public listener
	admin  string // base URL of the admin listener
	env    []string
}

// mustServe starts `tollgate serve` with one signing algorithm, waits until it
// publishes its keys, and ends it with the test.
func mustServe(t *testing.T, binary, alg string) *server {
	t.Helper()
	upstream := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(upstream.Close)
	public, admin := testkit.MustFreePort(t), testkit.MustFreePort(t)
	sealing := make([]byte, 32)
	_, _ = rand.Read(sealing) // never fails
	s := &server{
		t: t, binary: binary,
		issuer: fmt.Sprintf("http://127.0.0.1:%d", public),
		admin:  fmt.Sprintf("http://127.0.0.1:%d", admin),
	}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		fmt.Sprintf("TOLLGATE_LISTEN=127.0.0.1:%d", public),
		fmt.Sprintf("TOLLGATE_ADMIN_LISTEN=127.0.0.1:%d", admin),
		"TOLLGATE_OPS_LISTEN=",
		"TOLLGATE_REDIS_URL=" + testkit.MustStartRedis(t).URL,
		"TOLLGATE_KEY_ENCRYPTION_KEY=" + base64.StdEncoding.EncodeToString(sealing),
		"TOLLGATE_ADMIN_TOKEN=" + rand.Text(),
		"TOLLGATE_ISSUER=" + s.issuer,
		"TOLLGATE_AUDIENCE=" + audience,
		"TOLLGATE_SIGNING_ALG=" + alg,
		"TOLLGATE_UPSTREAM=" + upstream.URL,
	}
	var log bytes.Buffer
	cmd := exec.Command(binary, "serve")
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-exited:
			if err != nil {
				t.Errorf("tollgate serve: %v", err)
			}
		case <-time.After(40 * time.Second): // more than its SHUTDOWN_TIMEOUT
			_ = cmd.Process.Kill()
			t.Error("tollgate serve did not end on SIGTERM")
		}
		if t.Failed() {
			t.Logf("its log:\n%s", log.String())
		}
	})
	s.mustPublish(exited)
	return s
}

// mustPublish waits until the key set is there.
func (s *server) mustPublish(exited chan error) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(s.issuer + "/.well-known/jwks.json"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-exited:
			exited <- nil
			s.t.Fatalf("tollgate serve ended at once: %v", err)
		default:
		}
	}
	s.t.Fatal("tollgate serve published no keys within 20s")
}

// mustAddUser adds a user by the command line and returns the id it was given.
func (s *server) mustAddUser(name, password string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.binary, "users", "add", name, "--password-stdin", "--server", s.admin, "-o", "json")
	cmd.Env, cmd.Stdin = s.env, strings.NewReader(password)
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("tollgate users add: %v, %s", err, out)
	}
	var user struct{ ID string }
	if err := json.Unmarshal(out, &user); err != nil || user.ID == "" {
		s.t.Fatalf("tollgate users add printed %q: %v", out, err)
	}
	return user.ID
}

func (s *server) mustLogIn(name, password string) (access, refresh string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"username": name, "password": password})
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.Post(s.issuer+"/api/token/", "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var pair struct{ Access, Refresh string }
	if err := json.NewDecoder(res.Body).Decode(&pair); err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("log in: status %d, %v", res.StatusCode, err)
	}
	return pair.Access, pair.Refresh
}
