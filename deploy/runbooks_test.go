package deploy_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
}

// findings are commands that tell by their status that something is wrong, as it is.
var findings = regexp.MustCompile(`^tollgate (doctor|token explain)`)

// TestRunbooks: every command of every runbook, word for word but for addresses, run
// against a system in which most of it has happened: each works, and tells something.
func TestRunbooks(t *testing.T) {
	books, err := filepath.Glob("runbooks/*.md")
	if err != nil || len(books) < 20 {
		t.Fatalf("%d runbooks, %v", len(books), err)
	}
	c := mustCalamity(t)
	for _, book := range books {
		name := strings.TrimSuffix(filepath.Base(book), ".md")
		for _, line := range shellLines(mustRead(t, book)) {
			t.Run(name+"/"+strings.Fields(line)[0], func(t *testing.T) { c.run(t, line) })
		}
	}
}

// shellLines are the commands in a document's blocks of sh, without comments.
func shellLines(text string) []string {
	var lines []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && line != "" && !strings.HasPrefix(line, "#"):
			lines = append(lines, line)
		}
	}
	return lines
}

func (c *calamity) run(t *testing.T, line string) {
	word := strings.Fields(line)[0]
	if why := absent[word]; why != "" {
		t.Skipf("%s needs %s: %s", word, why, line)
	}
	if _, err := exec.LookPath(word); err != nil && (word == "chronyc" || word == "pidstat") {
		t.Skipf("no %s on PATH: %s", word, line)
	}
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
	cmd.Env, cmd.Dir, cmd.Stdin = env, t.TempDir(), strings.NewReader(c.token)
	cmd.WaitDelay = time.Second // what the shell has started may hold the output
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	mayBeQuiet := false
	for part := range quiet {
		mayBeQuiet = mayBeQuiet || strings.Contains(line, part)
	}
	switch {
	case endless && ctx.Err() != nil:
	case said.Len() > 0 && !findings.MatchString(line):
		t.Errorf("%s\ncomplains: %s", line, said.String())
	case err != nil && !findings.MatchString(line) && !mayBeQuiet:
		t.Errorf("%s\n%v\n%s", line, err, out)
	case len(out) == 0 && !mayBeQuiet:
		t.Errorf("%s\ntells nothing", line)
	}
	t.Logf("%s\n%.300s", line, out)
}
