package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// follower is `tollgate audit --follow` as a process of its own.
type follower struct {
	tb      testing.TB
	cmd     *exec.Cmd
	lines   chan string
	errors  lockedBuffer
	stdout  io.Closer
	arrived []string
}

func mustFollower(t *testing.T, s *system, args ...string) *follower {
	t.Helper()
	f := &follower{tb: t, lines: make(chan string, 1000)}
	f.cmd = exec.CommandContext(t.Context(), mustBinary(t), append([]string{"audit", "--follow", "--server", s.Admin}, args...)...)
	f.cmd.Env, f.cmd.Stderr = []string{"TOLLGATE_ADMIN_TOKEN=" + rootToken}, &f.errors
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	f.stdout = out
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			f.lines <- scan.Text()
		}
		close(f.lines)
	}()
	return f
}

// wantLine waits for a line with all of these in it.
func (f *follower) wantLine(parts ...string) {
	f.tb.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case line, open := <-f.lines:
			f.arrived = append(f.arrived, line)
			if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
				return
			}
			if open {
				continue
			}
		case <-late:
		}
		f.tb.Fatalf("no line with %q:\n%s\n%s", parts, strings.Join(f.arrived, "\n"), f.errors.String())
	}
}

// TestAuditFollow: the last lines, then each as it is written, over a restart of the
// server, once each; and a clean end.
func TestAuditFollow(t *testing.T) {
	s := mustSystem(t)
	s.mustRevoke(map[string]string{"kind": "jti", "value": "before-0"})
	s.mustRevoke(map[string]string{"kind": "jti", "value": "before-1"})
	f := mustFollower(t, s, "--action", "revocation", "-o", "json", "--limit", "1")
	f.wantLine(`"target":"before-1"`, `"outcome":"done"`)
	table := mustFollower(t, s)
	table.wantLine("WHEN", "OUTCOME")
	s.mustRevoke(map[string]string{"kind": "jti", "value": "while"})
	f.wantLine(`"target":"while"`)
	table.wantLine("bootstrap (admin)", "revocation.add", "while", "done")

	s.stop()
	s.eventually("followers that wait for a server", 30*time.Second, func() bool { return strings.Contains(f.errors.String(), "asking again") })
	s.mustServe()
	s.mustRevoke(map[string]string{"kind": "jti", "value": "after"})
	f.wantLine(`"target":"after"`)
	var targets []string
	for _, line := range f.arrived {
		var i auditItem
		if err := json.Unmarshal([]byte(line), &i); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		targets = append(targets, i.Target)
	}
	if want := []string{"before-1", "while", "after"}; !slices.Equal(targets, want) {
		t.Errorf("told %q, want %q", targets, want)
	}
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Wait(); err != nil || strings.Count(f.errors.String(), "\n") != 1 {
		t.Errorf("SIGINT: %v\n%s", err, f.errors.String())
	}
	// Whoever reads has gone, as with `| head -1`: the next line ends it, without a word.
	quiet := table.errors.String()
	_ = table.stdout.Close()
	s.mustRevoke(map[string]string{"kind": "jti", "value": "unread"})
	_ = table.cmd.Wait()
	if status, ok := table.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGPIPE || table.errors.String() != quiet {
		t.Errorf("SIGPIPE: %v\n%s", table.cmd.ProcessState, table.errors.String())
	}
}

// TestAuditFollowRefuses: what cannot be followed ends at once.
func TestAuditFollowRefuses(t *testing.T) {
	t.Setenv("TOLLGATE_ADMIN_TOKEN", rootToken)
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"audit", "--follow", "--server", "http://127.0.0.1:1"}, exitUnreachable},
		{[]string{"audit", "--follow", "--until", "1h"}, exitUsage},
		{[]string{"audit", "--follow", "--limit", "-1"}, exitUsage},
		{[]string{"audit", "--limit", "0"}, exitUsage},
	} {
		if code := run(c.args, strings.NewReader(""), io.Discard, io.Discard); code != c.code {
			t.Errorf("%v: exit %d, want %d", c.args, code, c.code)
		}
	}
}
