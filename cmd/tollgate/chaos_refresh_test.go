//go:build chaos

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosIssuerKilledInARefresh: the issuer is killed (SIGKILL) at each of the commands
// that a refresh sends to Redis about its user and session: before it is sent, and after
// it was executed and before the answer counts. When it is back, the client, which has
// the old token alone, gets a working pair; asking again, as a second tab would, gets the
// same one: there is one line of tokens.
func TestChaosIssuerKilledInARefresh(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	p := mustStepProxy(t, r.Addr)
	s := mustSystemOn(t, r, "TOLLGATE_REDIS_URL=redis://"+p.addr+"/0", "TOLLGATE_REDIS_OP_TIMEOUT=5s", "TOLLGATE_REFRESH_GRACE=1m")
	s.mustAddUser(ada, adaPassword)
	for _, executed := range []bool{false, true} {
		steps := 0
		for ; ; steps++ {
			held := s.mustLogin(ada, adaPassword)
			sid, _ := claimsOf(t, held.Refresh)["sid"].(string)
			p.arm(steps, executed, s.die, "tg:user:{", sid)
			answered, err := s.send("POST", s.Public+"/api/token/refresh/", map[string]string{"refresh": held.Refresh})
			good := err == nil && answered.Status == http.StatusOK
			if good { // delivered is marked once the answer has left
				s.eventually("delivered, or killed", 20*time.Second, func() bool {
					return p.taken() || told(t, r.Addr, sid)
				})
			}
			if !p.disarm() {
				if !good {
					t.Fatalf("nobody was killed: %v %d %s", err, answered.Status, answered.Body)
				}
				break // there are no more steps
			}
			s.mustServe()
			var tabs [2]pair
			for n := range tabs {
				a := s.mustSend("POST", s.Public+"/api/token/refresh/", map[string]string{"refresh": held.Refresh})
				if a.Status != http.StatusOK || json.Unmarshal([]byte(a.Body), &tabs[n]) != nil {
					t.Fatalf("killed at step %d, executed %t: retry %d gets %d %s", steps, executed, n, a.Status, a.Body)
				}
			}
			retried, second := tabs[0], tabs[1]
			for _, claim := range []string{"sid", "jti"} {
				if one, two := claimsOf(t, retried.Refresh)[claim], claimsOf(t, second.Refresh)[claim]; one != two || claim == "sid" && one != sid {
					t.Errorf("killed at step %d, executed %t: two lines, %s %v and %v", steps, executed, claim, one, two)
				}
			}
			s.wantCall(retried.Access, http.StatusOK, "")
			next := s.mustSend("POST", s.Public+"/api/token/refresh/", map[string]string{"refresh": retried.Refresh})
			if next.Status != http.StatusOK {
				t.Errorf("killed at step %d, executed %t: the line ends: %d %s", steps, executed, next.Status, next.Body)
			}
		}
		if steps < 4 { // user, rotation, indexes, delivered
			t.Errorf("killed at %d steps: a refresh has more", steps)
		}
	}
}

// die ends the process at once, from whatever goroutine.
func (s *system) die() {
	_ = s.process.Process.Kill()
	<-s.exited
}

// told reports whether the session's record says that its last pair was delivered.
func told(t *testing.T, addr, sid string) bool {
	t.Helper()
	return testkit.MustClient(t, addr).HGet(t.Context(), "tg:s:{"+sid+"}", "told").Val() == "1"
}

// stepProxy stands between the issuer and Redis and can act at one of its commands.
type stepProxy struct {
	addr, redis string

	mu      sync.Mutex
	markers [][]byte // a command with one of them counts; guarded by mu, as all below
	left    int
	deaf    bool // the command is executed first
	act     func()
	acted   chan struct{}
}

func mustStepProxy(t *testing.T, redis string) *stepProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &stepProxy{addr: l.Addr().String(), redis: redis}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// arm has act done at the command that comes after so many others with a marker.
func (p *stepProxy) arm(after int, executed bool, act func(), markers ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.markers, p.left, p.deaf, p.act, p.acted = nil, after, executed, act, make(chan struct{})
	for _, m := range markers {
		p.markers = append(p.markers, []byte(m))
	}
}

// taken reports whether the command has come.
func (p *stepProxy) taken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left < 0
}

// disarm lets every command through from now on, and reports whether act was done.
func (p *stepProxy) disarm() bool {
	p.mu.Lock()
	p.markers = nil
	taken, acted := p.left < 0, p.acted
	p.mu.Unlock()
	if taken {
		<-acted
	}
	return taken
}

// due reports whether this is the command, and takes it.
func (p *stepProxy) due(command []byte) (act func(), executed, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.markers {
		if !bytes.Contains(command, m) {
			continue
		}
		if p.left--; p.left >= 0 {
			return nil, false, false
		}
		p.markers = nil
		acted, do := p.acted, p.act
		return func() { do(); close(acted) }, p.deaf, true
	}
	return nil, false, false
}

// serve passes one connection on. The client writes each of its commands, and each of its
// pipelines, in one piece; one that was cut in two would be counted late, not lost.
func (p *stepProxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.redis)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var gate sync.Mutex // held while answers are kept back
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			gate.Lock()
			if n > 0 {
				_, err = client.Write(buf[:n])
			}
			gate.Unlock()
			if err != nil {
				_ = client.Close()
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		act, executed, due := p.due(buf[:n])
		if due && !executed {
			act()
			return
		}
		if due {
			gate.Lock()
		}
		_, err = server.Write(buf[:n])
		if due {
			// Redis serves one connection after the other, this one's first: what it says
			// to another that asks now was said after the command was executed.
			mustPing(p.redis)
			act()
			gate.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// mustPing asks Redis on a connection of its own, twice: the second question is read
// after whatever had arrived before the first was answered.
func mustPing(addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	for range 2 {
		_, _ = fmt.Fprint(conn, "PING\r\n")
		_, _ = io.ReadFull(conn, make([]byte, len("+PONG\r\n")))
	}
}
