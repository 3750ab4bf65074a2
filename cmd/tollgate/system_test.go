package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// binary builds the program once for all tests: they run what users run.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tollgate-test-")
	binaryDir.Store(dir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tollgate")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var binaryDir atomic.Value // string, once the program was built

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, ok := binaryDir.Load().(string); ok {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func mustBinary(tb testing.TB) string {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

const (
	rootToken   = "admin-token-of-the-tests"
	testIssuer  = "https://auth.example.com"
	testSealing = "c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=" // 32 bytes
)

// system is `tollgate serve` as a process of its own, on a real redis-server, in
// front of a back end that remembers what reached it.
type system struct {
	tb     testing.TB
	Redis  *testkit.RedisServer
	Public string
	Admin  string
	Ops    string
	Env    []string

	backend string // its URL
	binary  string // another build of the program; empty: mustBinary
	process *exec.Cmd
	exited  chan struct{}
	logs    lockedBuffer

	mu   sync.Mutex
	seen []*http.Request
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer = testkit.Buffer

// mustSystem starts the system; settings ("TOLLGATE_ACCESS_TTL=1m") come after
// the kit's own and win.
func mustSystem(tb testing.TB, settings ...string) *system {
	tb.Helper()
	return mustSystemOn(tb, testkit.MustStartRedis(tb), settings...)
}

// mustSystemOn is mustSystem on a Redis that is there already.
func mustSystemOn(tb testing.TB, r *testkit.RedisServer, settings ...string) *system {
	tb.Helper()
	s := &system{tb: tb, Redis: r}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Clone(r.Context()))
		s.mu.Unlock()
		if r.URL.Path == "/slow" {
			time.Sleep(time.Second)
		}
		_, _ = io.WriteString(w, "hello from the back end\n")
	}))
	tb.Cleanup(backend.Close)
	s.backend = backend.URL
	address := func() string { return fmt.Sprintf("127.0.0.1:%d", testkit.MustFreePort(tb)) }
	public, admin, ops := address(), address(), address()
	s.Public, s.Admin, s.Ops = "http://"+public, "http://"+admin, "http://"+ops
	s.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"TOLLGATE_LISTEN=" + public, "TOLLGATE_ADMIN_LISTEN=" + admin, "TOLLGATE_OPS_LISTEN=" + ops,
		"TOLLGATE_REDIS_URL=" + s.Redis.URL, "TOLLGATE_UPSTREAM=" + backend.URL, "TOLLGATE_ISSUER=" + testIssuer,
		"TOLLGATE_ADMIN_TOKEN=" + rootToken, "TOLLGATE_KEY_ENCRYPTION_KEY=" + testSealing, "TOLLGATE_LOG_LEVEL=debug",
		// Tests share their machine with other tests: what is measured is not
		// whether a loaded Redis answers within 100 ms.
		"TOLLGATE_REDIS_OP_TIMEOUT=250ms", "TOLLGATE_LOGIN_RATE=", // all log-ins come from one address
	}, settings...)
	s.mustServe()
	return s
}

// mustServe starts the process and waits until it is ready.
func (s *system) mustServe() {
	s.tb.Helper()
	s.mustStart()
	s.mustBeReady()
}

// mustStart starts the process, which ends with the test.
func (s *system) mustStart() {
	s.tb.Helper()
	binary := s.binary
	if binary == "" {
		binary = mustBinary(s.tb)
	}
	s.process = exec.Command(binary, "serve")
	s.process.Env = s.Env
	s.process.Stdout, s.process.Stderr = &s.logs, &s.logs
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func(p *exec.Cmd, exited chan struct{}) { _ = p.Wait(); close(exited) }(s.process, s.exited)
	s.tb.Cleanup(s.stop)
}

func (s *system) mustBeReady() {
	s.tb.Helper()
	s.eventually("ready", 20*time.Second, func() bool {
		res, err := http.Get(s.Ops + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

func (s *system) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		_ = s.process.Process.Kill()
		s.tb.Error("the process did not end within 10s of SIGTERM")
	}
}

// eventually waits for a condition that another process brings about.
func (s *system) eventually(what string, within time.Duration, ok func() bool) {
	s.tb.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
		select {
		case <-s.exited:
			s.tb.Fatalf("not %s: the process ended\n%s", what, &s.logs)
		default:
		}
	}
	s.tb.Fatalf("not %s within %s\n%s", what, within, &s.logs)
}

// reply is an answer with its body read.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// send makes a request. A body that is not a string goes as JSON; headers come in
// pairs.
func (s *system) send(method, url string, body any, headers ...string) (reply, error) {
	var payload io.Reader
	if text, ok := body.(string); ok {
		payload = strings.NewReader(text)
	} else if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		payload = bytes.NewReader(encoded)
		headers = append(headers, "Content-Type", "application/json")
	}
	req, err := http.NewRequest(method, url, payload)
	if err != nil {
		return reply{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: 20 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil {
		s.wantDescribed(req, res, string(text))
	}
	return reply{res.StatusCode, res.Header, string(text)}, err
}

func (s *system) mustSend(method, url string, body any, headers ...string) reply {
	s.tb.Helper()
	r, err := s.send(method, url, body, headers...)
	if err != nil {
		s.tb.Fatalf("%s %s: %v", method, url, err)
	}
	return r
}

type pair struct{ Access, Refresh string }

func (s *system) mustAddUser(name, password string) {
	s.tb.Helper()
	r := s.mustSend("POST", s.Admin+"/admin/v1/users", map[string]any{"username": name, "password": password}, bearer(rootToken)...)
	if r.Status != http.StatusCreated {
		s.tb.Fatalf("add user: %d %s", r.Status, r.Body)
	}
}

func (s *system) mustLogin(name, password string) pair {
	s.tb.Helper()
	r := s.mustSend("POST", s.Public+"/api/token/", map[string]string{"username": name, "password": password})
	var p pair
	if r.Status != http.StatusOK || json.Unmarshal([]byte(r.Body), &p) != nil || p.Access == "" {
		s.tb.Fatalf("log in: %d %s\n%s", r.Status, r.Body, &s.logs)
	}
	return p
}

// call asks the back end through the gateway.
func (s *system) call(access string) reply {
	s.tb.Helper()
	return s.mustSend("GET", s.Public+"/x", nil, bearer(access)...)
}

func (s *system) wantCall(access string, status int, reason string) {
	s.tb.Helper()
	if r := s.call(access); r.Status != status || reason != "" && !strings.Contains(r.Body, `"reason":"`+reason+`"`) {
		s.tb.Errorf("call: %d %s, want %d %s", r.Status, r.Body, status, reason)
	}
}

func (s *system) mustRevoke(body map[string]string) map[string]any {
	s.tb.Helper()
	r := s.mustSend("POST", s.Admin+"/admin/v1/revocations", body, bearer(rootToken)...)
	var out map[string]any
	if r.Status != http.StatusCreated || json.Unmarshal([]byte(r.Body), &out) != nil {
		s.tb.Fatalf("revoke: %d %s", r.Status, r.Body)
	}
	return out
}

// requests returns what reached the back end.
func (s *system) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.seen...)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// claimsOf decodes a token's claims without looking at its signature.
func claimsOf(tb testing.TB, raw string) map[string]any {
	tb.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		tb.Fatalf("not a token: %q", raw)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		tb.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		tb.Fatal(err)
	}
	return claims
}

// headerOf decodes a token's header.
func headerOf(tb testing.TB, raw string) map[string]any {
	tb.Helper()
	head, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		tb.Fatal(err)
	}
	var header map[string]any
	if err := json.Unmarshal(text, &header); err != nil {
		tb.Fatal(err)
	}
	return header
}
