package server_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/server"
)

// network is a listener whose connections are pipes, so that a server with its
// clients fits into a synctest bubble, where time passes only when all wait.
type network struct {
	conns   chan net.Conn
	closed  chan struct{}
	dialled atomic.Int32
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	select {
	case <-n.closed:
	default:
		close(n.closed)
	}
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.conns <- theirs:
		n.dialled.Add(1)
		return ours, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rig is a public listener on a network of its own, in a bubble.
type rig struct {
	t   *testing.T
	net *network
}

// rigURL is that of the listener; only the rig's own clients reach it.
const rigURL = "http://tollgate.test"

// mustRig serves the handler, with the limits as they are by default, until the
// bubble ends.
func mustRig(t *testing.T, h http.Handler) *rig {
	t.Helper()
	r := &rig{t: t, net: newNetwork()}
	s := server.New(server.Config{})
	s.AddPublic("public", "pipe", h, nil)
	s.SetListener("public", r.net)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// mustDial is a connection to the listener.
func (r *rig) mustDial() net.Conn {
	r.t.Helper()
	c, err := r.net.dial(r.t.Context(), "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

// client speaks one protocol with the listener.
func (r *rig) client(set func(*http.Protocols, bool)) *http.Client {
	protocols := new(http.Protocols)
	set(protocols, true)
	tr := &http.Transport{Protocols: protocols, DialContext: r.net.dial}
	r.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// took is how long ago a moment was, as the bubble's clock goes.
func took(start time.Time) time.Duration { return time.Since(start).Round(time.Millisecond) }
