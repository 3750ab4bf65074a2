package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestValuesBehindDashes: for every command that takes values, whatever stands behind a
// "--" is one, although it begins with a hyphen.
func TestValuesBehindDashes(t *testing.T) {
	values := []string{"-oabc", "--yes", "-h91"}
	tried := 0
	for _, known := range tree() {
		path := strings.Fields(known.CommandPath())[1:]
		for n := 1; n <= len(values); n++ {
			root := (&cli{}).root()
			cmd, _, err := root.Find(path)
			if err != nil {
				t.Fatal(err)
			}
			if cmd.ValidateArgs(values[:n]) != nil {
				continue
			}
			var got []string
			cmd.RunE = func(_ *cobra.Command, args []string) error { got = args; return nil }
			root.SetArgs(append(slices.Clone(path), append([]string{"--"}, values[:n]...)...))
			if err := root.ExecuteContext(t.Context()); err != nil || !slices.Equal(got, values[:n]) {
				t.Errorf("%s: %q, %v", cmd.CommandPath(), got, err)
			}
			tried++
			break
		}
	}
	if tried < 20 {
		t.Errorf("only %d commands take values", tried)
	}
}

// TestTakenForFlags: a value that was taken for flags is told where it goes, and nothing
// that looks like success is shown.
func TestTakenForFlags(t *testing.T) {
	t.Setenv("TOLLGATE_ADMIN_TOKEN", "not-a-real-token-but-long-enough-0123456789")
	for _, value := range []string{
		"-91IH251tq-wDDrsGiNByekJEYQhVSmwjUJ0YQGHotw", "-oabc", "-ojsonabc", "-habc", "-hoabc", "-hojson9", "-hhoabc", "-ho", "--91IH251tq", "--ab=c", "---abc", "--=abc", "-o=abc",
	} {
		for _, call := range [][]string{{"keys", "revoke", value, "--yes"}, {"keys", "revoke", "--yes", value}, {"revoke", "subject", value}, {"revoke", "key", value, "--yes"}, {"users", "disable", value}} {
			call = append(call, "--server", "http://127.0.0.1:1")
			code, out, errOut := tell("", call...)
			if code != exitUsage || out != "" || !strings.Contains(errOut, "behind a --") || !strings.Contains(errOut, "-- "+value+")") {
				t.Errorf("%q: exit %d %q %q", call, code, out, errOut)
			}
			call = append(slices.DeleteFunc(call, func(a string) bool { return a == value }), "--", value)
			if call[0] == "revoke" {
				call = slices.Insert(call, 2, "--yes")
			}
			if code, _, errOut := tell("", call...); code != exitUnreachable {
				t.Errorf("%q: exit %d %q", call, code, errOut)
			}
		}
	}
}

// TestNoNeedlessHint: an error that is about something else is told as it is.
func TestNoNeedlessHint(t *testing.T) {
	for _, call := range [][]string{
		{"keys", "revoke"}, {"keys", "revoke", "-ojson"}, {"keys", "revoke", "-o=table"}, {"keys", "revoke", "-o", "json"}, {"keys", "revoke", "--yes", "--output", "yaml", "k"},
		{"keys", "revoke", "--", "-oabc", "k"}, {"nothing"}, {"keys", "list", "-o", "yaml"},
	} {
		if code, _, errOut := tell("", call...); code != exitUsage || strings.Contains(errOut, "behind a --") {
			t.Errorf("%q: exit %d %q", call, code, errOut)
		}
	}
	for _, call := range [][]string{{"keys", "revoke", "-h"}, {"keys", "revoke", "-h", "-ojson"}, {"--help"}, {"help", "keys", "revoke"}} {
		if code, out, errOut := tell("", call...); code != exitDone || !strings.Contains(out, "Usage:") {
			t.Errorf("%q: exit %d %q", call, code, errOut)
		}
	}
}
