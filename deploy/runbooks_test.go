package deploy_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// absent are commands that need what a machine of tests has not got. They are skipped by
// their names.
var absent = map[string]string{
	"systemctl": "systemd as the first process",
}

// quiet are lines that may print nothing where nothing is wrong, and why nothing is made
// to go wrong for them here.
var quiet = map[string]string{
	"grep fail_mode_total":        "counts nothing while no route has on_unavailable: allow",
	"grep 'let through although'": "the same in the log",
	`test("audit log")`:           "the audit log loses nothing while Redis answers",
	"grep -i certificate":         "the test's listener has none",
	"tollgate_tls_handshake":      "the same",
	"sport = :443":                "nobody is connected to these ports",
	"slowlog get":                 "nothing need have been slow",
	"acl log":                     "nothing need have been refused",
}

func mayBeQuiet(line string) bool {
	for part := range quiet {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// findings are commands that tell by their status that something is wrong, as it is.
var findings = regexp.MustCompile(`^tollgate (doctor|token explain)`)

// refusedByRedis is what redis-cli prints, on standard output and with status 0, when
// Redis will not.
var refusedByRedis = regexp.MustCompile(`(?m)^(?:\(error\) )?(?:ERR|NOAUTH|NOPERM|WRONGPASS|MOVED|READONLY|NOQUORUM)\b`)

// TestRunbooks: every command of every runbook, word for word but for addresses, run
// against a system in which most of it has happened, on a Redis with exactly the access
// list that we ship: each works, and tells something.
func TestRunbooks(t *testing.T) {
	books := mustBooks(t)
	c := mustCalamity(t)
	for _, name := range slices.Sorted(maps.Keys(books)) {
		for _, line := range append(shellLines(books[name]), redisInline(books[name])...) {
			t.Run(name+"/"+strings.Fields(line)[0], func(t *testing.T) { c.run(t, line) })
		}
	}
	c.redis.wantNothingRefused()

	// That this would show what it is for:
	for name, env := range map[string]string{"without a password": "REDISCLI_AUTH=", "with another": "REDISCLI_AUTH=wrong"} {
		t.Run(name, func(t *testing.T) {
			for _, line := range []string{`redis-cli -u "$REDIS_NODE" --user operator info server | grep uptime`, `redis-cli -u "$REDIS_NODE" --user operator slowlog get 10`} {
				if out, fault := c.try(t, line, env); fault == "" {
					t.Errorf("%s\n%s", line, out)
				}
			}
		})
	}
	for _, line := range []string{`redis-cli -u "$REDIS_NODE" --user tollgate-edge slowlog get 10`, `redis-cli -u "$REDIS_NODE" --user tollgate-issuer config get dir`} {
		user := regexp.MustCompile(`--user (\S+)`).FindStringSubmatch(line)[1]
		if out, fault := c.try(t, line, "REDISCLI_AUTH="+passwordOf(user)); !strings.Contains(fault, "NOPERM") {
			t.Errorf("%s\n%s%s", line, out, fault)
		}
	}
}

// mustBooks returns the runbooks' texts by name. Their README has the words that come
// before: TestRunbooksFindRedis and TestRunbooksEnvironment.
func mustBooks(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("runbooks/*.md")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d runbooks, %v", len(files), err)
	}
	books := map[string]string{}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".md"); name != "README" {
			books[name] = mustRead(t, file)
		}
	}
	return books
}

// shellBlocks are a document's blocks of sh, without comments that have a line of
// their own.
func shellBlocks(text string) (blocks []string) {
	var block strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			if inside {
				blocks = append(blocks, block.String())
				block.Reset()
			}
			inside = line == "```sh"
		case inside && line != "" && !strings.HasPrefix(line, "#"):
			block.WriteString(line + "\n")
		}
	}
	return blocks
}

// shellLines are the commands in a document's blocks of sh.
func shellLines(text string) []string {
	return strings.Split(strings.TrimSpace(strings.Join(shellBlocks(text), "")), "\n")
}

// redisInline are the whole commands of Redis in a document's sentences.
func redisInline(text string) (lines []string) {
	for _, m := range regexp.MustCompile("`((?:env -u REDISCLI_AUTH )?redis-cli [^`]+)`").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "…") {
			lines = append(lines, m[1])
		}
	}
	return lines
}

func (c *calamity) run(t *testing.T, line string) {
	t.Helper()
	word := strings.Fields(line)[0]
	if why := absent[word]; why != "" {
		t.Skipf("%s needs %s: %s", word, why, line)
	}
	if _, err := exec.LookPath(word); err != nil && (word == "chronyc" || word == "pidstat") {
		t.Skipf("no %s on PATH: %s", word, line)
	}
	var out, fault string
	// On a busy machine a node or a Sentinel may be late, and is taken for dead for a while;
	// and a line of the log or a metric may come a moment after what it tells of.
	patience := 10 * time.Second
	if strings.Contains(line, "$SENTINEL") || strings.Contains(line, "--cluster") {
		patience = 30 * time.Second
	}
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		if out, fault = c.try(t, line); fault == "" || time.Now().After(end) {
			break
		}
	}
	if fault != "" {
		t.Errorf("%s\n%s", line, fault)
	}
	t.Logf("%s\n%.300s", line, out)
}

// try runs a command and returns what it printed, and what is wrong with that.
func (c *calamity) try(t *testing.T, line string, more ...string) (out, fault string) {
	t.Helper()
	text, env := c.placed(t, line)
	if err := os.WriteFile(c.journal, []byte(c.gate.Output()), 0o600); err != nil {
		t.Fatal(err)
	}
	limit := 30 * time.Second
	endless := strings.Contains(line, "# end it")
	if endless {
		limit = 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", text)
	cmd.Env, cmd.Dir, cmd.Stdin = append(env, more...), t.TempDir(), strings.NewReader(c.token)
	cmd.WaitDelay = time.Second // what the shell has started may hold the output
	var said strings.Builder
	cmd.Stderr = &said
	printed, err := cmd.Output()
	out = string(printed)
	silent := mayBeQuiet(line)
	switch {
	case strings.Contains(line, "redis-cli") && refusedByRedis.MatchString(out):
		fault = "is refused: " + out
	case endless && ctx.Err() != nil:
	case said.Len() > 0 && !findings.MatchString(line):
		fault = "complains: " + said.String()
	case err != nil && !findings.MatchString(line) && !silent:
		fault = err.Error() + "\n" + out
	case out == "" && !silent:
		fault = "tells nothing"
	}
	return out, fault
}
