//go:build bench

package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	benchFor     = flag.Duration("bench.for", 10*time.Second, "how long each load lasts")
	benchClients = flag.Int("bench.clients", 16, "sessions that are refreshed at once, each by a connection of its own")
	benchProfile = flag.String("bench.profile", "", "file for a CPU profile of tollgate under the load of refreshes")
)

// TestBenchRefresh measures what a rotation costs: the built binary, a redis-server with
// its append-only file beside it, clients on loopback. First as fast as the clients can,
// then at half that rate, each refresh counted from when it was due. It fails on a
// refresh that fails, not on a figure: the machine is not ours alone.
func TestBenchRefresh(t *testing.T) {
	s := mustBench(t, "TOLLGATE_PROFILING=true")
	all := mustLines(t, s, *benchClients)
	if *benchProfile != "" {
		go s.profile(*benchProfile)
	}
	full := s.load(all, 0)
	t.Log("as fast as they can: " + full.String())
	half := s.load(all, full.rate()/2)
	t.Log("at half that rate:   " + half.String())
	if full.failed != "" || half.failed != "" {
		t.Error(full.failed, half.failed)
	}
}

// TestBenchLogin measures log-ins as fast as the clients can: argon2id and little else.
func TestBenchLogin(t *testing.T) {
	s := mustBench(t)
	var all []*line
	for range 4 {
		all = append(all, mustLine(t, s, func(*line) (path, body string) {
			return "/api/token/", fmt.Sprintf(`{"username":"ada","password":%q}`, benchPassword)
		}))
	}
	got := s.load(all, 0)
	t.Log("log-ins: " + got.String())
	if got.failed != "" {
		t.Error(got.failed)
	}
}

const benchPassword = "correct horse battery staple" //nolint:gosec // of a user who lives as long as the test

// benched is a running system and the processes whose time is counted.
type benched struct {
	*system
	processes map[string]int // name to pid
}

func mustBench(t *testing.T, settings ...string) *benched {
	t.Helper()
	s := mustSystem(t, append([]string{"TOLLGATE_LOG_LEVEL=info", "TOLLGATE_ACCESS_LOG=false"}, settings...)...)
	s.mustAddUser("ada", benchPassword)
	return &benched{s, map[string]int{"tollgate": s.process.Process.Pid, "redis": mustRedisPID(t, s.Redis.Addr)}}
}

// line is one session that is refreshed again and again, over one connection.
type line struct {
	addr, refresh string
	request       func(*line) (path, body string)
	conn          net.Conn
	in            *bufio.Reader
}

func mustLines(t *testing.T, s *benched, n int) []*line {
	t.Helper()
	var all []*line
	for range n {
		l := mustLine(t, s, func(l *line) (path, body string) { return "/api/token/refresh/", `{"refresh":"` + l.refresh + `"}` })
		l.refresh = s.mustLogin("ada", benchPassword).Refresh
		all = append(all, l)
	}
	return all
}

func mustLine(t *testing.T, s *benched, request func(*line) (string, string)) *line {
	t.Helper()
	l := &line{addr: strings.TrimPrefix(s.Public, "http://"), request: request}
	var err error
	if l.conn, err = net.Dial("tcp", l.addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.conn.Close() })
	l.in = bufio.NewReader(l.conn)
	return l
}

// once sends one request and keeps the refresh token of the answer. It is written by
// hand: net/http's client would take as much of the machine as what is measured.
func (l *line) once() error {
	path, body := l.request(l)
	if _, err := fmt.Fprintf(l.conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, l.addr, len(body), body); err != nil {
		return err
	}
	res, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	var p pair
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || res.StatusCode != http.StatusOK || p.Refresh == "" || p.Refresh == l.refresh {
		return fmt.Errorf("%s: status %d, %w", path, res.StatusCode, err)
	}
	l.refresh = p.Refresh
	return nil
}

// loaded is what came of a load.
type loaded struct {
	took   time.Duration
	waits  []time.Duration // one for each answer, sorted
	cpu    map[string]time.Duration
	failed string
}

// load lets each line send for as long as -bench.for says: without a rate as fast as the
// answers come, else so many a second all together, on time whatever the one before took.
func (b *benched) load(all []*line, rate float64) loaded {
	b.tb.Helper()
	before := b.used()
	begun := time.Now()
	end := begun.Add(*benchFor)
	var work sync.WaitGroup
	var mu sync.Mutex
	out := loaded{cpu: map[string]time.Duration{}}
	for n, l := range all {
		work.Go(func() {
			pause := time.Duration(0)
			if rate > 0 {
				pause = time.Duration(float64(len(all)) / rate * float64(time.Second))
			}
			due := begun.Add(pause * time.Duration(n) / time.Duration(len(all))) // not all at once
			var waits []time.Duration
			for ; time.Now().Before(end); due = due.Add(pause) {
				if pause > 0 {
					time.Sleep(time.Until(due))
				} else {
					due = time.Now()
				}
				if err := l.once(); err != nil {
					mu.Lock()
					out.failed = err.Error()
					mu.Unlock()
					break
				}
				waits = append(waits, time.Since(due))
			}
			mu.Lock()
			defer mu.Unlock()
			out.waits = append(out.waits, waits...)
		})
	}
	work.Wait()
	out.took = time.Since(begun)
	for name, after := range b.used() {
		out.cpu[name] = after - before[name]
	}
	slices.Sort(out.waits)
	return out
}

func (l loaded) rate() float64 { return float64(len(l.waits)) / l.took.Seconds() }

func (l loaded) String() string {
	if len(l.waits) == 0 {
		return "no answers"
	}
	at := func(share float64) time.Duration {
		return l.waits[int(float64(len(l.waits)-1)*share)].Round(10 * time.Microsecond)
	}
	each := func(name string) time.Duration { return l.cpu[name] / time.Duration(len(l.waits)) }
	return fmt.Sprintf("%.0f/s, p50 %s, p99 %s, processor time each: tollgate %s, redis %s", l.rate(), at(0.5), at(0.99), each("tollgate"), each("redis"))
}
