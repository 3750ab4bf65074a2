package interop

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// Process is a program that a test started. It ends with the test, by its own
// id, and with the test's process whatever becomes of that.
type Process struct {
	t       *testing.T
	cmd     *exec.Cmd
	log     testkit.Buffer // both streams together
	done    chan struct{}  // closed when it has ended
	err     error          // of its end; read after done
	stopped bool           // it was told to end
	brief   bool           // it may end by itself
}

// patience is how long a program may take to start or to end.
const patience = 30 * time.Second

// MustStart starts a program. Env is its whole environment but for PATH and a
// HOME of its own; dir is where it runs. What it printed is shown when the test
// fails.
func MustStart(t *testing.T, dir string, env []string, program string, args ...string) *Process {
	t.Helper()
	p := newProcess(t, dir, env, program, args)
	p.cmd.Stdout = &p.log
	p.start(program)
	return p
}

func newProcess(t *testing.T, dir string, env []string, program string, args []string) *Process {
	t.Helper()
	p := &Process{t: t, done: make(chan struct{}), cmd: exec.Command(MustFind(t, program), args...)}
	p.cmd.Dir, p.cmd.Stderr = dir, &p.log
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return p
}

func (p *Process) start(program string) {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", program, err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	p.t.Cleanup(func() {
		p.Stop()
		if p.t.Failed() {
			p.t.Logf("%s printed:\n%s", program, p.log.String())
		}
	})
}

// Stop ends the program by SIGTERM and waits for it. It must end well, or by that
// very signal.
func (p *Process) Stop() {
	p.t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	select {
	case <-p.done:
		if p.err != nil || !p.brief {
			p.t.Errorf("%s ended before it was told to: %v", p.cmd.Path, p.err)
		}
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		p.t.Errorf("%s did not end on SIGTERM", p.cmd.Path)
		return
	}
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if p.err != nil && status.Signal() != syscall.SIGTERM {
		p.t.Errorf("%s: %v", p.cmd.Path, p.err)
	}
}

// MustBecome waits until ready says yes; it fails the test when the program ends
// first.
func (p *Process) MustBecome(what string, ready func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ready() {
			return
		}
		select {
		case <-p.done:
			p.stopped = true
			p.t.Fatalf("%s ended at once: %v", p.cmd.Path, p.err)
		default:
		}
	}
	p.t.Fatalf("%s was not %s within %s", p.cmd.Path, what, patience)
}

// MustListen waits until the program takes connections at addr.
func (p *Process) MustListen(addr string) {
	p.t.Helper()
	p.MustBecome("listening on "+addr, func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// MustFind returns the path of a program: one of PATH, or itself if it has a
// slash.
func MustFind(t *testing.T, program string) string {
	t.Helper()
	found, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("no %s on PATH", program)
	}
	return found
}

// MustRun runs a program to its end in dir and returns what it printed. It must
// succeed.
func MustRun(t *testing.T, dir string, env []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), MustFind(t, program), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func tryRun(t *testing.T, program string, args ...string) bool {
	return exec.CommandContext(t.Context(), program, args...).Run() == nil
}

// PID is the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is what the program has printed up to now, both streams together.
func (p *Process) Output() string { return p.log.String() }
