package testkit

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisServer is a redis-server process that a test started on a free port of
// loopback, with its files in the test's own directory.
type RedisServer struct {
	Addr string // host:port
	URL  string // redis://host:port/0

	tb     testing.TB
	binary string
	dir    string
	port   int
	args   []string
	env    []string // beside the test's own
	cmd    *exec.Cmd
	// sentinel is the configuration that the process begins with, and rewrites,
	// when it is a Sentinel; it takes no args then.
	sentinel string
}

// MustStartRedis starts a redis-server with the append-only file on and ends it
// with the test. Where none is installed the test is skipped, or failed when
// CI=true. Further arguments go to the server ("--maxmemory", "10mb").
func MustStartRedis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	return mustStartRedis(tb, args, nil)
}

func mustStartRedis(tb testing.TB, args, env []string) *RedisServer {
	tb.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("CI=true and no redis-server on PATH: install Debian's redis-server")
		}
		tb.Skip("no redis-server on PATH (Debian: apt-get install redis-server)")
	}
	s := &RedisServer{tb: tb, binary: binary, dir: tb.TempDir(), args: args, env: env}
	s.mustStart()
	return s
}

// mustStart starts a new server on a free port.
func (s *RedisServer) mustStart() {
	s.tb.Helper()
	var err error
	for range 5 { // another process may take the free port before redis-server does
		s.port = MustFreePort(s.tb)
		if err = s.start(); err == nil {
			break
		}
	}
	if err != nil {
		s.tb.Fatalf("start redis-server: %v", err)
	}
	s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	s.URL = "redis://" + s.Addr + "/0"
	s.tb.Cleanup(s.MustKill)
}

// arguments are those of the command line, and the Sentinel's file behind it.
func (s *RedisServer) arguments() ([]string, error) {
	common := []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--logfile", "redis.log", "--daemonize", "no",
	}
	if s.sentinel == "" {
		// Not "everysec": while a sync is under way, such a server answers before it has
		// written, up to two seconds, and what it acknowledged dies with it. With "no" the
		// kernel has it first, and outlives every kill; of a power cut no test knows.
		return append(append(common, "--save", "", "--appendonly", "yes", "--appendfsync", "no"), s.args...), nil
	}
	file := filepath.Join(s.dir, "sentinel.conf")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) { // else it knows more than we do
		if err := os.WriteFile(file, []byte(s.sentinel), 0o600); err != nil {
			return nil, err
		}
	}
	return append([]string{file, "--sentinel"}, common...), nil
}

func (s *RedisServer) start() error {
	args, err := s.arguments()
	if err != nil {
		return err
	}
	s.cmd = exec.Command(s.binary, args...)
	s.cmd.Env = append(os.Environ(), s.env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func(cmd *exec.Cmd) { _ = cmd.Wait(); close(exited) }(s.cmd)
	deadline := time.After(10 * time.Second)
	for {
		if ping(s.port, s.cmd.Process.Pid) == nil {
			return nil
		}
		select {
		case <-exited:
			log, _ := os.ReadFile(filepath.Join(s.dir, "redis.log"))
			return fmt.Errorf("exited at once: %s", log)
		case <-deadline:
			_ = s.cmd.Process.Kill()
			return errors.New("no answer to PING in 10s")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ping asks for and reads one PONG, so that a server that still loads its append-only
// file does not count as started, and then for the process: another test's server may
// have taken the port, and ours be about to end.
func ping(port, pid int) error {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("PING\r\nINFO server\r\n")); err != nil {
		return err
	}
	answer := bufio.NewScanner(c)
	if !answer.Scan() || answer.Text() != "+PONG" {
		return fmt.Errorf("PING answered %q", answer.Text())
	}
	for answer.Scan() {
		if id, found := strings.CutPrefix(answer.Text(), "process_id:"); found {
			if id != strconv.Itoa(pid) {
				return fmt.Errorf("process %s has the port", id)
			}
			return nil
		}
	}
	return fmt.Errorf("no process in INFO: %w", answer.Err())
}

// MustKill ends the server with SIGKILL and waits until its port is closed.
// Calling it again is harmless.
func (s *RedisServer) MustKill() {
	s.tb.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	s.cmd = nil
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if c, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			c.Close()
			continue
		}
		return
	}
	s.tb.Fatalf("redis-server on %s survived SIGKILL", s.Addr)
}

// MustRestart starts the server again on the same port with the same files.
func (s *RedisServer) MustRestart() {
	s.tb.Helper()
	s.MustKill()
	if err := s.start(); err != nil {
		s.tb.Fatalf("restart redis-server: %v", err)
	}
}

// MustPause stops the process (SIGSTOP): connections stay, answers do not come.
func (s *RedisServer) MustPause() { s.signal(syscall.SIGSTOP) }

// MustContinue lets a paused process run again.
func (s *RedisServer) MustContinue() { s.signal(syscall.SIGCONT) }

func (s *RedisServer) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatalf("%v redis-server: %v", sig, err)
	}
}
