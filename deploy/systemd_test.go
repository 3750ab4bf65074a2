package deploy_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestUnit: systemd takes every line of the unit, and finds little to say against
// what the service may do.
func TestUnit(t *testing.T) {
	analyze := mustTool(t, "systemd-analyze", "systemd")
	dir := t.TempDir()
	unit := strings.ReplaceAll(mustRead(t, "systemd/tollgate.service"), "/usr/bin/tollgate", built)
	file := filepath.Join(dir, "tollgate.service")
	if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", file}, {"security", "--offline=true", "--threshold=20", "--no-pager", file}} {
		out, err := exec.Command(analyze, args...).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
		if args[0] == "verify" && strings.Contains(string(out), "tollgate.service:") {
			t.Errorf("verify: %s", out)
		}
	}
}

// TestUnitSettings: the unit and the example name variables that exist, and the
// example with a routes file is a valid configuration.
func TestUnitSettings(t *testing.T) {
	env := map[string]string{}
	for line := range strings.Lines(mustRead(t, "systemd/tollgate.env.example")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	root := t.TempDir()
	unit := mustRead(t, "systemd/tollgate.service")
	given := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^LoadCredential=([a-z-]+):/etc/tollgate/secrets/`).FindAllStringSubmatch(unit, -1) {
		given[m[1]] = true
		mustPlace(t, filepath.Join(root, m[1]), "c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=")
	}
	for _, m := range regexp.MustCompile(`(?m)^Environment=(\w+)=%d/(\S+)$`).FindAllStringSubmatch(unit, -1) {
		if !given[m[2]] {
			t.Errorf("%s names a credential that nobody loads", m[1])
		}
		env[m[1]] = filepath.Join(root, m[2])
	}
	if len(given) != 3 {
		t.Errorf("credentials %v", given)
	}
	mustPlace(t, filepath.Join(root, "routes.yaml"), mustRead(t, "compose/routes.yaml"))
	env["TOLLGATE_ROUTES_FILE"] = filepath.Join(root, "routes.yaml")
	known := mustVariables(t)
	cmd := exec.Command(built, "validate")
	for name, value := range env {
		if !known[name] {
			t.Errorf("%s is no variable of tollgate", name)
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "warning:") {
		t.Errorf("%v\n%s", err, out)
	}
	// What is commented out has to be right too when somebody takes the # away.
	for lines := bufio.NewScanner(strings.NewReader(mustRead(t, "systemd/tollgate.env.example"))); lines.Scan(); {
		if name, _, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "#"), "="); ok && strings.HasPrefix(name, "TOLLGATE_") && !known[name] {
			t.Errorf("%s is no variable of tollgate", name)
		}
	}
}
