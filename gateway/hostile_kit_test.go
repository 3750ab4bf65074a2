package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/telemetry"
)

// arena is an edge as it runs in production, with its listener and its limits, in
// front of a back end that keeps the bytes.
type arena struct {
	*edge
	victim *victim
	addr   string
	token  string
	aside  *client // a bystander whose connection stays open all the time
	served int     // innocent requests
	wanted int     // of attacks, that reached the back end anew framed
}

func mustArena(t *testing.T, o edgeOptions) *arena {
	t.Helper()
	a := &arena{victim: mustVictim(t)}
	o.routes = strings.ReplaceAll(o.routes, "BACKEND", a.victim.URL)
	a.edge = mustEdge(t, o)
	a.addr = a.listen(t)
	a.token = a.edge.token(t)
	a.aside = a.dial(t)
	return a
}

// listen serves the edge as the program does.
func (a *arena) listen(t *testing.T) string {
	t.Helper()
	s := server.New(server.Config{ShutdownTimeout: time.Second})
	s.AddPublic("public", "127.0.0.1:0", telemetry.Handler(NewPublic(a.gateway, nil), telemetry.Options{Metrics: a.Metrics}), nil)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Addr("public").String()
}

// client is a connection to the gateway.
type client struct {
	net.Conn
	in *bufio.Reader
}

func (a *arena) dial(t *testing.T) *client {
	t.Helper()
	c, err := net.Dial("tcp", a.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{c, bufio.NewReader(c)}
}

// read returns the status and body of the next answer; 0 at the connection's end.
func (c *client) read(method string) (int, string, error) {
	for {
		res, err := http.ReadResponse(c.in, &http.Request{Method: method})
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return 0, "", err
			}
			return 0, "", nil
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols {
			return res.StatusCode, string(body), err
		}
	}
}

// innocent sends a request of somebody else and wants its own answer.
func (a *arena) innocent(t *testing.T, c *client, where string) {
	t.Helper()
	a.served++
	target := fmt.Sprintf("/public/innocent/%d", a.served)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target)
	status, body, err := c.read(http.MethodGet)
	if status != http.StatusOK || body != "GET "+target {
		t.Errorf("%s: an innocent request was answered %d %q %v", where, status, body, err)
	}
}

// run carries out one attack.
func (a *arena) run(t *testing.T, at attack) {
	t.Helper()
	before := a.victim.count()
	c := a.dial(t)
	raw := strings.ReplaceAll(at.raw, "{T}", a.token)
	if head, body, found := strings.Cut(raw, "\r\n\r\n"); found {
		raw = strings.ReplaceAll(head, "{L}", strconv.Itoa(len(body))) + "\r\n\r\n" + body
	}
	go func() { _, _ = io.WriteString(c, raw) }() // a large one may outlast the answer
	statuses, whatever := strings.CutSuffix(at.want, "either")
	statuses, closed := strings.CutSuffix(statuses, "closed")
	method, _, _ := strings.Cut(raw, " ")
	for _, want := range strings.Fields(statuses) {
		got, body, err := c.read(method)
		if !slices.Contains(strings.Split(want, "|"), strconv.Itoa(got)) {
			t.Fatalf("answered %d %q %v, want %s", got, body, err, at.want)
		}
		if got >= 500 {
			t.Errorf("answered %d", got)
		}
		method = http.MethodGet
	}
	if closed {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if got, body, err := c.read(method); got != 0 || err != nil {
			t.Errorf("the connection goes on: %d %q %v", got, body, err)
		}
	}
	a.arrivals(t, at, before)
	if !closed && !whatever && !strings.Contains(statuses, "101") {
		a.innocent(t, c, "on the same connection")
	}
	_ = c.Close()
	a.innocent(t, a.dial(t), "on a new connection")
	a.innocent(t, a.aside, "on another's connection")
}

// arrivals checks what reached the back end.
func (a *arena) arrivals(t *testing.T, at attack, before int) {
	t.Helper()
	a.wanted += len(at.arrive)
	arrived := a.victim.since(before)
	if len(arrived) != len(at.arrive) {
		t.Errorf("%d requests reached the back end, want %d: %q", len(arrived), len(at.arrive), arrived)
		return
	}
	for i, raw := range arrived {
		r, err := readStrictly(string(raw))
		if err != nil {
			t.Errorf("%v in\n%q", err, raw)
			continue
		}
		want, identified := strings.CutPrefix(at.arrive[i], "42 ")
		if got := r.method + " " + r.target; got != want {
			t.Errorf("%q reached the back end, want %q", got, want)
		}
		if err := r.tellsTruth(identified); err != nil {
			t.Errorf("%v in\n%q", err, raw)
		}
		if i == len(arrived)-1 && r.body != at.body {
			t.Errorf("the body is %q, want %q", r.body, at.body)
		}
	}
}

// settled checks that nothing came late, either: all that ever arrived is
// accounted for, and nothing of it is in the log.
func (a *arena) settled(t *testing.T) {
	t.Helper()
	if got := a.victim.count(); got != a.wanted+a.served {
		t.Errorf("%d requests reached the back end in all, want %d", got, a.wanted+a.served)
	}
	if logs := a.logs.String(); strings.Contains(logs, a.token) || strings.Contains(logs, "panic") {
		t.Error("a token or a panic is in the log")
	}
}
