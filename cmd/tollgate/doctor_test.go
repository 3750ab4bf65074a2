package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// mustDoctor returns a doctor for a whole configuration; files as serve reads them.
func mustDoctor(t *testing.T, env map[string]string) *doctor {
	t.Helper()
	setEnv(t, with(env))
	config, table, specs, err := readAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &doctor{config: config, table: table, specs: specs, now: time.Now}
}

// anyPort lets nobody of the test's machine be in the way.
func anyPort(env map[string]string) map[string]string {
	out := map[string]string{"TOLLGATE_LISTEN": "127.0.0.1:0", "TOLLGATE_ADMIN_LISTEN": "127.0.0.1:0", "TOLLGATE_OPS_LISTEN": ""}
	for name, value := range env {
		out[name] = value
	}
	return out
}

func TestDoctorOnADeadAddress(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", testkit.MustFreePort(t))
	d := mustDoctor(t, anyPort(map[string]string{
		"TOLLGATE_REDIS_URL": "redis://:hunter2@" + address, "TOLLGATE_KEY_STORE": "file:" + filepath.Join(t.TempDir(), "keys"), "TOLLGATE_UNHEARD_OF": "x",
	}))
	if err := d.examine(t.Context()); codeOf(err) != exitUnreachable {
		t.Errorf("exit %d: %v", codeOf(err), err)
	}
	r := d.report()
	wantFindings(t, r.Findings,
		"error redis.reach: it does not answer: ", "warning configuration.warning: TOLLGATE_UNHEARD_OF is unknown",
		"info keys.ring: there is no key ring yet")
	if got := fmt.Sprintf("%+v", r); strings.Contains(got, "hunter2") {
		t.Errorf("the password is shown: %s", got)
	}
	if got := strings.Join(r.Looked, " "); got != "configuration files listeners redis keys" {
		t.Errorf("looked at %s", got)
	}
}

func TestDoctorWithWrongCredentials(t *testing.T) {
	server := testkit.MustStartRedis(t)
	mustConfigSet(t, testkit.MustClient(t, server.Addr), "requirepass", "right")
	for _, url := range []string{server.URL, "redis://:hunter2@" + server.Addr} {
		d := mustDoctor(t, anyPort(map[string]string{"TOLLGATE_REDIS_URL": url}))
		if err := d.examine(t.Context()); codeOf(err) != exitUsage {
			t.Errorf("exit %d: %v", codeOf(err), err)
		}
		wantFindings(t, d.report().Findings, "error redis.credentials")
	}
	d := mustDoctor(t, anyPort(map[string]string{"TOLLGATE_REDIS_URL": server.URL, "TOLLGATE_REDIS_PASSWORD": "right"}))
	if err := d.examine(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestValidateOnlineWithWrongCredentials ends as the start and the doctor do: the
// configuration is at fault, and Redis was reached.
func TestValidateOnlineWithWrongCredentials(t *testing.T) {
	server := testkit.MustStartRedis(t)
	mustConfigSet(t, testkit.MustClient(t, server.Addr), "requirepass", "right")
	setIssuerAlone(t)
	for url, want := range map[string]int{server.URL: exitUsage, "redis://:hunter2@" + server.Addr: exitUsage, "redis://:right@" + server.Addr: exitDone} {
		t.Setenv("TOLLGATE_REDIS_URL", url)
		code, _, told := tell("", "validate", "--online")
		if code != want || want != exitDone && !strings.Contains(told, "TOLLGATE_REDIS_PASSWORD") || strings.Contains(told, "hunter2") {
			t.Errorf("exit %d, want %d: %s", code, want, told)
		}
	}
}

func TestDoctorWithoutRedis(t *testing.T) {
	d := mustDoctor(t, anyPort(map[string]string{"TOLLGATE_REDIS_URL": "embedded:"}))
	if err := d.examine(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, d.report().Findings, "warning redis.embedded")
}

func TestDoctorOnListeners(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	live := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(live.Close)
	broken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(broken.Close)
	address := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	tests := []struct {
		name, listen, ops string
		want              []string
	}{
		{name: "free", listen: "127.0.0.1:0"},
		{name: "off", listen: "127.0.0.1:0", ops: ""},
		{name: "taken by another", listen: taken.Addr().String(), ops: "127.0.0.1:1", want: []string{
			"error listeners.address: " + taken.Addr().String() + " is taken by another program", "error listeners.address: 127.0.0.1:1 ",
		}},
		{name: "taken, nobody to ask", listen: taken.Addr().String(), want: []string{"warning listeners.address: " + taken.Addr().String() + " is taken"}},
		{name: "the server runs", listen: taken.Addr().String(), ops: address(live)},
		{name: "another server runs", listen: taken.Addr().String(), ops: address(broken), want: []string{"error listeners.address", "error listeners.address"}},
		{name: "not of this machine", listen: "192.0.2.1:8080", want: []string{"error listeners.address: 192.0.2.1:8080 is no address of this machine"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ops == "127.0.0.1:1" {
				if l, err := net.Listen("tcp", tt.ops); err == nil { // whoever may open it finds one fault less
					l.Close()
					tt.want = tt.want[:1]
				}
			}
			d := mustDoctor(t, map[string]string{"TOLLGATE_LISTEN": tt.listen, "TOLLGATE_ADMIN_LISTEN": "", "TOLLGATE_OPS_LISTEN": tt.ops})
			d.listeners(t.Context())
			wantFindings(t, d.findings, tt.want...)
		})
	}
}

func TestDoctorOnFiles(t *testing.T) {
	dir := t.TempDir()
	secret, keys := filepath.Join(dir, "admin"), filepath.Join(dir, "keys")
	if err := os.WriteFile(secret, []byte("hunter2-hunter2-hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	ring := filepath.Join(keys, "ring.json")
	if err := os.WriteFile(ring, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name              string
		secret, dir, ring os.FileMode
		want              []string
	}{
		{"private", 0o600, 0o700, 0o600, nil},
		{"of a group", 0o640, 0o750, 0o600, nil},
		{"read by all", 0o644, 0o700, 0o600, []string{"warning files.mode: every user of this machine may read it (mode 0644)"}},
		{"changed by the group", 0o660, 0o700, 0o600, []string{"error files.mode: others than its owner may change it (mode 0660)"}},
		{"changed by all", 0o600, 0o777, 0o600, []string{"error files.mode: others than its owner may change it (mode 0777)"}},
		{"keys read by all", 0o600, 0o755, 0o604, []string{"warning files.mode: every user of this machine may read it (mode 0755)", "warning files.mode: every user of this machine may read it (mode 0604)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for path, mode := range map[string]os.FileMode{secret: tt.secret, keys: tt.dir, ring: tt.ring} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			d := mustDoctor(t, map[string]string{"TOLLGATE_ADMIN_TOKEN": "-", "TOLLGATE_ADMIN_TOKEN_FILE": secret, "TOLLGATE_KEY_STORE": "file:" + keys})
			d.files()
			wantFindings(t, d.findings, tt.want...)
			if got := brief(d.findings); strings.Contains(got, "hunter2") || strings.Contains(got, secret) {
				t.Errorf("a secret or its file is shown:\n%s", got)
			}
		})
	}
}

func TestDoctorOnCertificates(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		name string
		at   time.Duration // from now
		want []string
	}{
		{"good", 0, nil},
		{"fifteen days left", 75 * day, nil},
		{"thirteen days left", 77*day - time.Hour, []string{"warning certificates.expiry: the certificate expires at"}},
		{"expired", 91 * day, []string{"error certificates.expiry: the certificate has expired at"}},
		{"not yet valid", -1001 * time.Hour, []string{"error certificates.expiry: the certificate is not valid before"}},
	}
	f := mustTLSFiles(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustDoctor(t, f.env())
			d.now = func() time.Time { return time.Now().Add(tt.at) }
			d.certificates()
			wantFindings(t, d.findings, tt.want...)
			d = mustDoctor(t, map[string]string{"TOLLGATE_REDIS_URL": "rediss://127.0.0.1:1", "TOLLGATE_REDIS_CA_FILE": f.cert})
			d.now = func() time.Time { return time.Now().Add(tt.at) }
			d.certificates()
			wantFindings(t, d.findings, tt.want...)
		})
	}
}
