package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestManual: every command that the help shows has a page, which says what the help
// says, and no line of which is taken for a request that is none.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	var out, errOut strings.Builder
	if code := run([]string{"man", dir, "--date", "2026-01-31"}, strings.NewReader(""), &out, &errOut); code != exitDone {
		t.Fatalf("exit %d: %s", code, &errOut)
	}
	pages, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	wanted := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		wanted++
		text, err := os.ReadFile(filepath.Join(dir, manName(cmd)+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		page := string(text)
		for _, part := range []string{`"1" "2026-01-31"`, roff(cmd.Short), roff(cmd.UseLine()), ".SH DESCRIPTION"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s has no %q", manName(cmd), part)
			}
		}
		for line := range strings.Lines(page) {
			request, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(request, ".") && !strings.Contains(" .TH .SH .B .BR .nf .fi ", " "+request+" ") || strings.HasPrefix(request, "'") {
				t.Errorf("%s: the line %q", manName(cmd), line)
			}
		}
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	root := (&cli{}).root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	walk(root)
	if len(pages) != wanted || wanted < 30 {
		t.Errorf("%d pages, %d commands", len(pages), wanted)
	}
	if got := roff("a-b\\\n.dot\n'quote"); got != `a\-b\e`+"\n"+`\&.dot`+"\n"+`\&'quote` {
		t.Errorf("escaped: %q", got)
	}
	if code := run([]string{"man", filepath.Join(os.DevNull, "x")}, strings.NewReader(""), &out, &errOut); code != exitUsage {
		t.Errorf("a folder that cannot be: exit %d", code)
	}
}
