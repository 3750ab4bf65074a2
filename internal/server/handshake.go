package server

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// Handshakes says how it stands with the TLS handshakes of a listener.
type Handshakes struct {
	UnderWay, Most int
	// Waits counts the times that a connection had to wait in the kernel, since as many
	// as there may be were under way. None is refused.
	Waits uint64
	// Failures counts those that did not succeed, or not in time.
	Failures uint64
}

// Handshakes tells of the named listener; zero where it does not speak TLS, or not yet.
func (s *Server) Handshakes(name string) Handshakes {
	for _, l := range s.servers {
		if a := l.arrivals.Load(); l.name == name && a != nil && a.config != nil {
			return Handshakes{len(a.slots), cap(a.slots), a.waits.Load(), a.failures.Load()}
		}
	}
	return Handshakes{}
}

// shake does one handshake, within a.timeout. It returns a connection for Accept also
// when the handshake failed, so that net/http answers and logs that; nil only after a
// panic.
func (a *arrivals) shake(ctx context.Context, raw net.Conn) (out net.Conn) {
	conn := tls.Server(raw, a.config)
	defer func() {
		if fault := recover(); fault != nil { // as net/http does: one client must not end all
			_ = raw.Close()
			a.log.Printf("http: panic shaking hands with %v: %v", raw.RemoteAddr(), fault)
			out = nil
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(a.timeout)) // fails where the client is gone: then the handshake does
	if err := conn.HandshakeContext(ctx); err != nil {
		a.failures.Add(1)
		return conn
	}
	_ = conn.SetDeadline(time.Time{})
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		return conn
	}
	return &tlsWire{wire{Conn: conn}, conn.ConnectionState}
}
