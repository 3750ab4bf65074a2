package deploy_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// mustRule gives a server of the test kit the users that we ship, but for default, by
// whom the kit itself asks.
func mustRule(t *testing.T, addr string) redis.UniversalClient {
	t.Helper()
	client := testkit.MustClient(t, addr)
	for line := range strings.Lines(shippedACL(t)) {
		words := strings.Fields(line)
		if words[1] == "default" {
			continue
		}
		args := []any{"ACL", "SETUSER"}
		for _, w := range words[1:] {
			args = append(args, w)
		}
		if err := client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

// ofSentinel are pairs for a replacer: the kit's Sentinel in place of the one of the
// documents.
func ofSentinel(s *testkit.RedisSentinel) []string {
	host, port, _ := strings.Cut(s.Sentinels[0].Addr, ":")
	return []string{
		"SENTINEL=10.0.0.11", "SENTINEL=" + host, "-p 26379", "-p " + port,
		"get-master-addr-by-name tollgate", "get-master-addr-by-name mymaster", "ckquorum tollgate", "ckquorum mymaster",
		"sentinels tollgate", "sentinels mymaster", "reset tollgate", "reset mymaster",
	}
}

// TestRunbooksFindRedis: with what the runbooks' README says for one server, for Sentinels
// and for a Cluster, and after it, the runbooks' lines of Redis work, as the user operator
// and with a password that is no argument.
func TestRunbooksFindRedis(t *testing.T) {
	mustTools(t, "redis-cli", "redis-tools", "bash", "bash")
	var lines []string
	for _, text := range mustBooks(t) {
		for _, line := range shellLines(text) {
			if strings.Contains(line, "redis-cli -u") && !strings.Contains(line, "# end it") && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if slices.Sort(lines); len(lines) < 12 {
		t.Fatalf("only %d lines", len(lines))
	}
	blocks := shellBlocks(mustRead(t, "runbooks/README.md"))
	block := func(part string) string {
		t.Helper()
		at := slices.IndexFunc(blocks, func(b string) bool { return strings.Contains(b, part) })
		if at < 0 {
			t.Fatalf("the README has no %s", part)
		}
		return blocks[at]
	}
	password := block("read -rs REDISCLI_AUTH")
	one := mustGuarded(t)
	one.mustShip()
	sentinel, cluster := testkit.MustStartSentinel(t), testkit.MustStartCluster(t)
	for name, shape := range map[string]struct {
		block   string
		replace []string
		servers []*testkit.RedisServer
		more    []string
	}{
		"one server": {block: block("redis://127.0.0.1:6379"), replace: []string{"127.0.0.1:6379", one.addr}},
		"sentinel":   {block: block("get-master-addr-by-name"), replace: ofSentinel(sentinel), servers: sentinel.Servers},
		"cluster": {
			block: block("--cluster call"), replace: []string{"10.0.0.21:6379", cluster.Addrs()[1]}, servers: cluster.Nodes,
			more: []string{`redis-cli --user operator --cluster check "${REDIS_NODE#*://}"`, `redis-cli --user operator --cluster call "${REDIS_NODE#*://}" info memory`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var behind []redis.UniversalClient
			for _, s := range shape.servers {
				behind = append(behind, mustRule(t, s.Addr))
			}
			before := password + strings.NewReplacer(shape.replace...).Replace(shape.block)
			for _, line := range slices.Concat([]string{"true"}, lines, shape.more) {
				var fault string
				// As in TestRunbooks; one server has no such excuse.
				for end := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
					if fault = complaint(t, before, line); fault == "" || shape.servers == nil || time.Now().After(end) {
						break
					}
				}
				if fault != "" {
					t.Errorf("%s\n%s", line, fault)
				}
			}
			for _, c := range behind {
				log, err := c.ACLLog(t.Context(), 100).Result()
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range log {
					t.Errorf("refused to %s: %s %s", e.Username, e.Reason, e.Object)
				}
			}
		})
	}
	one.wantNothingRefused()
}

// complaint is what is wrong with a line of Redis after what comes before it.
func complaint(t *testing.T, before, line string) string {
	t.Helper()
	out, err := runShell(t, before+"echo ==\n"+line, passwordOf("operator")+"\n")
	_, own, _ := strings.Cut(out, "==\n")
	switch {
	case err != nil:
		return err.Error()
	case refusedByRedis.MatchString(out) || line != "true" && strings.TrimSpace(own) == "" && !mayBeQuiet(line):
		return out
	}
	return ""
}

// runShell runs a script with bash. It is an error if that complains.
func runShell(t *testing.T, script, stdin string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", script)
	cmd.Env, cmd.Dir, cmd.Stdin = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...), t.TempDir(), strings.NewReader(stdin)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		return string(out), errors.Join(err, fmt.Errorf("%s\n%s%s", script, out, said.String()))
	}
	return string(out), nil
}

// TestRunbooksByTLS: rediss:// and the authority in the environment are enough.
func TestRunbooksByTLS(t *testing.T) {
	mustTools(t, "redis-cli", "redis-tools", "bash", "bash")
	readme := mustRead(t, "runbooks/README.md")
	if !strings.Contains(readme, "export SSL_CERT_FILE=/etc/redis/tls/ca.crt\n") || !strings.Contains(readme, "`rediss://`") {
		t.Fatal("the README says it in other words")
	}
	pair, port := interop.MustCertificate(t), testkit.MustFreePort(t)
	mustGuarded(t, "--tls-port", fmt.Sprint(port), "--tls-cert-file", pair.CertFile, "--tls-key-file", pair.KeyFile, "--tls-auth-clients", "no")
	before := fmt.Sprintf("export SSL_CERT_FILE=%s REDIS_NODE=rediss://127.0.0.1:%d\n", pair.CertFile, port)
	out, err := runShell(t, before+`redis-cli -u "$REDIS_NODE" --user operator acl whoami`, "", "REDISCLI_AUTH="+passwordOf("operator"))
	if err != nil || out != "operator\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestRunbooksEnvironment: what the README says to give a shell is what the unit gives
// the process: `tollgate validate` takes it.
func TestRunbooksEnvironment(t *testing.T) {
	mustTools(t, "bash", "bash")
	etc := t.TempDir()
	mustPlace(t, filepath.Join(etc, "tollgate.env"), mustRead(t, "systemd/tollgate.env.example"))
	mustPlace(t, filepath.Join(etc, "routes.yaml"), mustRead(t, "compose/routes.yaml"))
	unit := mustRead(t, "systemd/tollgate.service")
	for _, load := range directive(unit, "LoadCredential") {
		_, file, _ := strings.Cut(load, ":")
		mustPlace(t, strings.Replace(file, "/etc/tollgate", etc, 1), "c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=")
	}
	block := shellBlocks(mustRead(t, "runbooks/README.md"))[0]
	script := strings.ReplaceAll(block, "/etc/tollgate", etc)
	script = strings.Replace(script, "set +a\n", "set +a\nTOLLGATE_ROUTES_FILE="+etc+"/routes.yaml\n", 1) + "env | cut -d= -f1\n"
	out, err := runShell(t, script, "", "PATH="+filepath.Dir(built)+":"+os.Getenv("PATH"))
	if err != nil || !strings.HasPrefix(out, "the configuration is valid\n") {
		t.Errorf("%s, %v", out, err)
	}
	for _, set := range directive(unit, "Environment") {
		name, value, _ := strings.Cut(set, "=")
		if strings.HasPrefix(value, "%d/") && !strings.Contains(out, "\n"+name+"\n") {
			t.Errorf("the unit gives %s, the README does not", name)
		}
	}
}

// TestLinesOfRedis: in every document each line of redis-cli names its user, or asks a
// Sentinel, which has none; and none has a password among its arguments.
func TestLinesOfRedis(t *testing.T) {
	found := map[string]int{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text := mustRead(t, "..", name)
		for _, line := range append(strings.Split(strings.Join(shellBlocks(text), ""), "\n"), redisInline(text)...) {
			for _, call := range regexp.MustCompile(`redis-cli [^|;)]+`).FindAllString(line, -1) {
				found[name]++
				if !strings.Contains(call, "--user operator") && !strings.Contains(call, "-p 26379 sentinel ") {
					t.Errorf("%s: %s: as whom?", name, call)
				}
				if regexp.MustCompile(`\s(-a|--pass)\s|://[^/\s]*@`).MatchString(call) {
					t.Errorf("%s: %s: the password is in the list of processes", name, call)
				}
			}
		}
		return nil
	})
	if err != nil || len(found) < 8 {
		t.Errorf("%v, %v", slices.Sorted(maps.Keys(found)), err)
	}
}
