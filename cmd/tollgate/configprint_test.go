package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// printed runs `config print -o json` and returns the settings by name.
func printed(t *testing.T, env map[string]string, args ...string) (settings map[string]printedSetting, text, errors string, code int) {
	t.Helper()
	setEnv(t, env)
	var out, errOut bytes.Buffer
	code = run(append([]string{"config", "print", "-o", "json"}, args...), strings.NewReader(""), &out, &errOut)
	var all []printedSetting
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &out, &errOut)
	}
	settings = map[string]printedSetting{}
	for _, s := range all {
		settings[s.Name] = s
	}
	return settings, out.String(), errOut.String(), code
}

func TestConfigPrint(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := with(map[string]string{
		"TOLLGATE_REDIS_URL": "redis://ada:hunter2@10.0.0.1:1/3", "TOLLGATE_REDIS_PASSWORD_FILE": file, "TOLLGATE_OPS_LISTEN": "",
		"TOLLGATE_REFRESH_TTL": "9000h", "TOLLGATE_KEY_PREPUBLISH": "90s", "TOLLGATE_LOG_LEVEL": "", "TOLLGATE_IDLE_TIMEOUT": "5m",
		"TOLLGATE_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1", "TOLLGATE_CLAIMS": "mail=email, staff=is_staff", "TOLLGATE_SIGNING_ALG": "RS256,ES256",
		"TOLLGATE_KEY_STORE": "file:/keys", "TOLLGATE_MAX_HEADER_BYTES": "32KiB", "TOLLGATE_LOGIN_CONCURRENCY": "7",
	})
	got, text, warnings, code := printed(t, env)
	if code != exitDone || !strings.Contains(warnings, "TOLLGATE_REFRESH_TTL is cut") {
		t.Errorf("exit %d: %s", code, warnings)
	}
	want := []struct {
		name, value string
		from        source
		note        string
	}{
		{"TOLLGATE_ISSUER", "https://id.example.com", fromEnvironment, ""},
		{"TOLLGATE_LISTEN", ":8080", fromDefault, ""},
		{"TOLLGATE_OPS_LISTEN", "", fromEnvironment, ""}, // empty means off
		{"TOLLGATE_LOG_LEVEL", "info", fromDefault, ""},  // empty means not set
		{"TOLLGATE_UPSTREAM", "http://127.0.0.1:8000", fromEnvironment, ""},
		{"TOLLGATE_ROUTES_FILE", "", fromDefault, ""},
		{"TOLLGATE_REDIS_URL", "redis://***@10.0.0.1:1/3", fromEnvironment, ""},
		{"TOLLGATE_REDIS_PASSWORD", "***", fromFile, ""},
		{"TOLLGATE_ADMIN_TOKEN", "***", fromEnvironment, ""},
		{"TOLLGATE_KEY_ENCRYPTION_KEY", "", fromDefault, ""},
		{"TOLLGATE_REFRESH_TTL", "720h", fromEnvironment, "cut to TOLLGATE_SESSION_MAX_TTL"},
		{"TOLLGATE_JWKS_MAX_AGE", "1m30s", fromDefault, "cut to TOLLGATE_KEY_PREPUBLISH"},
		{"TOLLGATE_LOGIN_CONCURRENCY", "7", fromEnvironment, ""},
		{"TOLLGATE_IDLE_TIMEOUT", "5m", fromEnvironment, ""},
		{"TOLLGATE_TRUSTED_PROXIES", "10.0.0.0/8,127.0.0.1/32", fromEnvironment, ""},
		{"TOLLGATE_CLAIMS", "mail=email,staff=is_staff", fromEnvironment, ""},
		{"TOLLGATE_SIGNING_ALG", "RS256,ES256", fromEnvironment, ""},
		{"TOLLGATE_KEY_STORE", "file:/keys", fromEnvironment, ""},
		{"TOLLGATE_USERS", "redis", fromDefault, ""},
		{"TOLLGATE_MAX_HEADER_BYTES", "32768", fromEnvironment, ""},
	}
	for _, w := range want {
		if g := got[w.name]; g.Value != w.value || g.Source != w.from || g.Note != w.note {
			t.Errorf("%s is %q from %s (%s), want %q from %s (%s)", w.name, g.Value, g.Source, g.Note, w.value, w.from, w.note)
		}
	}
	if len(got) != len(variablesOf(&Config{})) {
		t.Errorf("%d settings of %d", len(got), len(variablesOf(&Config{})))
	}
	for _, secret := range []string{"hunter2", testAdminToken, file, "ada"} {
		if strings.Contains(text+warnings, secret) {
			t.Errorf("it shows %q", secret)
		}
	}
	few, _, _, _ := printed(t, env, "--changed")
	if _, there := few["TOLLGATE_LISTEN"]; there || few["TOLLGATE_JWKS_MAX_AGE"].Note == "" || few["TOLLGATE_ISSUER"].Value == "" {
		t.Errorf("--changed: %v", few)
	}
}

func TestConfigPrintWithFaults(t *testing.T) {
	got, text, errors, code := printed(t, with(map[string]string{"TOLLGATE_LEEWAY": "soon", "TOLLGATE_REDIS_URL": "redis://:hunter2@", "TOLLGATE_ISSUER": "-"}))
	if code != exitUsage || !strings.Contains(errors, "3 faults") {
		t.Errorf("exit %d: %s", code, errors)
	}
	if g := got["TOLLGATE_LEEWAY"]; g.Value != "" || g.Note != `fault: "soon" is not a duration such as 300ms, 5m or 24h` {
		t.Errorf("%+v", g)
	}
	if got["TOLLGATE_LISTEN"].Value != ":8080" || strings.Contains(text+errors, "hunter2") {
		t.Errorf("%s\n%s", text, errors)
	}
}

// TestShowIsReadAgain: what is shown of a setting means the same when it is set.
func TestShowIsReadAgain(t *testing.T) {
	for _, u := range []string{
		"redis://h:1/2", "rediss://h:1/0", "unix:///run/r.sock?db=3", "redis+sentinel://h1:1,h2:2/my%20master/4", "rediss+cluster://h1:1,h2:2", "embedded:",
	} {
		var r RedisURL
		_ = r.Decode(u)
		if r.fault() != "" || r.show() != u {
			t.Errorf("%s is shown as %s (%s)", u, r.show(), r.fault())
		}
	}
	for _, u := range []string{"redis://u:hunter2@h", "unix://:hunter2@/s", "redis+sentinel://:hunter2@h/m?sentinel_password=hunter2", "rediss+cluster://hunter2@h"} {
		var r RedisURL
		_ = r.Decode(u)
		if r.fault() != "" || strings.Contains(r.show(), "hunter2") || !strings.Contains(r.show(), masked) {
			t.Errorf("%s is shown as %s (%s)", u, r.show(), r.fault())
		}
	}
	for _, text := range []string{"", "can_impersonate=true"} {
		var m ClaimMatch
		if err := m.Decode(text); err != nil || m.fault() != "" || m.show() != text {
			t.Errorf("%q is shown as %q (%v, %s)", text, m.show(), err, m.fault())
		}
	}
	var c Compat
	if err := c.Decode("drf-jwt, simplejwt"); err != nil || c.show() != "drf-jwt,simplejwt" {
		t.Errorf("profiles are shown as %q (%v)", c.show(), err)
	}
	for text, d := range map[string]time.Duration{
		"0s": 0, "5m": 5 * time.Minute, "1h": time.Hour, "1h5m": 65 * time.Minute, "1m30s": 90 * time.Second, "10h0m10s": 10*time.Hour + 10*time.Second, "20m": 20 * time.Minute, "100ms": 100 * time.Millisecond,
	} {
		if got := short(d); got != text {
			t.Errorf("short(%s) = %s, want %s", d, got, text)
		}
	}
}
