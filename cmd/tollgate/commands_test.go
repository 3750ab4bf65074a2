package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func tree() []*cobra.Command { return visible((&cli{}).root()) }

// tell runs the program in this process, with a text on standard input.
func tell(stdin string, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = run(args, strings.NewReader(stdin), &o, &e)
	return code, o.String(), e.String()
}

// TestCommands: all that was promised are there, and each says what it does with an
// example that begins as it is called.
func TestCommands(t *testing.T) {
	const promised = `dev serve validate routes-list routes-check keys-list keys-rotate keys-retire keys-revoke keys-import keys-export keys-reseal
		keys-jwks token-issue token-inspect token-verify token-explain revoke-jti revoke-session revoke-subject revoke-key revoke-all revoke-token
		unrevoke revocations-list recover sessions-list sessions-show sessions-revoke users-add users-passwd users-list users-disable users-enable
		users-import clients-add clients-list clients-rotate-secret clients-revoke admin-tokens-create
		admin-tokens-list admin-tokens-revoke audit edges doctor healthcheck config-print config-env completion version`
	there := map[string]bool{}
	for _, cmd := range tree() {
		there[strings.TrimPrefix(manName(cmd), "tollgate-")] = true
		if cmd.Short == "" || !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s: short %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Example)
		}
		code, help, _ := tell("", append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if code != exitDone || !strings.Contains(help, "Examples:\n") {
			t.Errorf("%s --help: exit %d\n%s", cmd.CommandPath(), code, help)
		}
	}
	for _, name := range strings.Fields(promised) {
		if !there[name] {
			t.Errorf("there is no %s", strings.ReplaceAll(name, "-", " "))
		}
	}
}

// TestExamplesParse: what an example says is taken as far as the flags and arguments.
func TestExamplesParse(t *testing.T) {
	call := regexp.MustCompile(`tollgate ((?:[^'|<>#;&)\n]|'[^'\n]*')+)`)
	word := regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
	n := 0
	for _, cmd := range tree() {
		for _, m := range call.FindAllStringSubmatch(cmd.Example, -1) {
			var args []string
			for _, w := range word.FindAllString(m[1], -1) {
				args = append(args, strings.Trim(w, `'"`))
			}
			found, rest, err := (&cli{}).root().Find(args)
			if err != nil {
				t.Errorf("%s: %q: %v", cmd.CommandPath(), m[0], err)
				continue
			}
			if err = found.ParseFlags(rest); err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %q: %v", cmd.CommandPath(), m[0], err)
			}
			n++
		}
	}
	if n < 50 {
		t.Errorf("only %d calls were found in the examples", n)
	}
}

// TestCommandsDoc: docs/commands.md is the help of all commands (-update writes it anew).
func TestCommandsDoc(t *testing.T) {
	const path = "../../docs/commands.md"
	var b strings.Builder
	b.WriteString(`# Commands

Made of the commands' own help: ` + "`go test ./cmd/tollgate -run TestCommandsDoc -update`" + ` writes it anew. ` + "`make man`" + ` makes manual pages
of the same, ` + "`tollgate completion`" + ` scripts for bash, zsh, fish and PowerShell.

Data goes to standard output, everything else to standard error. ` + "`-o json`" + ` is for programs: members may be added, none goes away.
A failure is told on standard error and by the exit code; with ` + "`-o json`, `validate` and `healthcheck`" + ` print it on standard output too.
Tokens and passwords come from standard input. What cannot be taken back shows what it would do and needs ` + "`--yes`" + `.
A value that begins with ` + "`-`" + ` goes behind a ` + "`--`" + `, after all flags: ` + "`tollgate keys revoke --yes -- -91IH…`" + `.
Commands that act on a running system use its [admin API](http-api.md): ` + "`--server`" + ` is where it is, ` + "`TOLLGATE_ADMIN_TOKEN`" + ` (or
` + "`TOLLGATE_ADMIN_TOKEN_FILE`" + `) what opens it.

| exit code | means |
|---|---|
| 0 | done |
| 1 | refused or failed: a token that is not valid, findings, a change that is not possible now |
| 2 | usage or configuration |
| 3 | the server or Redis cannot be reached, or cannot say |
| 4 | not authorised |
| 5 | not found |
`)
	for _, cmd := range tree() {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n```\n%s\n", cmd.CommandPath(), cmd.Short, cmd.UseLine())
		if usages := cmd.NonInheritedFlags().FlagUsages(); usages != "" {
			fmt.Fprintf(&b, "\n%s", usages)
		}
		fmt.Fprintf(&b, "```\n\n")
		if cmd.Long != "" && cmd.HasParent() {
			fmt.Fprintf(&b, "```\n%s\n```\n\n", cmd.Long)
		}
		fmt.Fprintf(&b, "```sh\n%s\n```\n", cmd.Example)
	}
	want := b.String()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != want {
		t.Errorf("docs/commands.md is not the commands' help: run this test with -update (%v)", err)
	}
}

// TestCompletion: a script for each shell, which bash reads, and the words it asks for.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, script, _ := tell("", "completion", shell)
		if code != exitDone || !strings.Contains(script, "tollgate") || strings.Count(script, "\n") < 50 {
			t.Errorf("%s: exit %d, %d bytes", shell, code, len(script))
		}
		bin, err := exec.LookPath(shell)
		if err != nil || shell == "powershell" {
			continue
		}
		path := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(bin, "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s does not read its script: %v %s", shell, err, out)
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "ksh"}, {"completion", "bash", "zsh"}} {
		if code, out, _ := tell("", args...); code != exitUsage || out != "" {
			t.Errorf("%v: exit %d %s", args, code, out)
		}
	}
	for line, want := range map[string]string{
		"keys\x00": "rotate", "revoke\x00s": "subject", "version\x00-o\x00": "json", "revocations\x00list\x00--kind\x00": "signed", "completion\x00": "fish", "": "doctor",
	} {
		code, out, _ := tell("", append([]string{"__complete"}, strings.Split(line, "\x00")...)...)
		if code != exitDone || !slices.ContainsFunc(strings.Split(out, "\n"), func(l string) bool { w, _, _ := strings.Cut(l, "\t"); return w == want }) {
			t.Errorf("%q is not completed to %s: exit %d\n%s", line, want, code, out)
		}
	}
}

// TestManPages: a page for each command, without a complaint of groff's.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if code, _, errOut := tell("", "man", dir); code != exitDone {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "tollgate*.1"))
	if err != nil || len(pages) != len(tree()) {
		t.Fatalf("%d pages for %d commands, %v", len(pages), len(tree()), err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH EXIT STATUS"} {
			if !strings.Contains(string(text), "\n"+section) && !strings.HasPrefix(string(text), section) {
				t.Errorf("%s has no %s", path, section)
			}
		}
	}
	if got := roff(".a-b\\c…\n.d\n'e."); got != "\\&.a\\-b\\ec\\[u2026]\n\\&.d\n\\&'e." {
		t.Errorf("%q", got)
	}
	groff, err := exec.LookPath("groff")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("groff is not installed (Debian: groff-base)")
	} else if err != nil {
		t.Skip("groff is not installed (Debian: groff-base)")
	}
	for _, path := range pages {
		if out, err := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v %s", path, err, out)
		}
	}
	if code, _, _ := tell("", "man", filepath.Join(pages[0], "below-a-file")); code != exitRefused {
		t.Errorf("a directory that cannot be: exit %d", code)
	}
}
