package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// CloseListener breaks a listener under a running server.
func (s *Server) CloseListener(name string) {
	for _, l := range s.servers {
		if l.name == name {
			_ = l.net.Close()
		}
	}
}

// Handler returns what a listener serves, its limits around it.
func (s *Server) Handler(name string) http.Handler {
	for _, l := range s.servers {
		if l.name == name {
			return l.http.Handler
		}
	}
	return nil
}

// Remind is what Watch does at each look, beside looking.
func (c *Certificate) Remind(now time.Time) { c.remind(now) }

// SetListener opens a listener by hand.
func (s *Server) SetListener(name string, open net.Listener) {
	for _, l := range s.servers {
		if l.name == name {
			l.net = open
		}
	}
}

// SetHandshakes sets how many handshakes a listener has under way at once.
func (s *Server) SetHandshakes(name string, n int) {
	for _, l := range s.servers {
		if l.name == name {
			l.handshakes = n
		}
	}
}

// TLSConfig returns that of a listener, to be changed before Run.
func (s *Server) TLSConfig(name string) *tls.Config {
	for _, l := range s.servers {
		if l.name == name {
			return l.http.TLSConfig
		}
	}
	return nil
}

// ShakeHands is the listener that a TLS listener serves from, with what waits for
// its end.
func (s *Server) ShakeHands(ctx context.Context, name string) (net.Listener, func()) {
	for _, l := range s.servers {
		if l.name == name {
			h := receive(ctx, l)
			return h, h.wait
		}
	}
	return nil, nil
}

// LengthsSeen tells a connection's lengths of reads, and returns "t" or "f" for each call
// of a handler, which is an empty read.
func LengthsSeen(reads []string) string {
	var l lengths
	seen := ""
	for _, p := range reads {
		switch {
		case p != "":
			l.note([]byte(p))
		case l.taken():
			seen += "t"
		default:
			seen += "f"
		}
	}
	return seen
}
