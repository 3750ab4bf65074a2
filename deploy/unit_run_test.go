package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/interop"
)

// directive returns a unit's values of one name.
func directive(unit, name string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^`+name+`=(.*)$`).FindAllStringSubmatch(unit, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestUnitRuns: the unit's own lines, with its environment file, as its user and within
// its bounds, beside a Redis with our configuration: it serves, writes where it may and
// nowhere else, and ends well. What systemd alone can do, its filter of system calls, is
// not part of it.
func TestUnitRuns(t *testing.T) {
	sysusers := mustTool(t, "systemd-sysusers", "systemd")
	mustTools(t, "unshare", "util-linux", "setpriv", "util-linux", "ip", "iproute2", "curl", "curl", "redis-server", "redis-server", "redis-cli", "redis-tools")
	if out, err := exec.Command("unshare", "-m", "-n", "sh", "-c", "mount --make-rprivate / && mount -t overlay -o lowerdir=/usr/sbin:/usr/bin overlay /usr/bin && mount -o remount,bind,ro /").CombinedOutput(); err != nil {
		t.Skipf("mounts in namespaces take root: %v %s", err, out)
	}
	root := mustOpenFolder(t)
	unit := mustRead(t, "systemd/tollgate.service")
	environment := mustMachine(t, root, unit, sysusers)
	mustPlace(t, filepath.Join(root, "run/environment"), strings.Join(environment, "\n"))

	script, err := filepath.Abs("testdata/unit.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "-n", "--kill-child", "--fork", "sh", script)
	cmd.WaitDelay = time.Minute
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "T=" + root, "OPERATOR=" + passwordOf("operator"),
		"START=" + directive(unit, "ExecStart")[0],
	}
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	said := string(text)
	for _, want := range []string{
		"== faulty 2\n", "== ready yes\n", "== log-in 200\n", "CapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n", "Umask: 0077\n",
		"== state tollgate 600\n", "configuration was reloaded", "== dumped 134\n", "== ended 0\n", `"msg":"stopped"`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	var may []string
	for _, m := range regexp.MustCompile(`(?m)^== ((?:writes|reads) .*)$`).FindAllStringSubmatch(said, -1) {
		may = append(may, m[1])
	}
	const wanted = "writes /var/lib/tollgate/x writes /tmp/x reads /etc/tollgate/tollgate.env reads /etc/tollgate/routes.yaml reads /run/credentials/tollgate.service/admin-token"
	if got := strings.Join(may, " "); got != wanted {
		t.Errorf("it %s\nwanted: %s", got, wanted)
	}
	if regexp.MustCompile(`Uid:.* 0\b|Gid:.* 0\b`).MatchString(said) {
		t.Errorf("it is root:\n%s", said)
	}
}

// mustOpenFolder is a folder that another user can pass, as those of tests cannot.
func mustOpenFolder(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "tollgate-unit-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// mustMachine writes what the READMEs of systemd/ and redis/ tell to put on a machine, and
// returns the service's environment.
func mustMachine(t *testing.T, root, unit, sysusers string) []string {
	t.Helper()
	mustDo := func(name string, args ...string) {
		t.Helper()
		interop.MustRun(t, ".", nil, name, args...)
	}
	in := func(name string) string { return filepath.Join(root, name) }
	mustDo("install", "-d", "-m", "0755", in("etc"), in("etc/redis"), in("bin"), in("lib"), in("run"), in("run/credentials"))
	mustDo("install", "-D", "-m", "0644", "systemd/tollgate.sysusers", in("usr/lib/sysusers.d/tollgate.conf"))
	mustDo(sysusers, "--root="+root)
	owner := regexp.MustCompile(`(?m)^tollgate:[^:]*:(\d+):(\d+):`).FindStringSubmatch(mustRead(t, root, "etc/passwd"))
	if owner == nil {
		t.Fatal("systemd-sysusers made no user tollgate")
	}
	mustDo("install", "-m", "0755", built, in("bin/tollgate"))
	mustPlace(t, in("users.acl"), shippedACL(t))
	mustDo("install", "-m", "0644", "redis/redis.conf", in("users.acl"), in("etc/redis/"))
	mustDo("install", "-d", "-m", "0750", "-g", owner[2], in("etc/tollgate"))
	mustDo("install", "-d", "-m", "0700", in("etc/tollgate/secrets"))
	mustDo("install", "-m", "0640", "-g", owner[2], "compose/routes.yaml", in("etc/tollgate/routes.yaml"))
	var environment []string
	for line := range strings.Lines(strings.ReplaceAll(mustRead(t, "systemd/tollgate.env.example"), "#TOLLGATE_", "TOLLGATE_")) {
		if strings.HasPrefix(line, "TOLLGATE_") {
			environment = append(environment, strings.TrimSpace(line))
		}
	}
	mustPlace(t, in("env"), strings.Join(environment, "\n"))
	mustDo("install", "-m", "0640", "-g", owner[2], in("env"), in("etc/tollgate/tollgate.env"))
	const credentials = "run/credentials/tollgate.service"
	mustDo("install", "-d", "-m", "0500", "-o", owner[1], in(credentials))
	secrets := map[string]string{
		"admin-token": "admin-token-of-the-unit-0123456789", "key-encryption-key": "c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=", "redis-password": passwordOf("tollgate-issuer"),
	}
	for _, load := range directive(unit, "LoadCredential") {
		name, file, _ := strings.Cut(load, ":")
		mustPlace(t, in(file), secrets[name])
		mustDo("install", "-m", "0400", "-o", owner[1], in(file), in(credentials+"/"+name))
	}
	for _, set := range directive(unit, "Environment") {
		environment = append(environment, strings.ReplaceAll(set, "%d", "/"+credentials))
	}
	return environment
}
